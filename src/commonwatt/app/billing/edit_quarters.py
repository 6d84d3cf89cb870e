"""Setting and clearing quarter-hours by hand, and undoing edits. Nothing is deleted."""

from dataclasses import dataclass, replace

from commonwatt.app.declaring.apply import CannotChange
from commonwatt.app.declaring.rules import meter_label
from commonwatt.app.errors import CommonwattError, ErrorKind, UnknownMeter
from commonwatt.app.ports import Change, Store
from commonwatt.app.readings.deliveries import (
    NothingToChange,
    required_delivery,
    set_aside_delivery,
)
from commonwatt.app.settling.marks import days_with_data
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.meter_energy import ENERGY_MAX
from commonwatt.domain.metering.quarter_hours import (
    DAY_S,
    QUARTER_S,
    day_of,
    first_quarter_from,
    quarter_of,
)

LONGEST_EDIT_DAYS = 400


class UnknownEdit(CommonwattError):
    """The site has no edit of that number."""

    kind = ErrorKind("unknown-edit", 404, "Unknown edit")

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no edit {number}; `commonwatt edit list` shows all")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEdit:
    """Quarter-hours [start, end) [Unix seconds] to set or clear.

    ``register`` None: the meter's main one at ``start_at``. ``energy`` [Wh, litre] of the whole
    span; None clears.
    """

    meter_id: str
    start_at: int
    end_at: int
    energy: int | None
    reason: str
    register: Register | None = None


def edit_quarters(store: Store, site: int, wanted: WantedEdit, account: str, now_us: int) -> Edit:
    """Set or clear quarter-hours of a meter, and record who did and why.

    Raises `CannotChange`, `UnknownMeter`, and the errors of a store.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        meter = catalogue.meter_by_id.get(wanted.meter_id)
        if meter is None:
            raise UnknownMeter(wanted.meter_id)
        register = wanted.register or _main_register(meter, wanted.start_at)
        _check_span(wanted, meter, now_us // 1_000_000)
        _check_energy(wanted, meter, register)
        edit = Edit(
            number=_next_number(change, site),
            meter=meter.number,
            register=register,
            start_at=wanted.start_at,
            end_at=wanted.end_at,
            energy=wanted.energy,
            reason=wanted.reason,
            account=account,
            made_us=now_us,
        )
        meters = catalogue.meters_of(meter.medium.group)
        before = days_with_data(change, meters, site)
        generation = change.catalogue.next_generation(site)
        change.edits.add_edit(site, edit, generation)
        _mark(change, catalogue, meter, edit, before, generation)
        at = now_us // 1_000_000
        change.audit(at, account, site, "edit quarters", str(edit.number), wanted.reason)
        return edit


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAcceptance:
    """Quarter-hours [start, end) [Unix seconds] of a meter to accept as they are."""

    meter_id: str
    start_at: int
    end_at: int
    reason: str


def accept_quarters(
    store: Store, site: int, wanted: WantedAcceptance, account: str, now_us: int
) -> Edit:
    """Accept what is estimated or implausible of quarter-hours, and record who did and why.

    No quarter-hour changes; the worklist does not ask for them any more. Raises `CannotChange`,
    `UnknownMeter`, and the errors of a store.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        meter = catalogue.meter_by_id.get(wanted.meter_id)
        if meter is None:
            raise UnknownMeter(wanted.meter_id)
        _check_span(wanted, meter, now_us // 1_000_000)
        edit = Edit(
            number=_next_number(change, site),
            meter=meter.number,
            register=_main_register(meter, wanted.start_at),
            start_at=wanted.start_at,
            end_at=wanted.end_at,
            energy=None,
            reason=wanted.reason,
            account=account,
            made_us=now_us,
            accepts=True,
        )
        change.edits.add_edit(site, edit, change.catalogue.next_generation(site))
        at = now_us // 1_000_000
        change.audit(at, account, site, "accept quarters", str(edit.number), wanted.reason)
        return edit


def _next_number(change: Change, site: int) -> int:
    return max((each.number for each in change.edits.edits(site)), default=0) + 1


def undo_edit(store: Store, site: int, number: int, account: str, now_us: int) -> Edit:
    """Undo an edit: it no longer counts; record who undid it.

    Raises `UnknownEdit`, `NothingToChange`, and the errors of a store.
    """
    with store.change(site) as change:
        found = [each for each in change.edits.edits(site) if each.number == number]
        if not found:
            raise UnknownEdit(number)
        (edit,) = found
        if edit.undone_us is not None:
            raise NothingToChange(f"edit {number} is undone already")
        change.edits.set_undone(site, number, now_us, account)
        if edit.delivery is None:
            if not edit.accepts:
                _mark_undone(change, site, edit)
        else:
            delivery = required_delivery(change, site, edit.delivery)
            set_aside_delivery(change, site, delivery, now_us, f"edit {number} undone", account)
        change.audit(now_us // 1_000_000, account, site, "undo edit", str(number), "")
        return replace(edit, undone_us=now_us, undone_by=account)


def _mark_undone(change: Change, site: int, edit: Edit) -> None:
    catalogue = change.catalogue.catalogue(site)
    meter = next(each for each in catalogue.meters if each.number == edit.meter)
    whole = days_with_data(change, catalogue.meters_of(meter.medium.group), site)
    _mark(change, catalogue, meter, edit, whole, change.catalogue.next_generation(site))


def _main_register(meter: Meter, instant_at: int) -> Register:
    registers = REGISTERS_OF[meter.medium]
    return registers[-1] if meter.facts_at(instant_at).main_is_export else registers[0]


def _check_span(wanted: WantedEdit | WantedAcceptance, meter: Meter, now_at: int) -> None:
    for name, at in (("start", wanted.start_at), ("end", wanted.end_at)):
        if at % QUARTER_S:
            raise CannotChange(
                name, f"{name} must lie on a quarter-hour, such as 12:00, 12:15, 12:30 or 12:45"
            )
    if wanted.end_at <= wanted.start_at:
        raise CannotChange("end", "end must lie after start")
    if wanted.end_at - wanted.start_at > LONGEST_EDIT_DAYS * DAY_S:
        raise CannotChange("end", f"one edit reaches over {LONGEST_EDIT_DAYS} days at most")
    if wanted.end_at > now_at:
        raise CannotChange("end", "end lies in the future")
    life = (meter.installed_at, meter.removed_at)
    if life[0] is not None and wanted.start_at < quarter_of(life[0]) * QUARTER_S:
        raise CannotChange("start", f"{meter_label(meter)} is not installed yet at start")
    if life[1] is not None and wanted.end_at > first_quarter_from(life[1]) * QUARTER_S:
        raise CannotChange("end", f"{meter_label(meter)} is removed before end")


def _check_energy(wanted: WantedEdit, meter: Meter, register: Register) -> None:
    registers = REGISTERS_OF[meter.medium]
    if register not in registers:
        raise CannotChange("register", f"{meter_label(meter)} has {', '.join(registers)}")
    if wanted.energy is None:
        return
    if wanted.energy < 0 and not meter.is_rule_meter:
        raise CannotChange("energy", "energy must not be negative; only a rule meter's may be")
    if abs(wanted.energy) > ENERGY_MAX * ((wanted.end_at - wanted.start_at) // QUARTER_S):
        raise CannotChange("energy", "energy is more than these quarter-hours can hold")


def _mark(
    change: Change,
    catalogue: SiteCatalogue,
    meter: Meter,
    edit: Edit,
    whole_before: tuple[int, int] | None,
    generation: int,
) -> None:
    """Mark the days of an edit, and those that the group has results of only since there is one."""
    site, group = catalogue.site.number, meter.medium.group
    first, end = day_of(edit.start_at), day_of(edit.end_at - 1) + 1
    whole = days_with_data(change, catalogue.meters_of(group), site) or (first, end)
    spans = [(first, end)]
    if whole_before is None:
        spans.append(whole)
    else:
        spans += [(whole[0], whole_before[0]), (whole_before[1], whole[1])]
    change.results.mark_dirty(site, group, spans, generation)
