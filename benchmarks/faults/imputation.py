"""How others fill a gap: linearly, by neighbour days, by copying the most alike day (CPI).

Each method gets the energies of a year [mWh], which of them are known, and one gap, and returns how
much of the gap's energy lies in each of its quarter-hours; all of them are told that energy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.site.shapes import FIRST_QUARTER, ZONE, Column
from commonwatt.demo.simulated.profiles import Calendar
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS

Weights = NDArray[np.float64]
_WEEK = 7 * DAY_QUARTERS
_WEEKEND = 5
_HALF_YEAR = 182


@dataclass(frozen=True)
class GapToFill:
    """A gap [start, end) by position in a year whose other gaps are unknown too (``known``)."""

    energy: Column
    known: NDArray[np.bool_]
    start: int
    end: int

    @property
    def gap_energy(self) -> int:
        """What the register tells: the energy of the whole gap [mWh]."""
        return int(self.energy[self.start : self.end].sum())

    @cached_property
    def clock(self) -> "LocalDays":
        """The local days of the year."""
        return LocalDays.of(len(self.energy))


@dataclass(frozen=True)
class LocalDays:
    """For each quarter-hour its local ``day`` (counted from the first) and ``slot`` of the day."""

    day: NDArray[np.int64]
    slot: NDArray[np.int64]
    first_weekday: int

    @classmethod
    def of(cls, length: int) -> "LocalDays":
        """The local days of the first quarter-hours of the year."""
        calendar = Calendar.of(ZONE, FIRST_QUARTER, FIRST_QUARTER + length)
        begins = np.flatnonzero(np.diff(calendar.slot, prepend=DAY_QUARTERS) < 0)
        day = np.searchsorted(begins, np.arange(length), side="right") - 1
        return cls(day, calendar.slot, int(calendar.weekday[0]))

    def weekday(self, day: NDArray[np.int64]) -> NDArray[np.int64]:
        """The weekday of days, Monday is 0."""
        return (self.first_weekday + day) % 7


def linear(gap: GapToFill) -> Weights:
    """The same in every quarter-hour."""
    return np.ones(gap.end - gap.start)


def neighbour_days(gap: GapToFill) -> Weights:
    """The mean of the same weekdays before and after the gap, as near as they are outside it."""
    length = gap.end - gap.start
    shift = -(-length // _WEEK) * _WEEK
    found, count = np.zeros(length), np.zeros(length)
    for by in (-shift, shift):
        positions = np.arange(gap.start, gap.end) + by
        usable = (positions >= 0) & (positions < len(gap.energy))
        usable[usable] = gap.known[positions[usable]]
        found[usable] += gap.energy[positions[usable]]
        count += usable
    return np.where(count > 0, found / np.maximum(count, 1), np.nan)


def copy_paste(gap: GapToFill) -> Weights:
    """Copy, day by day, the most alike complete day (CPI).

    After M. Weber and others, Data-Driven Copy-Paste Imputation for Energy Time Series, IEEE
    Transactions on Smart Grid 12 (2021) 5409-5419: the gap's energy is dealt out to its days by the
    weekly pattern; days are alike by weekday, by season and by energy, weighted 1, 5 and 10. The
    pattern is here the mean of the complete days of each weekday.
    """
    clock, days = gap.clock, int(gap.clock.day[-1]) + 1
    known = np.where(gap.known, gap.energy, 0)
    energy_of: Weights = np.bincount(clock.day, known, minlength=days).astype(np.float64)
    lacking = np.bincount(clock.day, ~gap.known, minlength=days)
    complete = np.flatnonzero((lacking == 0) & (np.bincount(clock.day, minlength=days) > 90))
    expected = _dealt_out(gap, energy_of, complete)
    weights = np.full(gap.end - gap.start, np.nan)
    here = slice(gap.start, gap.end)
    for day, energy in expected.items():
        best = complete[np.argmin(_unlikeness(clock, complete, energy_of[complete], day, energy))]
        pattern = np.full(DAY_QUARTERS, np.nan)
        pattern[clock.slot[clock.day == best]] = gap.energy[clock.day == best]
        of_day = clock.day[here] == day
        weights[of_day] = pattern[clock.slot[here][of_day]]
    return weights


def _dealt_out(
    gap: GapToFill, energy_of: Weights, complete: NDArray[np.int64]
) -> Mapping[int, float]:
    """Guess the energy of each day of the gap [mWh], what is known of it included."""
    clock = gap.clock
    weekdays = clock.weekday(complete)
    means = np.array([energy_of[complete][weekdays == each].mean() for each in range(7)])
    met, quarters = np.unique(clock.day[gap.start : gap.end], return_counts=True)
    pattern = means[clock.weekday(met)] - means.mean()
    pattern -= pattern.mean()
    guessed = energy_of[met] + gap.gap_energy * quarters / quarters.sum() + pattern
    return dict(zip(met.tolist(), guessed.tolist(), strict=True))


def _unlikeness(
    clock: LocalDays, days: NDArray[np.int64], energies: Weights, day: int, energy: float
) -> Weights:
    weekdays, weekday = clock.weekday(days), (clock.first_weekday + day) % 7
    same_part = (weekdays >= _WEEKEND) == (weekday >= _WEEKEND)
    by_weekday = np.where(weekdays == weekday, 0, np.where(same_part, 0.5, 1))
    apart = np.abs(days - day)
    by_season = np.where(apart > _HALF_YEAR, 365 - apart, apart) / _HALF_YEAR
    by_energy = np.abs(energies - energy) / max(float(np.ptp(energies)), 1.0)
    unlikeness: Weights = by_weekday + 5 * by_season + 10 * by_energy
    return unlikeness


METHODS: Mapping[str, Callable[[GapToFill], Weights]] = {
    "linear": linear,
    "neighbour days": neighbour_days,
    "copy-paste (CPI)": copy_paste,
}


def filled(gap: GapToFill, method: Callable[[GapToFill], Weights]) -> Weights:
    """Return the gap's energy per quarter-hour [mWh]; what a method does not say is its mean."""
    weights = method(gap)
    said = weights[np.isfinite(weights)]
    weights = np.where(np.isfinite(weights), weights, said.mean() if len(said) else 1.0)
    if weights.sum() <= 0:
        weights = np.ones(len(weights))
    energy: Weights = weights * (gap.gap_energy / weights.sum())
    return energy
