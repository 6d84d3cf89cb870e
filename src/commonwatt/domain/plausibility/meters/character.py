"""Whether the readings of a meter as a whole can be what they are declared as.

Judged is the whole history of a meter, so it matters neither which delivery brought a reading nor
in what order they came. What looks like something else is held back: from where it begins, over all
that shows nothing else, to where readings are again as they should be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import AcceptedSpan, HeldSpan, Looks, Meter, Register
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import MetersReadings, RegisterReadings
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits, per_hour
from commonwatt.domain.vee.history import placed, usable, within

FEWEST_A_DAY = 8
"""A day of fewer readings shows nothing of how they follow each other."""
LEAST_RISES = 8
RISE_PARTS = 1000
"""An index rises by less than a thousandth of itself from one quarter-hour to the next."""
WHOLE_DAY_S = 20 * 3600
"""Energy of intervals falls at least once in so long a time."""
PART_S = 6 * 3600
PART_RISES = 16
"""In so long a time, energy that rises so often without a fall more than doubles, as of a sun."""
LEAST_SHARE = 0.02
"""An index from nothing on, taken for energies, reaches so much of the mean that can flow."""
EVEN_SHARE = 0.9
"""So many of a day's steps are of one length where intervals are longer than the meter's."""
TOLERANCE_S = 60
FEWEST_FALLS = 4
FALLS_SHARE = 0.25
"""So many steps of a day fall where an index meter sends energies; smaller falls do not count."""
LEAST_FALL = 0.01
HIGH_SPANS = 4
"""So many spans of a day far above the limit show another unit."""
LONG_S = 6 * 3600
LONG_SPANS = 3
"""So many spans of `LONG_S` or more in a row above the limit show it where readings are sparse."""
JUMP_TIMES = 100
"""An index that multiplies by so much at once, faster than can flow, is counted anew from there."""

_SILENT, _GOOD = 0, 1
_CODES: Mapping[int, Looks] = {
    2: Looks.SEVERAL,
    3: Looks.UNIT,
    4: Looks.COARSER,
    5: Looks.INDEX,
    6: Looks.INTERVALS,
}
_CODE_OF = {looks: code for code, looks in _CODES.items()}
"""Of two registers on one day the greater code holds."""


@dataclass(frozen=True, slots=True)
class DayCodes:
    """What the readings that lie on each UTC day show, ascending: codes of `_CODES`, or less."""

    days: NDArray[np.int64]
    codes: NDArray[np.int64]


def judge_character(
    meter: Meter,
    limits: PowerLimits,
    registers: Mapping[Register, RegisterReadings],
    several: NDArray[np.int64] | None = None,
) -> tuple[HeldSpan, ...]:
    """Return which readings of a physical meter are held back, ascending, accepted ones left out.

    ``registers`` have the whole history of effective readings, ``limits`` tells what can flow;
    ``several`` are the UTC days, ascending, of which deliveries tell several series.
    """
    usable_ones = {name: _usable(readings) for name, readings in registers.items()}
    codes = day_codes(meter, limits, usable_ones)
    if several is not None and len(several):
        known = np.isin(codes.days, several)
        codes.codes[known] = np.maximum(codes.codes[known], _CODE_OF[Looks.SEVERAL])
    spans = _runs_of_days(codes)
    if meter.interval_s is None:
        left = {name: _without(readings, spans) for name, readings in usable_ones.items()}
        spans += _united(
            span for readings in left.values() for span in _runs_in_other_unit(readings, limits)
        )
    kept = [piece for span in spans for piece in _not_accepted(span, meter.accepted)]
    return tuple(sorted(kept, key=lambda each: (_start(each), each.looks)))


def day_codes(
    meter: Meter, limits: PowerLimits, registers: Mapping[Register, RegisterReadings]
) -> DayCodes:
    """Return what the readings that lie on each UTC day show, of all registers together.

    Whether an index meter sends another unit is not told by days.
    """
    interval_s = meter.interval_s
    found = [
        _index_days(readings)
        if interval_s is None
        else _interval_days(
            replace(readings, stamps=placed(readings.stamps, meter)), interval_s, limits
        )
        for readings in registers.values()
        if len(readings.stamps)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        return DayCodes(np.empty(0, np.int64), np.empty(0, np.int64))
    days, of_row = np.unique(np.concatenate([each.days for each in found]), return_inverse=True)
    codes = np.zeros(len(days), np.int64)
    np.maximum.at(codes, of_row, np.concatenate([each.codes for each in found]))
    return DayCodes(days, codes)


@dataclass(frozen=True, slots=True)
class Shown:
    """What days show together: something else somewhere, and what is declared somewhere."""

    other: Looks | None
    good: bool

    @classmethod
    def by(cls, codes: NDArray[np.int64]) -> "Shown":
        """Take the codes of days."""
        return cls(_CODES.get(int(codes.max(initial=_SILENT))), bool((codes == _GOOD).any()))

    def outranks(self, looks: Looks) -> bool:
        """Whether a span that looks like something looks like something else with these days."""
        return self.other is not None and _CODE_OF[self.other] > _CODE_OF[looks]


def _usable(readings: RegisterReadings) -> RegisterReadings:
    marked = usable(readings)
    return readings if marked.all() else readings.take(np.flatnonzero(marked))


def _without(readings: RegisterReadings, spans: Iterable[HeldSpan]) -> RegisterReadings:
    kept = np.ones(len(readings.stamps), np.bool_)
    for span in spans:
        kept &= ~within(span, readings.stamps)
    return readings if kept.all() else readings.take(np.flatnonzero(kept))


@dataclass(frozen=True, slots=True)
class _Steps:
    """The readings of each UTC day; a step leads to a reading from the one before on that day.

    ``starts`` of each day in the rows; ``inside`` marks the rows that a step leads to.
    """

    days: NDArray[np.int64]
    starts: NDArray[np.intp]
    counts: NDArray[np.int64]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, stamps: NDArray[np.int64]) -> "_Steps":
        """Group the rows of ascending stamps."""
        of_row = stamps // DAY_S
        inside = np.zeros(len(stamps), np.bool_)
        inside[1:] = of_row[1:] == of_row[:-1]
        starts = np.flatnonzero(~inside)
        counts = np.diff(np.append(starts, len(stamps)))
        return cls(of_row[starts], starts, counts, inside)

    def count(self, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many rows of each day are marked."""
        counted: NDArray[np.int64] = np.add.reduceat(marked.astype(np.int64), self.starts)
        return counted


def _before(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The row before each; the first has itself."""
    return np.concatenate((column[:1], column[:-1]))


def _interval_days(readings: RegisterReadings, interval_s: int, limits: PowerLimits) -> DayCodes:
    """Tell indexes, longer intervals and another unit from energies of intervals."""
    steps = _Steps.of(readings.stamps)
    values = readings.values.astype(np.float64)
    codes = np.where(
        (steps.counts >= FEWEST_A_DAY) & (np.add.reduceat(values, steps.starts) > 0), _GOOD, _SILENT
    )
    in_other_unit = _unit_days(readings, steps, interval_s, limits)
    codes[in_other_unit] = _CODE_OF[Looks.UNIT]
    codes[_coarser_days(readings.stamps, steps, interval_s)] = _CODE_OF[Looks.COARSER]
    by_little, long, all_day = _rising_days(readings.stamps, values, steps)
    _, mean = limits.at(readings.stamps)
    large = steps.count(per_hour(values, interval_s) > LEAST_SHARE * mean) > 0
    codes[by_little | ((all_day | long) & large)] = _CODE_OF[Looks.INDEX]
    # So little is no reason to hold it back, and does not show energies beside indexes either.
    codes[all_day & ~by_little & ~large & (codes == _GOOD)] = _SILENT
    return DayCodes(steps.days, codes)


def _rising_days(
    stamps: NDArray[np.int64], values: NDArray[np.float64], steps: _Steps
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the days whose values never fall: that rise by little, for hours, and all day long."""
    before = _before(values)
    rises = steps.inside & (values > before)
    falls = steps.count(steps.inside & (values < before))
    large = steps.count(rises & ((values - before) * RISE_PARTS > before))
    counted = steps.count(rises)
    last = steps.starts + steps.counts - 1
    seconds = stamps[last] - stamps[steps.starts]
    several = (falls == 0) & (counted >= LEAST_RISES)
    by_little: NDArray[np.bool_] = several & (large == 0)
    for_hours = several & (counted >= PART_RISES) & (seconds >= PART_S)
    long: NDArray[np.bool_] = for_hours & (values[last] <= 2 * values[steps.starts])
    all_day: NDArray[np.bool_] = several & (seconds >= WHOLE_DAY_S) & (counted * 4 >= steps.counts)
    return by_little, long, all_day


def _coarser_days(stamps: NDArray[np.int64], steps: _Steps, interval_s: int) -> NDArray[np.bool_]:
    """Mark the days whose readings lie a constant multiple of the interval apart."""
    apart = np.zeros(len(stamps), np.int64)
    apart[1:] = np.diff(stamps)
    within = np.where(steps.inside, apart, np.iinfo(np.int64).max)
    least = np.minimum.reduceat(within, steps.starts)
    several = steps.counts >= FEWEST_A_DAY
    times = np.where(several, (least + TOLERANCE_S) // interval_s, 0)
    usual_s = np.repeat(times * interval_s, steps.counts)
    even = steps.count(steps.inside & (np.abs(apart - usual_s) <= TOLERANCE_S))
    marked: NDArray[np.bool_] = several & (times >= 2) & (even >= EVEN_SHARE * (steps.counts - 1))
    return marked


def _unit_days(
    readings: RegisterReadings, steps: _Steps, interval_s: int, limits: PowerLimits
) -> NDArray[np.bool_]:
    """Mark the days on which more flows than can, in several intervals or in the mean."""
    values = readings.values.astype(np.float64)
    high, mean = limits.at(readings.stamps)
    often = steps.count(per_hour(values, interval_s) > high) >= HIGH_SPANS
    ordinary = _without_largest(values, steps)
    length_s = np.maximum(steps.counts - 2, 0) * interval_s
    above: NDArray[np.bool_] = per_hour(ordinary, np.maximum(length_s, 1)) > mean[steps.starts]
    return often | ((length_s >= LONG_S) & above)


def _without_largest(values: NDArray[np.float64], steps: _Steps) -> NDArray[np.float64]:
    """The sum of each day without its two largest values."""
    of_row = np.repeat(np.arange(len(steps.counts)), steps.counts)
    ordered = values[np.lexsort((values, of_row))]
    last = steps.starts + steps.counts - 1
    largest = ordered[last] + np.where(steps.counts > 1, ordered[np.maximum(last - 1, 0)], 0.0)
    sums: NDArray[np.float64] = np.add.reduceat(values, steps.starts) - largest
    return sums


def _index_days(readings: RegisterReadings) -> DayCodes:
    """Tell energies of intervals from indexes: they fall all day long.

    Zeros are left out: a device that fails may tell one instead of its index.
    """
    counted = readings.take(np.flatnonzero(readings.values > 0))
    if not len(counted.stamps):
        return DayCodes(np.empty(0, np.int64), np.empty(0, np.int64))
    steps = _Steps.of(counted.stamps)
    values = counted.values.astype(np.float64)
    falls = steps.count(steps.inside & (values < _before(values) * (1 - LEAST_FALL)))
    several = steps.counts >= FEWEST_A_DAY
    codes = np.where(several & (falls <= 1), _GOOD, _SILENT)
    energies = several & (falls >= FEWEST_FALLS) & (falls >= FALLS_SHARE * steps.counts)
    codes[energies] = _CODE_OF[Looks.INTERVALS]
    return DayCodes(steps.days, codes)


def falls_often(readings: RegisterReadings) -> bool:
    """Whether an index falls so often that a day may show energies; told quickly."""
    falls = np.count_nonzero(readings.values[1:] < readings.values[:-1])
    return bool(falls >= FEWEST_FALLS)


def may_show_other(readings: MetersReadings, limits: Mapping[int, float]) -> set[int]:
    """Return the index meters of which a register may show energies or another unit.

    Of the others none of the days in sight does: told of many at once, by the least that may flow
    at any time, in ``limits`` by meter [mWh, ml per hour].
    """
    falls = readings.follows
    falls[1:] &= readings.values[1:] < readings.values[:-1]
    meters, counts = np.unique(readings.meters[falls], return_counts=True)
    found = set(meters[counts >= FEWEST_FALLS].tolist())
    above_zero = readings.take(np.flatnonzero(readings.values > 0))
    numbers, of_row = np.unique(above_zero.meters, return_inverse=True)
    limit = np.array([limits[number] for number in numbers.tolist()])[of_row]
    rises = np.diff(above_zero.values.astype(np.float64), prepend=0.0)
    seconds = np.diff(above_zero.stamps, prepend=0)
    high = above_zero.follows & (per_hour(rises, np.maximum(seconds, 900)) > limit)
    return found | set(above_zero.meters[high].tolist())


def _runs_of_days(codes: DayCodes) -> list[HeldSpan]:
    """Return a span for each run of days without a good one that has one which shows something."""
    spans: list[HeldSpan] = []
    if not (codes.codes > _GOOD).any():
        return spans
    good = codes.days[codes.codes == _GOOD]
    bad = codes.codes > _GOOD
    between = np.searchsorted(good, codes.days[bad])
    for gap in np.unique(between).tolist():
        days = codes.codes[bad][between == gap]
        first_day = int(codes.days[bad][between == gap][0])
        spans.append(
            HeldSpan(
                looks=_CODES[int(days.max())],
                from_at=None if gap == 0 else (int(good[gap - 1]) + 1) * DAY_S,
                until_at=None if gap == len(good) else int(good[gap]) * DAY_S,
                seen_at=first_day * DAY_S,
            )
        )
    return spans


@dataclass(frozen=True, slots=True)
class IndexSpans:
    """What an index register counted from each reading to the next [mWh, ml], and how fast.

    Of the readings without zeros, ascending; span n leads to reading n + 1. ``cut`` marks spans
    across which the register counts anew.
    """

    stamps: NDArray[np.int64]
    rises: NDArray[np.float64]
    seconds: NDArray[np.int64]
    power: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    cut: NDArray[np.bool_]

    @classmethod
    def of(cls, readings: RegisterReadings, limits: PowerLimits) -> "IndexSpans":
        """Take the spans of a register with usable readings."""
        positive = readings.values > 0
        if positive.any() and not positive.all():
            readings = readings.take(np.flatnonzero(positive))
        stamps, values = readings.stamps, readings.values.astype(np.float64)
        rises, seconds = np.diff(values), np.diff(stamps)
        power = per_hour(rises, np.maximum(seconds, 900))
        high, mean = limits.at(stamps[1:])
        jumps = (values[1:] >= values[:-1] * JUMP_TIMES) & (values[:-1] > 0) & (power > mean)
        return cls(stamps, rises, seconds, power, high, mean, (rises < 0) | jumps)

    @property
    def suspicious(self) -> NDArray[np.bool_]:
        """Mark the spans that may show another unit."""
        marked: NDArray[np.bool_] = self.power > np.minimum(self.mean, self.high)
        return marked


def _runs_in_other_unit(readings: RegisterReadings, limits: PowerLimits) -> list[HeldSpan]:
    """Return the runs of an index register between two cuts that show another unit."""
    spans = IndexSpans.of(readings, limits)
    if not (spans.suspicious & ~spans.cut).any():
        return []
    run_of_span = np.cumsum(spans.cut, dtype=np.int64)
    seen = _first_seen(spans, run_of_span)
    first_of_run = np.concatenate(([0], np.flatnonzero(spans.cut) + 1))
    found = []
    for run in sorted(seen):
        later = run + 1 < len(first_of_run)
        found.append(
            HeldSpan(
                looks=Looks.UNIT,
                from_at=int(spans.stamps[first_of_run[run]]) if run else None,
                until_at=int(spans.stamps[first_of_run[run + 1]]) if later else None,
                seen_at=seen[run],
            )
        )
    return found


def _first_seen(spans: IndexSpans, run_of_span: NDArray[np.int64]) -> dict[int, int]:
    """Return the runs that show another unit, with the start of the day that does so first."""
    inside = np.flatnonzero(~spans.cut)
    runs, ends = run_of_span[inside], spans.stamps[inside + 1]
    days = ends // DAY_S
    begins = np.ones(len(inside), np.bool_)
    begins[1:] = (runs[1:] != runs[:-1]) | (days[1:] != days[:-1])
    starts = np.flatnonzero(begins)
    counts = np.diff(np.append(starts, len(inside)))
    group = _Steps(days[starts], starts, counts, ~begins)
    often = group.count(spans.power[inside] > spans.high[inside]) >= HIGH_SPANS
    rises = np.where(spans.rises[inside] > 0, spans.rises[inside], 0.0)
    seconds = np.add.reduceat(spans.seconds[inside], starts)
    ordinary = per_hour(_without_largest(rises, group), np.maximum(seconds, 1))
    above = (seconds >= LONG_S) & (counts >= FEWEST_A_DAY) & (ordinary > spans.mean[inside][starts])
    seen: dict[int, int] = {}
    for number in np.flatnonzero(often | above).tolist():
        seen.setdefault(int(runs[starts[number]]), int(group.days[number]) * DAY_S)
    long = (spans.seconds[inside] >= LONG_S) & (spans.power[inside] > spans.mean[inside])
    row = long.copy()
    for back in range(1, LONG_SPANS):
        row[back:] &= long[:-back] & (runs[back:] == runs[:-back])
        row[:back] = False
    for position in np.flatnonzero(row).tolist():
        run, at = int(runs[position]), int(days[position]) * DAY_S
        seen[run] = min(seen.get(run, at), at)
    return seen


def _start(span: HeldSpan | AcceptedSpan) -> float:
    return -np.inf if span.from_at is None else span.from_at


def _end(span: HeldSpan | AcceptedSpan) -> float:
    return np.inf if span.until_at is None else span.until_at


def _united(spans: Iterable[HeldSpan]) -> list[HeldSpan]:
    """Join the spans of several registers that overlap."""
    joined: list[HeldSpan] = []
    for span in sorted(spans, key=_start):
        if joined and _start(span) < _end(joined[-1]):
            last = joined[-1]
            longer = span if _end(span) > _end(last) else last
            seen_at = min(span.seen_at, last.seen_at)
            joined[-1] = replace(last, until_at=longer.until_at, seen_at=seen_at)
        else:
            joined.append(span)
    return joined


def _not_accepted(span: HeldSpan, accepted: Sequence[AcceptedSpan]) -> list[HeldSpan]:
    """Return what of a span nobody accepted."""
    pieces = [span]
    for each in accepted:
        if each.looks is not span.looks:
            continue
        left: list[HeldSpan] = []
        for piece in pieces:
            if _end(each) <= _start(piece) or _end(piece) <= _start(each):
                left.append(piece)
                continue
            if _start(piece) < _start(each):
                left.append(replace(piece, until_at=each.from_at))
            if _end(each) < _end(piece):
                left.append(replace(piece, from_at=each.until_at))
        pieces = left
    return pieces
