"""What findings were declared to be, on our own surface."""

from commonwatt.api.endpoint.change import ChangeRequest, exact_json, told
from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.own_requests import parameters
from commonwatt.app.accounts.authorize import GrantedSite
from commonwatt.app.declaring.apply import Applied
from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.app.findings.resolve import (
    UnknownFinding,
    Verdict,
    find_finding,
    resolve_finding,
    resolved_meter,
    take_resolution_back,
)
from commonwatt.app.ports import Store
from commonwatt.domain.metering.catalogue import Meter, Resolution, ResolutionKind
from commonwatt.formats import json_fields as read
from commonwatt.formats.json_fields import JsonFields, json_document
from commonwatt.formats.stamps.instants import utc_text


def parse_resolutions(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    parameters(sent.query, ())


def answer_resolutions(context: RequestContext, _query: None) -> bytes:
    """Answer what findings were declared to be, as far as it is in sight."""
    return exact_json(
        [
            _resolution_row(meter, each)
            for meter in context.catalogue.meters
            for each in meter.resolutions
            if context.site.sight.shows(meter, each.start_at)
        ]
    )


def post_resolution(store: Store, sent: ChangeRequest) -> bytes:
    """Declare what a finding was."""
    fields = JsonFields(json_document(sent.body), ("as", "digits", "reason"))
    verdict = Verdict(
        kind=fields.required("as", read.one_of(ResolutionKind)),
        digits=fields.optional("digits", read.whole(FEWEST_DIGITS, MOST_DIGITS)),
        reason=fields.optional("reason", read.text) or "",
    )
    wanted, admitted = sent.path["finding_id"], sent.admitted
    _require_seen_finding(store, admitted.site, wanted)
    applied = resolve_finding(
        store, admitted.site.number, wanted, verdict, admitted.account, sent.now_at
    )
    return _resolved(store, admitted.site, wanted, applied)


def delete_resolution(store: Store, sent: ChangeRequest) -> bytes:
    """Let a finding stand again."""
    wanted, admitted = sent.path["finding_id"], sent.admitted
    _require_seen_finding(store, admitted.site, wanted)
    applied = take_resolution_back(
        store, admitted.site.number, wanted, admitted.account, sent.now_at
    )
    return _resolved(store, admitted.site, wanted, applied)


def _require_seen_finding(store: Store, site: GrantedSite, wanted: str) -> None:
    """Raise UnknownFinding for one that is not listed, as for one that there is not."""
    if site.sight.is_whole:
        return
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
        if find_finding(snapshot, catalogue, wanted, site.sight) is not None:
            return
        meter = resolved_meter(catalogue, wanted)
    resolved = [] if meter is None else [r for r in meter.resolutions if r.finding == wanted]
    if meter is None or not all(site.sight.shows(meter, each.start_at) for each in resolved):
        raise UnknownFinding(wanted)


def _resolved(store: Store, site: GrantedSite, wanted: str, applied: Applied) -> bytes:
    with store.snapshot() as snapshot:
        meter = resolved_meter(snapshot.catalogue.catalogue(site.number), wanted)
    rows = [] if meter is None else [r for r in meter.resolutions if r.finding == wanted]
    row = _resolution_row(meter, rows[0]) if meter is not None and rows else None
    return exact_json({"resolution": row} | told(applied, site))


def _resolution_row(meter: Meter, resolution: Resolution) -> dict[str, object]:
    return {
        "finding": resolution.finding,
        "meter": meter.id,
        "register": resolution.register.value,
        "as": resolution.kind.value,
        "start": utc_text(resolution.start_at),
        "end": utc_text(resolution.end_at),
        "digits": resolution.digits,
    }
