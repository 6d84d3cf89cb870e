"""Holding back readings that as a whole cannot be what their meter is declared as.

What is held back is a function of all readings of the meter and of what is declared of it, so the
order in which they came does not matter. It is kept with the meter, as what is declared is: a
change of it is one of the catalogue, marks the days that it touches, and is known as of then.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from commonwatt.app.declaring.apply import store_plan
from commonwatt.app.declaring.describe import meter_lines
from commonwatt.app.declaring.meters import MeterChange
from commonwatt.app.declaring.plan import SitePlan
from commonwatt.app.ports import Change, RegisterSpan
from commonwatt.app.readings.in_sight import ReadingsInSight
from commonwatt.app.settling.rejudge import rejudged
from commonwatt.domain.metering.catalogue import (
    AcceptedSpan,
    HeldSpan,
    Looks,
    Meter,
    SiteCatalogue,
)
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.metering.readings import RegisterReadings, StoredReadings, effective_readings
from commonwatt.domain.plausibility.meters.character import (
    IndexSpans,
    Shown,
    day_codes,
    falls_often,
    may_show_other,
)
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits
from commonwatt.domain.plausibility.meters.several_series import days_of_several
from commonwatt.domain.vee.history import placed, usable

_ACTION = "hold readings back"


def hold_back(
    change: Change, site: int, numbers: Collection[int], account: str, now_us: int
) -> None:
    """Judge all readings of some meters, and store what is to be held back of them."""
    if not numbers:
        return
    catalogue = change.catalogue.catalogue(site)
    judged = [
        (meter, rejudged(change.readings, catalogue, meter))
        for meter in catalogue.meters
        if meter.number in numbers
    ]
    store_held(change, catalogue, [pair for pair in judged if pair[0] != pair[1]], account, now_us)


def store_held(
    change: Change,
    catalogue: SiteCatalogue,
    changed: Iterable[tuple[Meter, Meter]],
    account: str,
    now_us: int,
    action: str = _ACTION,
    reason: str = "",
) -> None:
    """Store meters of which other readings are held back than before, and mark what it touches."""
    now_at = now_us // 1_000_000
    changes = [MeterChange(0, before, after, now_at) for before, after in changed]
    if not changes:
        return
    by_number = {each.after.number: each.after for each in changes}
    meters = tuple(by_number.get(meter.number, meter) for meter in catalogue.meters)
    plan = SitePlan(
        catalogue=replace(catalogue, meters=meters),
        meters=changes,
        sensors=[],
        site_facts_from_at=now_at,
        lines=[line for each in changes for line in meter_lines(each, catalogue.site.timezone)],
    )
    store_plan(change, catalogue, plan, account, now_at, action, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Readings that are added to a meter, and what was said on the days around them.

    ``spans`` are what was ever said of its registers before, ``stored`` what was said on the days
    [first_day, end_day), and ``added_days`` the first and the last day of all that is added.
    """

    meter: Meter
    spans: Mapping[str, RegisterSpan]
    added_days: tuple[int, int]
    stored: StoredReadings | None
    added: StoredReadings
    first_day: int
    end_day: int

    @property
    def said_on(self) -> list[int]:
        """The UTC days, ascending, on which something is added here."""
        days: list[int] = np.unique(self.added.stamps // DAY_S).tolist()
        return days

    @property
    def comes_last(self) -> bool:
        """Whether the added ones come after all others."""
        last_day = max((span.last_day for span in self.spans.values()), default=0)
        stored, from_at = self.stored, int(self.added.stamps.min())
        if stored is not None and len(stored.stamps) and int(stored.stamps.max()) >= from_at:
            return False
        return from_at // DAY_S >= last_day

    def neighbours_in_sight(self, first_at: int, last_at: int) -> bool:
        """Whether the readings next to the added ones are in sight, or there are none.

        ``first_at`` and ``last_at`` [Unix seconds] are the first and the last in sight.
        """
        first_day = min([self.added_days[0], *(span.first_day for span in self.spans.values())])
        last_day = max([self.added_days[1], *(span.last_day for span in self.spans.values())])
        before = first_day >= self.first_day or first_at < int(self.added.stamps.min())
        after = last_day < self.end_day or last_at > int(self.added.stamps.max())
        return before and after


def certainly_as_before(
    catalogue: SiteCatalogue,
    besides: Iterable[Beside],
    in_sight: ReadingsInSight,
    withdrawn: frozenset[int],
) -> set[int]:
    """Return the meters of which nothing else is held back once readings are added.

    Each has one run of days. `may_change` says the same of them; these are told together.
    """
    plain = {
        each.meter.number: each
        for each in besides
        if not (each.meter.held or each.meter.accepted) and each.meter.interval_s is None
    }
    if not plain:
        return set()
    limits = PowerLimits.least_of(catalogue, in_sight.meters)
    other = set[int]().union(
        *(may_show_other(readings, limits) for readings in in_sight.registers.values())
    )
    return {
        number
        for number, beside in plain.items()
        if number not in other
        and (number in in_sight.said_once or not _are_several(beside, withdrawn))
        and (bounds := in_sight.bounds[number])
        and all(beside.neighbours_in_sight(*of_register) for of_register in bounds)
    }


def may_change(catalogue: SiteCatalogue, beside: Beside, withdrawn: frozenset[int]) -> bool:
    """Whether added readings may change what is held back of a meter; False is certain.

    Told by the days around them, so that what comes in need not be judged with all of its history.
    """
    meter = beside.meter
    added_at = placed(beside.added.stamps, meter)
    first_day, last_day = int(added_at.min()) // DAY_S, int(added_at.max()) // DAY_S
    inside = (meter.held or meter.accepted) and not beside.comes_last
    if inside or _ends_by(meter, first_day) or _are_several(beside, withdrawn):
        return True
    parts = [part for part in (beside.stored, beside.added) if part is not None]
    said = StoredReadings.joined(parts)
    limits = PowerLimits.of(catalogue, meter)
    registers = {name: _usable(effective_readings(said, name, withdrawn)) for name in said.values}
    indexes = [each for each in registers.values() if meter.interval_s is None]
    filled = [each for each in indexes if len(each.stamps)]
    opened = _open_span(meter)
    if opened is None and filled and not any(falls_often(each) for each in filled):
        return any(_may_be_other_unit(each, limits, beside) for each in filled)
    found = day_codes(meter, limits, registers)
    mask = (found.days >= first_day) & (found.days <= last_day)
    shown = Shown.by(found.codes[mask])
    other_unit = any(_may_be_other_unit(each, limits, beside) for each in filled)
    if opened is None or not (opened.from_at is None or opened.from_at <= added_at.min()):
        return shown.other is not None or other_unit
    by_unit = meter.interval_s is None and opened.looks is Looks.UNIT
    if isinstance(opened, AcceptedSpan) and (
        shown.other not in (None, opened.looks) or (other_unit and not by_unit)
    ):
        # What is accepted has no end, though what it was accepted for may have ended long ago.
        return True
    if by_unit:
        seen_anew = isinstance(opened, HeldSpan) and day_of(opened.seen_at) >= first_day
        is_cut = any(_is_cut(each, limits, beside) for each in filled)
        return seen_anew or shown.other is not None or is_cut
    before = _shown_before(limits, beside, withdrawn, first_day, last_day)
    less = before.other is opened.looks and shown.other is not opened.looks
    return less or shown.good or shown.outranks(opened.looks)


def _are_several(beside: Beside, withdrawn: frozenset[int]) -> bool:
    """Whether deliveries tell several series of a day in sight, or did without what is added."""
    stored, added = beside.stored, beside.added
    if stored is None or not len(stored.stamps):
        return False
    meter = beside.meter
    first_day = int(placed(added.stamps, meter).min()) // DAY_S
    nearby = stored.take(np.flatnonzero(placed(stored.stamps, meter) // DAY_S >= first_day))
    if len(days_of_several(meter, nearby, withdrawn)):
        return True
    if not np.isin(added.stamps, nearby.stamps).any():
        return False
    said = StoredReadings.joined([nearby, added])
    return bool(len(days_of_several(meter, said, withdrawn)))


def _shown_before(
    limits: PowerLimits,
    beside: Beside,
    withdrawn: frozenset[int],
    first_day: int,
    last_day: int,
) -> Shown:
    """What the days of the added readings showed without these."""
    stored = beside.stored
    registers = (
        {}
        if stored is None
        else {name: _usable(effective_readings(stored, name, withdrawn)) for name in stored.values}
    )
    found = day_codes(beside.meter, limits, registers)
    return Shown.by(found.codes[(found.days >= first_day) & (found.days <= last_day)])


def _usable(readings: RegisterReadings) -> RegisterReadings:
    marked = usable(readings)
    return readings if marked.all() else readings.take(np.flatnonzero(marked))


def _open_span(meter: Meter) -> HeldSpan | AcceptedSpan | None:
    """What is held or accepted from an instant on without an end."""
    spans: tuple[HeldSpan | AcceptedSpan, ...] = (*meter.held, *meter.accepted)
    return next((each for each in spans if each.until_at is None), None)


def _ends_by(meter: Meter, day: int) -> bool:
    """Whether something held or accepted ends by a day or a later one, which may show less now."""
    spans: tuple[HeldSpan | AcceptedSpan, ...] = (*meter.held, *meter.accepted)
    return any(each.until_at is not None and each.until_at >= day * DAY_S for each in spans)


def _is_cut(readings: RegisterReadings, limits: PowerLimits, beside: Beside) -> bool:
    """Whether a register may count anew at one of the added readings or after them."""
    if not beside.neighbours_in_sight(int(readings.stamps[0]), int(readings.stamps[-1])):
        return True
    counted = IndexSpans.of(readings, limits)
    return bool(counted.cut[counted.stamps[1:] >= beside.added.stamps.min()].any())


def _may_be_other_unit(readings: RegisterReadings, limits: PowerLimits, beside: Beside) -> bool:
    """Whether a register rises by more than can flow on the days added to, or after them."""
    if not beside.neighbours_in_sight(int(readings.stamps[0]), int(readings.stamps[-1])):
        return True
    counted = IndexSpans.of(readings, limits)
    from_at = day_of(int(beside.added.stamps.min())) * DAY_S
    return bool(counted.suspicious[counted.stamps[1:] >= from_at].any())
