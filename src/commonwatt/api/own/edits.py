"""Quarter-hours and readings set or cleared by hand: listed, made, undone."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.change import ChangeRequest, respond_to_change
from commonwatt.api.endpoint.endpoint import Endpoint, RequestContext, RequestData, respond
from commonwatt.api.endpoint.fields import Energy, Exact, Index, Instant, Text, YesNo
from commonwatt.api.endpoint.models import Answer, Body, Query, read_body, read_query, to_json
from commonwatt.api.endpoint.operation import (
    CHANGING,
    LIMITED,
    OF_METER,
    READING,
    SITE_PATH,
    Operation,
)
from commonwatt.api.http import problems
from commonwatt.api.http.problems import InvalidInput
from commonwatt.app.accounts.authorize import GrantedSite, require_history, require_open_meter
from commonwatt.app.billing.edit_quarters import (
    UnknownEdit,
    WantedAcceptance,
    WantedEdit,
    accept_quarters,
    edit_quarters,
    undo_edit,
)
from commonwatt.app.billing.edit_reading import WantedReading, edit_reading
from commonwatt.app.ports import Store
from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.edits import Edit
from commonwatt.formats.stamps.instants import utc_text

_PATH = f"{SITE_PATH}/edits"
_ONE = f"{SITE_PATH}/edits/{{number}}"
_RAW = 1_000_000
"""mWh per kWh, ml per m3."""


class EditBody(Body):
    """Quarter-hours, or a reading, to be set or cleared."""

    meter: Text = Field(description="Id of the meter.")
    register_: Register | None = Field(
        None,
        alias="register",
        description="Default: the meter's main register. Of a reading as senders name it.",
    )
    start: Instant | None = Field(None, description="First quarter-hour; naive stamps are UTC.")
    end: Instant | None = Field(
        None, description="End of the last quarter-hour; naive stamps are UTC."
    )
    energy: Energy | None = Field(None, description="Energy of them all [kWh; water m3].")
    at: Instant | None = Field(
        None, description="Instead: stamp of a reading; naive stamps are UTC."
    )
    index: Index | None = Field(
        None, description="Its index [kWh; water m3]; of an interval meter its energy."
    )
    clear: YesNo | None = Field(None, description="Clear the quarter-hours, or the reading.")
    accept: YesNo | None = Field(
        None,
        description="Instead: take what is estimated or implausible from start to end as it is.",
    )
    reason: Text = Field(description="Why.")

    def wanted(self) -> WantedEdit | WantedReading | WantedAcceptance:
        """What is to be done. Raises InvalidInput for fields that do not go together."""
        if self.accept:
            return self._acceptance()
        return self._edit() if self.at is None else self._reading(self.at)

    def _acceptance(self) -> WantedAcceptance:
        self._refuse(("register", "energy", "at", "index", "clear"), "does not go with accept")
        start_at, end_at = self._span()
        return WantedAcceptance(
            meter_id=self.meter, start_at=start_at, end_at=end_at, reason=self.reason
        )

    def _edit(self) -> WantedEdit:
        self._refuse(("index",), "is that of a reading, which needs at")
        self._require_value_or_clear("energy")
        start_at, end_at = self._span()
        return WantedEdit(
            meter_id=self.meter,
            start_at=start_at,
            end_at=end_at,
            energy=None if self.energy is None else int(self.energy * 1000),
            reason=self.reason,
            register=self.register_,
        )

    def _reading(self, at: int) -> WantedReading:
        self._refuse(
            ("start", "end", "energy"), "is that of quarter-hours; a reading has at and index"
        )
        self._require_value_or_clear("index")
        return WantedReading(
            meter_id=self.meter,
            at=at,
            index=None if self.index is None else int(self.index * _RAW),
            reason=self.reason,
            register=self.register_,
        )

    def _span(self) -> tuple[int, int]:
        if self.start is None or self.end is None:
            name = "start" if self.start is None else "end"
            raise InvalidInput(name, f"{name} is missing")
        return self.start, self.end

    def _refuse(self, names: Sequence[str], message: str) -> None:
        given = self.model_dump(by_alias=True, exclude_none=True)
        for name in names:
            if name in given:
                raise InvalidInput(name, f"{name} {message}")

    def _require_value_or_clear(self, name: str) -> None:
        if (getattr(self, name) is None) != (self.clear is True):
            raise InvalidInput(name, f"{name} must be given, or clear as true, and not both")


class EditRow(Answer):
    """Quarter-hours, or a reading, that somebody set or cleared."""

    number: int = Field(description="Number of the edit within the site.")
    meter: str = Field(description="Id of the meter.")
    register_: str = Field(serialization_alias="register", description="Register that is meant.")
    start: str | None = Field(description="First quarter-hour, UTC. Null of a reading.")
    end: str | None = Field(description="End of the last one, UTC. Null of a reading.")
    energy: Exact | None = Field(
        description="Energy or volume of them all [kWh; water m3]; null: cleared."
    )
    at: str | None = Field(description="Stamp of the reading, UTC. Null of quarter-hours.")
    index: Exact | None = Field(description="Its index [kWh; water m3]; null: cleared.")
    accepts: bool = Field(
        description="Whether the quarter-hours are taken as they are: nothing is set or cleared."
    )
    reason: str = Field(description="Why.")
    by: str = Field(description="Who made it.")
    made_at: str = Field(description="When, UTC.")
    undone_at: str | None = Field(description="When it was undone, UTC. Null: it counts.")
    undone_by: str | None = Field(description="Who undid it.")


def _row(meter: Meter, edit: Edit) -> EditRow:
    return EditRow(
        number=edit.number,
        meter=meter.id,
        register_=edit.register.value,
        start=None if edit.of_reading else utc_text(edit.start_at),
        end=None if edit.of_reading else utc_text(edit.end_at),
        energy=None if edit.energy is None else Decimal(edit.energy) / 1000,
        at=utc_text(edit.start_at) if edit.of_reading else None,
        index=None if edit.index is None else Decimal(edit.index) / _RAW,
        accepts=edit.accepts,
        reason=edit.reason,
        by=edit.account,
        made_at=utc_text(edit.made_us // 1_000_000),
        undone_at=None if edit.undone_us is None else utc_text(edit.undone_us // 1_000_000),
        undone_by=edit.undone_by,
    )


def parse_edits(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    read_query(Query, sent.query)


def answer_edits(context: RequestContext, _query: None) -> bytes:
    """Answer the edits, the oldest first; nothing of closed meters or before the history."""
    meters = {each.number: each for each in context.catalogue.meters}
    scope = context.site.scope
    return to_json(
        [
            _row(meters[each.meter], each)
            for each in context.snapshot.edits.edits(context.site.number, scope.history_from)
            if scope.shows(meters[each.meter], each.start_at)
        ]
    )


def post_edit(store: Store, sent: ChangeRequest) -> bytes:
    """Set or clear quarter-hours, or a reading."""
    wanted = read_body(EditBody, sent.body).wanted()
    site = sent.admitted.site
    require_open_meter(site, wanted.meter_id)
    require_history(site, wanted.at if isinstance(wanted, WantedReading) else wanted.start_at)
    by = sent.admitted.account, sent.now_us
    if isinstance(wanted, WantedAcceptance):
        edit = accept_quarters(store, site.number, wanted, *by)
    elif isinstance(wanted, WantedReading):
        edit = edit_reading(store, site.number, wanted, *by)
    else:
        edit = edit_quarters(store, site.number, wanted, *by)
    return _answered(store, site, edit)


def delete_edit(store: Store, sent: ChangeRequest) -> bytes:
    """Let an edit count no more."""
    number = sent.path["number"]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise InvalidInput("number", "number must be the number of an edit")
    site = sent.admitted.site
    _require_seen_edit(store, site, int(number))
    edit = undo_edit(store, site.number, int(number), sent.admitted.account, sent.now_us)
    return _answered(store, site, edit)


def _require_seen_edit(store: Store, site: GrantedSite, number: int) -> None:
    """Raise UnknownEdit for one that is not listed, as for one that there is not."""
    with store.snapshot() as snapshot:
        edits = {each.number: each for each in snapshot.edits.edits(site.number)}
        meters = {m.number: m for m in snapshot.catalogue.catalogue(site.number).meters}
    edit = edits.get(number)
    if edit is None or not site.scope.shows(meters[edit.meter], edit.start_at):
        raise UnknownEdit(number)


def _answered(store: Store, site: GrantedSite, edit: Edit) -> bytes:
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
    meter = next(each for each in catalogue.meters if each.number == edit.meter)
    return to_json(_row(meter, edit))


_EXAMPLE = {
    "number": 3,
    "meter": example_ids.METER,
    "register": "en_im",
    "start": "2026-03-01T10:00:00Z",
    "end": "2026-03-01T12:00:00Z",
    "energy": 1.25,
    "at": None,
    "index": None,
    "accepts": False,
    "reason": "read off by hand",
    "by": "anna",
    "made_at": "2026-03-04T08:12:45Z",
    "undone_at": None,
    "undone_by": None,
}

OPERATIONS = (
    Operation(
        name="get_edits",
        method="GET",
        path=_PATH,
        respond=partial(
            respond, endpoint=Endpoint(route=_PATH, parse=parse_edits, answer=answer_edits)
        ),
        summary="Quarter-hours and readings set or cleared by hand",
        description="The oldest edit first, undone ones too." + LIMITED,
        answer=list[EditRow],
        answered="The edits.",
        example=[_EXAMPLE],
        problems=READING,
    ),
    Operation(
        name="post_edit",
        method="POST",
        path=_PATH,
        respond=partial(respond_to_change, route=_PATH, change=post_edit),
        summary="Set or clear quarter-hours, or a reading",
        description="Quarter-hours from `start` to `end`: either `energy`, spread evenly over "
        "them to the Wh, or `clear`. A reading `at` an instant: either its `index`, or `clear`. Of "
        "edits of the same the later one counts. For operators." + LIMITED,
        body=EditBody,
        body_example={key: _EXAMPLE[key] for key in ("meter", "start", "end", "energy", "reason")},
        answer=EditRow,
        answered="The edit with its number.",
        example=_EXAMPLE,
        problems=(*CHANGING, *OF_METER, problems.CLOSED_HISTORY),
    ),
    Operation(
        name="delete_edit",
        method="DELETE",
        path=_ONE,
        respond=partial(respond_to_change, route=_ONE, change=delete_edit),
        summary="Undo an edit",
        description="It counts no more and stays listed. For operators." + LIMITED,
        answer=EditRow,
        answered="The edit.",
        example=_EXAMPLE | {"undone_at": "2026-03-05T07:00:00Z", "undone_by": "anna"},
        problems=(*CHANGING, problems.UNKNOWN_EDIT, problems.NOTHING_TO_CHANGE),
    ),
)
