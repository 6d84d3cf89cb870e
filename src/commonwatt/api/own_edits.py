"""Quarter-hours and readings set or cleared by hand, on our own surface."""

from collections.abc import Sequence
from decimal import Decimal

from commonwatt.api.endpoint.change import ChangeRequest, exact_json
from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.own_requests import parameters
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
from commonwatt.formats import json_fields as read
from commonwatt.formats.json_fields import BadField, JsonFields, json_document
from commonwatt.formats.stamps.instants import utc_text

_OF_QUARTERS = ("start", "end", "energy")
_KEYS = ("meter", "register", *_OF_QUARTERS, "at", "index", "clear", "accept", "reason")
_KWH = read.decimal("-9000000000", "9000000000", places=3)
_INDEX = read.decimal("0", "9000000000")
_RAW = 1_000_000


def parse_edits(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    parameters(sent.query, ())


def answer_edits(context: RequestContext, _query: None) -> bytes:
    """Answer the edits, the oldest first; nothing of closed meters or before the history."""
    meters = {each.number: each for each in context.catalogue.meters}
    sight = context.site.sight
    return exact_json(
        [
            _edit_row(meters[each.meter], each)
            for each in context.snapshot.edits.edits(context.site.number, sight.history_from)
            if sight.shows(meters[each.meter], each.start_at)
        ]
    )


def post_edit(store: Store, sent: ChangeRequest) -> bytes:
    """Set or clear quarter-hours, or a reading."""
    wanted = _wanted_edit(JsonFields(json_document(sent.body), _KEYS))
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
        raise BadField("number", "must be the number of an edit")
    site = sent.admitted.site
    _require_seen_edit(store, site, int(number))
    edit = undo_edit(store, site.number, int(number), sent.admitted.account, sent.now_us)
    return _answered(store, site, edit)


def _wanted_edit(fields: JsonFields) -> WantedEdit | WantedReading | WantedAcceptance:
    meter_id = fields.required("meter", read.text)
    reason = fields.required("reason", read.text)
    if fields.optional("accept", read.boolean) is True:
        _refuse(fields, ("register", "energy", "at", "index", "clear"), "does not go with accept")
        return WantedAcceptance(
            meter_id=meter_id,
            start_at=fields.required("start", read.instant),
            end_at=fields.required("end", read.instant),
            reason=reason,
        )
    register = fields.optional("register", read.one_of(Register))
    at = fields.optional("at", read.instant)
    if at is None:
        _refuse(fields, ("index",), "is that of a reading, which needs at")
        energy = _value_or_clear(fields, "energy", _KWH)
        return WantedEdit(
            meter_id=meter_id,
            start_at=fields.required("start", read.instant),
            end_at=fields.required("end", read.instant),
            energy=None if energy is None else int(energy * 1000),
            reason=reason,
            register=register,
        )
    _refuse(fields, _OF_QUARTERS, "is that of quarter-hours; a reading has at and index")
    index = _value_or_clear(fields, "index", _INDEX)
    return WantedReading(
        meter_id=meter_id,
        at=at,
        index=None if index is None else int(index * _RAW),
        reason=reason,
        register=register,
    )


def _refuse(fields: JsonFields, keys: Sequence[str], message: str) -> None:
    for key in keys:
        if fields.optional(key, lambda value: value) is not None:
            raise BadField(key, message)


def _value_or_clear(fields: JsonFields, key: str, reader: read.Reader[Decimal]) -> Decimal | None:
    """Read what is set; None where it is to be cleared."""
    value = fields.optional(key, reader)
    if (value is None) != (fields.optional("clear", read.boolean) is True):
        raise BadField(key, "must be given, or clear as true, and not both")
    return value


def _require_seen_edit(store: Store, site: GrantedSite, number: int) -> None:
    """Raise UnknownEdit for one that is not listed, as for one that there is not."""
    with store.snapshot() as snapshot:
        edits = {each.number: each for each in snapshot.edits.edits(site.number)}
        meters = {m.number: m for m in snapshot.catalogue.catalogue(site.number).meters}
    edit = edits.get(number)
    if edit is None or not site.sight.shows(meters[edit.meter], edit.start_at):
        raise UnknownEdit(number)


def _answered(store: Store, site: GrantedSite, edit: Edit) -> bytes:
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
    meter = next(each for each in catalogue.meters if each.number == edit.meter)
    return exact_json(_edit_row(meter, edit))


def _edit_row(meter: Meter, edit: Edit) -> dict[str, object]:
    return {
        "number": edit.number,
        "meter": meter.id,
        "register": edit.register.value,
        "start": None if edit.of_reading else utc_text(edit.start_at),
        "end": None if edit.of_reading else utc_text(edit.end_at),
        "energy": None if edit.energy is None else Decimal(edit.energy) / 1000,
        "at": utc_text(edit.start_at) if edit.of_reading else None,
        "index": None if edit.index is None else Decimal(edit.index) / _RAW,
        "accepts": edit.accepts,
        "reason": edit.reason,
        "by": edit.account,
        "made_at": utc_text(edit.made_us // 1_000_000),
        "undone_at": None if edit.undone_us is None else utc_text(edit.undone_us // 1_000_000),
        "undone_by": edit.undone_by,
    }
