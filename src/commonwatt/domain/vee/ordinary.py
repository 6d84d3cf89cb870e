"""The highest powers of a register's days: what is ordinary for it, learned from all of them.

Looked at is what was said, before it is judged: what counts and has a usable stamp. So the days are
the same in whatever order readings come.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.readings import MetersReadings, RegisterReadings
from commonwatt.domain.vee.history import usable

FINE = 1_000
"""Powers are in thousandths of a raw unit [mWh, ml] per second, to be whole."""
RANK = 3
"""Ordinary is what `RANK` days reached: a fault or two do not make it."""
_KEPT = 8


@dataclass(frozen=True, slots=True)
class HighestDays:
    """The UTC days with the highest powers of a register, highest first.

    ``days`` has (highest power, day); every other day reached ``floor`` at most.
    """

    days: tuple[tuple[int, int], ...] = ()
    floor: int = 0

    @property
    def ordinary(self) -> int | None:
        """A power of two [thousandths of a raw unit per second] above what `RANK` days reached.

        None as long as there are not so many with any energy.
        """
        return 1 << self.days[RANK - 1][0].bit_length() if len(self.days) >= RANK else None

    @property
    def telling(self) -> tuple[int, ...]:
        """The days on which anything can be above what is ordinary."""
        return tuple(day for _, day in self.days[:RANK])

    def with_days(self, powers: Mapping[int, int]) -> "HighestDays | None":
        """Return the days once some of them reached other powers; None: all have to be looked at.

        ``powers`` by day, 0 of a day without any.
        """
        is_high = max(powers.values(), default=0) > self.floor
        if (
            len(self.days) >= RANK
            and not is_high
            and not any(day in powers for _, day in self.days)
        ):
            return self
        days = [each for each in self.days if each[1] not in powers]
        days += [(power, day) for day, power in powers.items() if power > self.floor]
        days.sort(key=lambda each: (-each[0], each[1]))
        floor = max([self.floor, *(power for power, _ in days[_KEPT:])])
        if len(days) < RANK and floor:
            return None
        return HighestDays(tuple(days[:_KEPT]), floor)


def highest_powers(readings: RegisterReadings, interval_s: int | None) -> dict[int, int]:
    """Return by UTC day the highest power of the spans that end in it, of one meter."""
    positions = np.flatnonzero(usable(readings))
    meters = np.zeros(len(positions), np.int64)
    of_one = MetersReadings(meters, readings.stamps[positions], readings.values[positions])
    return powers_by_meter(of_one, {0: interval_s}).get(0, {})


def powers_by_meter(
    readings: MetersReadings, intervals: Mapping[int, int | None]
) -> dict[int, dict[int, int]]:
    """Return by meter and UTC day the highest power of the spans that end in it.

    A span is from one reading to the next, a day apart at most; of an interval meter (its seconds
    in ``intervals``) an interval. One shorter than a quarter-hour is taken for one.
    """
    if not len(readings.stamps):
        return {}
    numbers, of_row = np.unique(readings.meters, return_inverse=True)
    interval_s = np.array([intervals[n] or 0 for n in numbers.tolist()], np.int64)[of_row]
    of_interval = interval_s > 0
    seconds = np.diff(readings.stamps, prepend=readings.stamps[:1])
    rises = np.diff(readings.values, prepend=readings.values[:1])
    positions = np.flatnonzero(of_interval | (readings.follows & (seconds <= DAY_S)))
    if not len(positions):
        return {}
    energy = np.where(of_interval, readings.values, np.maximum(rises, 0))[positions]
    length_s = np.where(of_interval, interval_s, np.maximum(seconds, QUARTER_S))[positions]
    powers = energy * FINE // length_s
    meters, days = readings.meters[positions], readings.stamps[positions] // DAY_S
    begins = np.ones(len(positions), np.bool_)
    begins[1:] = (meters[1:] != meters[:-1]) | (days[1:] != days[:-1])
    starts = np.flatnonzero(begins)
    highest = np.maximum.reduceat(powers, starts)
    found: dict[int, dict[int, int]] = {}
    for meter, day, power in zip(
        meters[starts].tolist(), days[starts].tolist(), highest.tolist(), strict=True
    ):
        found.setdefault(meter, {})[day] = power
    return found
