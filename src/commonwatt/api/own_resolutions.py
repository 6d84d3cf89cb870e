"""What findings were declared to be, on our own surface."""

from commonwatt.api.changes import AskedChange, exact_json, told
from commonwatt.api.own_requests import parameters
from commonwatt.api.visits import Asked, Visit
from commonwatt.app.apply_declaration import Applied
from commonwatt.app.authorize import GrantedSite, require_open_meter
from commonwatt.app.declared_devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.app.ports import Store
from commonwatt.app.resolve_finding import (
    UnknownFinding,
    Verdict,
    find_finding,
    resolve_finding,
    resolved_meter,
    take_resolution_back,
)
from commonwatt.domain.catalogue import Meter, Resolution, ResolutionKind
from commonwatt.formats import json_fields as read
from commonwatt.formats.instants import utc_text
from commonwatt.formats.json_fields import JsonFields, json_document


def parse_resolutions(_visit: Visit, asked: Asked) -> None:
    """Read a request of which nothing more can be said."""
    parameters(asked.query, ())


def answer_resolutions(visit: Visit, _query: None) -> bytes:
    """Answer what findings were declared to be; nothing of closed meters."""
    return exact_json(
        [
            _resolution_row(meter, each)
            for meter in visit.catalogue.meters
            if meter.id not in visit.site.closed_meters
            for each in meter.resolutions
        ]
    )


def post_resolution(store: Store, asked: AskedChange) -> bytes:
    """Declare what a finding was."""
    fields = JsonFields(json_document(asked.body), ("as", "digits", "reason"))
    verdict = Verdict(
        kind=fields.required("as", read.one_of(ResolutionKind)),
        digits=fields.optional("digits", read.whole(FEWEST_DIGITS, MOST_DIGITS)),
        reason=fields.optional("reason", read.text) or "",
    )
    wanted, changer = asked.path["finding_id"], asked.changer
    _require_open_finding(store, changer.site, wanted)
    applied = resolve_finding(
        store, changer.site.number, wanted, verdict, changer.account, asked.now_at
    )
    return _resolved(store, changer.site, wanted, applied)


def delete_resolution(store: Store, asked: AskedChange) -> bytes:
    """Let a finding stand again."""
    wanted, changer = asked.path["finding_id"], asked.changer
    _require_open_finding(store, changer.site, wanted)
    applied = take_resolution_back(
        store, changer.site.number, wanted, changer.account, asked.now_at
    )
    return _resolved(store, changer.site, wanted, applied)


def _require_open_finding(store: Store, site: GrantedSite, wanted: str) -> None:
    """Raise ClosedMeter for a finding about a meter that is closed to the account."""
    if not site.closed_meters:
        return
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
        found = find_finding(snapshot, catalogue, wanted)
        meter = resolved_meter(catalogue, wanted) if found is None else found.meter
    if meter is None:
        raise UnknownFinding(wanted)
    require_open_meter(site, meter.id)


def _resolved(store: Store, site: GrantedSite, wanted: str, applied: Applied) -> bytes:
    with store.snapshot() as snapshot:
        meter = resolved_meter(snapshot.catalogue.catalogue(site.number), wanted)
    rows = [] if meter is None else [r for r in meter.resolutions if r.finding == wanted]
    row = _resolution_row(meter, rows[0]) if meter is not None and rows else None
    return exact_json({"resolution": row} | told(applied))


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
