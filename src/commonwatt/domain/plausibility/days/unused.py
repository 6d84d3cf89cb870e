"""Rule ``readings-unused``: much of what a meter counted on a day rests on readings set aside.

A reading that is set aside takes its part in the energy with it, and where sender and register say
different things the rest is a guess. A rare zero or a single spike costs nothing; what costs more
than a small share of the day's energy is asked, and the quarter-hours that it touches are at best
estimated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.physical_meter import Judged, JudgedMeter
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S
from commonwatt.domain.plausibility.days.whole_days import WholeDays
from commonwatt.domain.plausibility.steps.counted import energy_of
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.vee.history import STAMP_TOLERANCE_S

LEAST_READINGS = 3
"""Fewer of a day are ordinary: a zero, a spike."""
_SET_ASIDE = frozenset(
    {
        FindingRule.ZERO_AFTER_POSITIVE,
        FindingRule.INDEX_OUT_OF_ORDER,
        FindingRule.STAMP_OFF_INTERVAL,
        FindingRule.INTERVAL_OVERLAP,
    }
)
"""What validation sets aside by itself within what was read; what somebody declared is decided."""


@dataclass(frozen=True, slots=True)
class _Unused:
    """Readings of a raw register that are not used, ascending: stamps [Unix seconds].

    ``values`` [mWh, ml]; ``aside``: it was set aside, else it contradicts others of its delivery.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.int64]
    aside: NDArray[np.bool_]

    def within(self, start_at: int, end_at: int) -> "_Unused":
        """Those of [start, end)."""
        first, end = np.searchsorted(self.stamps, (start_at, end_at)).tolist()
        return _Unused(self.stamps[first:end], self.values[first:end], self.aside[first:end])


def with_unused_doubted(
    judged: JudgedMeter, energy: MeterEnergy, first_quarter: int
) -> tuple[MeterEnergy, list[Finding]]:
    """Return the energy of a meter from a quarter-hour on, with what rests on unused readings.

    Of each whole UTC day: where the energy at stake is beyond the medium's share of the day's,
    there is a finding, and the quarter-hours touched are at best ESTIMATED. One is touched if it
    lies between the used readings around an unused one of that day, or in its interval. At stake is
    what was counted in them, and what the readings set aside would have counted: their own rises
    where no used one stands between, or their intervals.
    """
    unused = {
        register: found
        for register, readings in judged.registers.items()
        if (found := _unused_of(judged, register, readings)) is not None
    }
    if not unused:
        return energy, []
    meter, findings = judged.meter, list[Finding]()
    names = REGISTERS_OF[meter.medium]
    sides = [energy.im, energy.ex] if len(names) > 1 else [energy.im]
    days = WholeDays.within(first_quarter, first_quarter + len(energy.alive))
    for position, (name, side) in enumerate(zip(names, sides, strict=True)):
        if side is not None:
            sides[position] = _doubted(judged, name, side, unused, days, findings)
    return MeterEnergy(
        sides[0], sides[-1] if len(names) > 1 else energy.ex, energy.alive, energy.method
    ), findings


def _unused_of(judged: JudgedMeter, register: Register, readings: Judged) -> _Unused | None:
    """The unused readings of a raw register, None of fewer than would be told."""
    aside = [each for each in readings.findings if each.rule in _SET_ASIDE]
    contradicting = [
        each
        for each in judged.conflicts
        if each.rule is FindingRule.DUPLICATE_READING
        and each.register == register
        and each.evidence["in_one_delivery"]
    ]
    found = [*aside, *contradicting]
    if len(found) < LEAST_READINGS:
        return None
    stamps = np.array([each.start_at for each in found], np.int64)
    if judged.meter.interval_s is not None:
        stamps = _snapped(stamps)
    values = np.array([each.evidence.get("index", 0) for each in found], np.int64)
    is_aside = np.arange(len(found)) < len(aside)
    order = np.argsort(stamps, kind="stable")
    return _Unused(stamps[order], values[order], is_aside[order])


def _snapped(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take stamps that are taken for a quarter-hour boundary for it."""
    boundary_at = (stamps + STAMP_TOLERANCE_S) // QUARTER_S * QUARTER_S
    return np.where(np.abs(stamps - boundary_at) <= STAMP_TOLERANCE_S, boundary_at, stamps)


def _doubted(
    judged: JudgedMeter,
    name: Register,
    side: RegisterEnergy,
    unused: dict[Register, _Unused],
    days: WholeDays,
    findings: list[Finding],
) -> RegisterEnergy:
    """Doubt the days of a register of the profile; the raw one is that wired at their start."""
    meter, quality = judged.meter, side.quality
    limits = LIMITS[meter.medium]
    # The interval that ends at midnight is of the day before.
    late_s = 0 if meter.interval_s is None else 1
    for day_at in _days_with_several(unused, days, late_s):
        facts = meter.facts_at(day_at)
        raw = facts.raw_register(name)
        if raw not in unused:
            continue
        found = unused[raw].within(day_at + late_s, day_at + DAY_S + late_s)
        base = day_at // QUARTER_S - days.first_quarter
        section = slice(base, base + DAY_QUARTERS)
        there = exists(quality[section])
        # Of a day without any energy, as of a disabled meter, nothing rests on them.
        if len(found.stamps) < LEAST_READINGS or not there.any():
            continue
        touched = _touched(meter, judged.registers[raw], found, day_at) & there
        counted = np.abs(side.energy[section])
        said = energy_of(_said(meter, judged.registers[raw], found), facts.factor)
        at_stake = int(counted[touched].sum()) + said
        of_day = int(counted.sum()) + said
        if at_stake < limits.unused_least or 100 * at_stake <= limits.unused_percent * of_day:
            continue
        if quality is side.quality:
            quality = quality.copy()
        quality[section][touched] = np.minimum(
            quality[section][touched], np.uint8(Quality.ESTIMATED)
        )
        evidence = {"readings": len(found.stamps), "energy": at_stake}
        rule = FindingRule.READINGS_UNUSED
        findings.append(Finding(rule, meter.number, raw.value, day_at, day_at + DAY_S, evidence))
    return RegisterEnergy(side.energy, quality)


def _days_with_several(
    unused: dict[Register, _Unused], days: WholeDays, late_s: int
) -> Iterator[int]:
    """The starts of the whole days with as many unused readings of a register as are told."""
    found: set[int] = set()
    for each in unused.values():
        numbers, counts = np.unique((each.stamps - late_s) // DAY_S, return_counts=True)
        found.update(numbers[counts >= LEAST_READINGS].tolist())
    yield from (day * DAY_S for day in sorted(found) if days.first_day <= day < days.end_day)


def _touched(meter: Meter, readings: Judged, unused: _Unused, day_at: int) -> NDArray[np.bool_]:
    """Mark the quarter-hours of a day that rest on unused readings of it."""
    if meter.interval_s is None:
        begins_at, ends_at = _around(readings.accepted_stamps, unused.stamps)
    else:
        begins_at, ends_at = unused.stamps - meter.interval_s, unused.stamps
    first = np.clip((begins_at - day_at) // QUARTER_S, 0, DAY_QUARTERS)
    end = np.clip(-((day_at - ends_at) // QUARTER_S), 0, DAY_QUARTERS)
    edges = np.zeros(DAY_QUARTERS + 1, np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, np.maximum(first, end), -1)
    marked: NDArray[np.bool_] = np.cumsum(edges)[:-1] > 0
    return marked


def _around(
    used: NDArray[np.int64], stamps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The used readings before and after each stamp, the stamp itself where there is none."""
    before = np.searchsorted(used, stamps) - 1
    after = np.searchsorted(used, stamps, side="right")
    begins_at = np.where(before >= 0, used[np.maximum(before, 0)], stamps)
    ends_at = np.where(after < len(used), used[np.minimum(after, len(used) - 1)], stamps)
    return begins_at, ends_at


def _said(meter: Meter, readings: Judged, unused: _Unused) -> int:
    """What the readings that were set aside would have counted [mWh, ml]."""
    values, stamps = unused.values[unused.aside], unused.stamps[unused.aside]
    if meter.interval_s is not None:
        return int(values.sum())
    between = np.searchsorted(readings.accepted_stamps, stamps)
    rises = np.where(between[1:] == between[:-1], values[1:] - values[:-1], 0)
    return int(np.maximum(rises, 0).sum())
