"""What findings were declared to be: listed, declared, taken back."""

from functools import partial
from typing import Literal

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.change import (
    RECOMPUTED_EXAMPLE,
    ChangeRequest,
    RecomputedRow,
    recomputed_rows,
    respond_to_change,
)
from commonwatt.api.endpoint.endpoint import Endpoint, RequestContext, RequestData, respond
from commonwatt.api.endpoint.fields import Digits, Text
from commonwatt.api.endpoint.models import Answer, Body, Query, read_body, read_query, to_json
from commonwatt.api.endpoint.operation import CHANGING, LIMITED, READING, SITE_PATH, Operation
from commonwatt.api.http import problems
from commonwatt.app.accounts.authorize import GrantedSite
from commonwatt.app.declaring.apply import Applied
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
from commonwatt.formats.stamps.instants import utc_text

_LIST = f"{SITE_PATH}/resolutions"
_RESOLVE = f"{SITE_PATH}/findings/{{finding_id}}/resolve"


class ResolutionBody(Body):
    """What a finding was."""

    as_: ResolutionKind = Field(alias="as", description="What it was.")
    digits: Digits | None = Field(None, description="Digits of a register that ran over.")
    reason: Text | None = Field(None, description="Why; kept in the audit trail.")


class ResolutionRow(Answer):
    """What a finding was declared to be."""

    finding: str | None = Field(description="Id of the finding.")
    meter: str = Field(description="Id of the meter.")
    register_: str = Field(serialization_alias="register", description="Register that is meant.")
    as_: Literal["reset", "rollover", "faulty"] = Field(
        serialization_alias="as", description="What it was."
    )
    start: str = Field(description="First reading concerned, UTC.")
    end: str = Field(description="Last reading concerned, UTC.")
    digits: int | None = Field(description="Digits of a register that ran over; null: inferred.")


class FindingResolved(Answer):
    """What a finding is declared to be now, and what follows."""

    resolution: ResolutionRow | None = Field(description="What it was; null once taken back.")
    changed: list[str] = Field(description="What was changed, in words.")
    recomputed: list[RecomputedRow] = Field(description="What is computed anew.")


def _row(meter: Meter, resolution: Resolution) -> ResolutionRow:
    return ResolutionRow(
        finding=resolution.finding,
        meter=meter.id,
        register_=resolution.register.value,
        as_=resolution.kind.value,
        start=utc_text(resolution.start_at),
        end=utc_text(resolution.end_at),
        digits=resolution.digits,
    )


def parse_resolutions(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    read_query(Query, sent.query)


def answer_resolutions(context: RequestContext, _query: None) -> bytes:
    """Answer what findings were declared to be, as far as it is in sight."""
    return to_json(
        [
            _row(meter, each)
            for meter in context.catalogue.meters
            for each in meter.resolutions
            if context.site.scope.shows(meter, each.start_at)
        ]
    )


def post_resolution(store: Store, sent: ChangeRequest) -> bytes:
    """Declare what a finding was."""
    body = read_body(ResolutionBody, sent.body)
    verdict = Verdict(kind=body.as_, digits=body.digits, reason=body.reason or "")
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
    if site.scope.is_whole:
        return
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
        if find_finding(snapshot, catalogue, wanted, site.scope) is not None:
            return
        meter = resolved_meter(catalogue, wanted)
    resolved = [] if meter is None else [r for r in meter.resolutions if r.finding == wanted]
    if meter is None or not all(site.scope.shows(meter, each.start_at) for each in resolved):
        raise UnknownFinding(wanted)


def _resolved(store: Store, site: GrantedSite, wanted: str, applied: Applied) -> bytes:
    with store.snapshot() as snapshot:
        meter = resolved_meter(snapshot.catalogue.catalogue(site.number), wanted)
    rows = [] if meter is None else [r for r in meter.resolutions if r.finding == wanted]
    answer = FindingResolved(
        resolution=_row(meter, rows[0]) if meter is not None and rows else None,
        changed=list(applied.lines),
        recomputed=recomputed_rows(applied, site),
    )
    return to_json(answer)


_EXAMPLE = {
    "finding": example_ids.FINDING,
    "meter": example_ids.METER,
    "register": "en_im",
    "as": "reset",
    "start": "2026-03-01T09:15:00Z",
    "end": "2026-03-01T09:30:00Z",
    "digits": None,
}

OPERATIONS = (
    Operation(
        name="get_resolutions",
        method="GET",
        path=_LIST,
        respond=partial(
            respond,
            endpoint=Endpoint(route=_LIST, parse=parse_resolutions, answer=answer_resolutions),
        ),
        summary="What findings were declared to be",
        description="By meter, in the order in which they were declared." + LIMITED,
        answer=list[ResolutionRow],
        answered="The resolutions.",
        example=[_EXAMPLE],
        problems=READING,
    ),
    Operation(
        name="post_resolution",
        method="POST",
        path=_RESOLVE,
        respond=partial(respond_to_change, route=_RESOLVE, change=post_resolution),
        summary="Say what a finding was",
        description="A break was a reset, a rollover, or faulty readings: of the smaller of its "
        "sides. An exchange of the device is declared with its devices. For operators." + LIMITED,
        body=ResolutionBody,
        body_example={"as": "reset"},
        answer=FindingResolved,
        answered="What it is declared to be now, and what is computed anew.",
        example={"resolution": _EXAMPLE, "changed": [], "recomputed": [RECOMPUTED_EXAMPLE]},
        problems=(*CHANGING, problems.UNKNOWN_FINDING),
    ),
    Operation(
        name="delete_resolution",
        method="DELETE",
        path=_RESOLVE,
        respond=partial(respond_to_change, route=_RESOLVE, change=delete_resolution),
        summary="Take back what a finding was said to be",
        description="It stands again as if nobody had said anything. For operators." + LIMITED,
        answer=FindingResolved,
        answered="What is computed anew.",
        example={"resolution": None, "changed": [], "recomputed": [RECOMPUTED_EXAMPLE]},
        problems=(*CHANGING, problems.UNKNOWN_FINDING),
    ),
)
