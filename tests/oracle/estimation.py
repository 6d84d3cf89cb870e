"""How a long gap's energy is spread: by what comparable quarter-hours around it counted."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.oracle.facts import (
    INTERPOLATED,
    MEASURED,
    QUARTER_S,
    RegisterQuarter,
    ceil_quarter,
    floor_quarter,
)
from tests.oracle.seams import Run
from tests.oracle.versions import Reading

ZONE = ZoneInfo("Europe/Zurich")
DONOR_S = 35 * 86_400
MOST_OF_MEAN = 10
WEIGHTS_BELOW = 2**27
INT32_MAX = 2**31 - 1

Quarter = Callable[[int], RegisterQuarter]
"""A register in the quarter-hour that begins at an instant, gaps interpolated linearly.

INTERPOLATED means between readings at most 65 minutes apart, or in an interval of an hour.
"""
Donors = Mapping[int, Sequence[tuple[int, int]]]
"""Weekday and energy [Wh] of measured quarter-hours, by the quarter of the local day.

Of a quarter of the day in which only hours were measured, the quarters of those.
"""


def local(start: int) -> tuple[int, int]:
    """The weekday (Monday 0) and quarter of the day on the clock of the site."""
    wall = datetime.fromtimestamp(start, UTC).astimezone(ZONE)
    return wall.weekday(), wall.hour * 4 + wall.minute // 15


def donors(quarter: Quarter, *spans: tuple[int, int]) -> Donors:
    """What was measured wholly within the spans [first, last], by quarter of the day."""
    found: dict[int, dict[int, list[tuple[int, int]]]] = {
        quality: defaultdict(list) for quality in (INTERPOLATED, MEASURED)
    }
    for first, last in spans:
        for start in range(ceil_quarter(first), floor_quarter(last), QUARTER_S):
            part = quarter(start)
            if part.quality in found and part.energy_wh is not None:
                weekday, position = local(start)
                if part.energy_wh <= INT32_MAX:
                    found[part.quality][position].append((weekday, max(0, part.energy_wh)))
    return {**found[INTERPOLATED], **found[MEASURED]}


def likeness(weekday: int, other: int) -> int:
    """How often a donor of another weekday counts."""
    if weekday == other:
        return 32
    return 16 if weekday < 5 and other < 5 else 1


def comparable(measured: Donors, start: int) -> int | None:
    """The mean of what compares with a quarter-hour, in whole mWh; None without any."""
    weekday, position = local(start)
    counts = [(likeness(weekday, other), wh) for other, wh in measured.get(position, ())]
    if not counts:
        return None
    return sum(count * wh for count, wh in counts) * 1000 // sum(count for count, _ in counts)


def weights(
    before: Reading, after: Reading, factor: Fraction, measured: Donors
) -> dict[int, int] | None:
    """What each quarter-hour that the gap meets weighs, by its start; None without a shape."""
    starts = range(floor_quarter(before.stamp), ceil_quarter(after.stamp), QUARTER_S)
    means = {start: comparable(measured, start) for start in starts}
    parts = {
        start: min(start + QUARTER_S, after.stamp) - max(start, before.stamp) for start in starts
    }
    shaped = {s: mean * parts[s] // QUARTER_S for s, mean in means.items() if mean is not None}
    total = sum(shaped.values())
    if len(shaped) < len(means) or not total:
        return None
    energy = min(2**60, ((after.value - before.value) * factor).__floor__())
    beyond = energy - MOST_OF_MEAN * total
    if beyond > 0:
        gap_s = after.stamp - before.stamp
        shaped = {
            s: MOST_OF_MEAN * weight
            + beyond // gap_s * parts[s]
            + beyond % gap_s * parts[s] // gap_s
            for s, weight in shaped.items()
        }
    halved = 0
    while sum(shaped.values()) >> halved >= WEIGHTS_BELOW:
        halved += 1
    return {start: weight >> halved for start, weight in shaped.items()}


class Shapes:
    """The weights of the gaps of one register, each worked out once."""

    def __init__(
        self, quarter: Quarter, factor_at: Callable[[int], Fraction], runs: Sequence[Run]
    ) -> None:
        self._quarter = quarter
        self._factor_at = factor_at
        self._stamps = [reading.stamp for run in runs for reading in run.readings]
        self._known: dict[int, dict[int, int] | None] = {}

    def part(self, run: Run, before: Reading, after: Reading, at: int) -> Fraction | None:
        """The part of a gap's energy counted until a boundary within it; None without a shape."""
        if before.stamp not in self._known:
            # Nothing is measured beyond the quarter-hours of the first and the last reading.
            first = max(before.stamp - DONOR_S, floor_quarter(self._stamps[0]))
            last = min(after.stamp + DONOR_S, ceil_quarter(self._stamps[-1]))
            spans = (first, before.stamp), (after.stamp, last)
            measured = donors(self._quarter, *spans)
            factor = self._factor_at(before.stamp) if run.factor is None else run.factor
            self._known[before.stamp] = weights(before, after, factor, measured)
        shaped = self._known[before.stamp]
        if shaped is None:
            return None
        until = sum(weight for start, weight in shaped.items() if start < at)
        return Fraction(until, sum(shaped.values()))
