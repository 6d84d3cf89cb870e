"""Totals of whole intervals that were delivered over finer ones, or finer ones over totals.

A total has the stamp of the last finer interval and would be added to the others. Whose rows they
are tells them apart: a total comes in a delivery that says nothing within the interval.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import (
    ReadingQuality,
    RegisterReadings,
    StoredReadings,
    effective_positions,
)

_GRIDS = ((300, 30), (60, 5))
"""A stamp is taken for the nearest one of a grid [s] if it is not farther off than that [s]."""
_RUN = 3
"""So many intervals in a row of which a delivery says the ends alone: it has whole ones."""
REACH = _RUN - 1
"""Intervals of the meter to each side by which a total is told."""
_TIMES_NEARER = 4
"""One total is told by its value, if it is so many times nearer to one meaning than to another."""


def _nothing() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class IntervalTotals:
    """Stamps [Unix seconds] of readings at the end of intervals that others lie within.

    ``certain`` stand for their interval instead of these; of ``unclear`` ones nobody knows.
    """

    certain: NDArray[np.int64] = field(default_factory=_nothing)
    unclear: NDArray[np.int64] = field(default_factory=_nothing)

    def among(self, stamps: NDArray[np.int64]) -> "IntervalTotals":
        """Those at some stamps."""
        certain, unclear = (each[np.isin(each, stamps)] for each in (self.certain, self.unclear))
        return IntervalTotals(certain, unclear)


def on_fine_grid(stamps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each stamp as the one of a grid that it is taken for, and whether there is one."""
    snapped, found = stamps.copy(), np.zeros(len(stamps), np.bool_)
    for grid_s, tolerance_s in _GRIDS:
        nearest = (stamps + grid_s // 2) // grid_s * grid_s
        mask = ~found & (np.abs(stamps - nearest) <= tolerance_s)
        snapped[mask] = nearest[mask]
        found |= mask
    return snapped, found


@dataclass(frozen=True, slots=True)
class _Said:
    """Usable rows on a fine grid: the interval that each lies in, and whether it is at its end.

    Interval n ends at ``n * interval_s``.
    """

    stamps: NDArray[np.int64]
    intervals: NDArray[np.int64]
    at_end: NDArray[np.bool_]
    values: NDArray[np.int64]
    issued_at: NDArray[np.int64]
    deliveries: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        stored: StoredReadings,
        register: Register,
        positions: NDArray[np.intp],
        interval_s: int,
    ) -> "_Said":
        snapped, found = on_fine_grid(stored.stamps[positions])
        positions, snapped = positions[found], snapped[found]
        return cls(
            stored.stamps[positions],
            -(-snapped // interval_s),
            snapped % interval_s == 0,
            stored.values[register][positions],
            stored.issued_at[positions],
            stored.deliveries[positions],
        )


def interval_totals(
    stored: StoredReadings | None,
    register: Register,
    readings: RegisterReadings,
    withdrawn: Collection[int],
    interval_s: int,
) -> IntervalTotals:
    """Tell which of the effective ``readings`` of a register are totals of intervals.

    Only where deliveries contradict each other at the end of an interval. A delivery that says the
    ends alone of `_RUN` intervals in a row, one of them contradicted, has whole intervals; without
    such a row the value tells: whether it is nearer to the finer one that it stands against, or to
    what all finer ones make. Where that does not tell either it is unclear.
    """
    if stored is None or len(readings.stamps) < 2 or np.diff(readings.stamps).min() >= interval_s:
        return IntervalTotals()
    usable = (stored.values[register] >= 0) & ~stored.ahead
    usable &= stored.qualities <= ReadingQuality.ESTIMATED
    usable &= ~np.isin(stored.deliveries, list(withdrawn))
    said = _Said.of(stored, register, np.flatnonzero(usable), interval_s)
    contradicted = _contradicted(said)
    if not len(contradicted):
        return IntervalTotals()
    effective = effective_positions(stored, register, withdrawn)
    effective = effective[
        (stored.qualities[effective] <= ReadingQuality.ESTIMATED) & ~stored.ahead[effective]
    ]
    used = _Said.of(stored, register, effective, interval_s)
    whole = _whole(said, contradicted)
    certain, unclear = list[int](), list[int]()
    for position in _ends_of_finer(used).tolist():
        interval, delivery = int(used.intervals[position]), int(used.deliveries[position])
        is_in_row = whole.get((delivery, interval))
        if is_in_row is None:
            continue
        is_total: bool | None = True
        if not is_in_row:
            if not np.isin(interval, contradicted):
                continue
            is_total = _by_value(said, used, position)
        if is_total is None:
            unclear.append(int(used.stamps[position]))
        elif is_total:
            certain.append(int(used.stamps[position]))
    return IntervalTotals(np.array(certain, np.int64), np.array(unclear, np.int64))


def _contradicted(said: _Said) -> NDArray[np.int64]:
    """The intervals, ascending, at whose end different values were said."""
    intervals, values = said.intervals[said.at_end], said.values[said.at_end]
    order = np.lexsort((values, intervals))
    intervals, values = intervals[order], values[order]
    differing = (intervals[1:] == intervals[:-1]) & (values[1:] != values[:-1])
    return np.unique(intervals[1:][differing])


def _whole(said: _Said, contradicted: NDArray[np.int64]) -> dict[tuple[int, int], bool]:
    """The (delivery, interval) of which only the end is said, and whether in such a row."""
    order = np.lexsort((said.intervals, said.deliveries))
    deliveries, intervals = said.deliveries[order], said.intervals[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (deliveries[1:] != deliveries[:-1]) | (intervals[1:] != intervals[:-1])
    starts = np.flatnonzero(begins)
    alone = np.logical_and.reduceat(said.at_end[order], starts)
    deliveries, intervals = deliveries[starts][alone], intervals[starts][alone]
    against = np.isin(intervals, contradicted)
    in_row = np.zeros(len(intervals), np.bool_)
    for first in range(max(len(intervals) - _RUN + 1, 0)):
        last = first + _RUN - 1
        if (
            deliveries[first] == deliveries[last]
            and intervals[last] - intervals[first] == _RUN - 1
            and against[first : last + 1].any()
        ):
            in_row[first : last + 1] = True
    keys = zip(deliveries.tolist(), intervals.tolist(), strict=True)
    return dict(zip(keys, in_row.tolist(), strict=True))


def _ends_of_finer(used: _Said) -> NDArray[np.intp]:
    """The positions of what is used at the end of intervals in which something else lies.

    None of an interval that several readings end.
    """
    ends = np.flatnonzero(used.at_end)
    numbers, counts = np.unique(used.intervals[ends], return_counts=True)
    single = np.isin(used.intervals[ends], numbers[counts == 1])
    within = np.isin(used.intervals[ends], used.intervals[~used.at_end])
    found: NDArray[np.intp] = ends[single & within]
    return found


def _by_value(said: _Said, used: _Said, position: int) -> bool | None:
    """Whether the value at the end of an interval is its total; None: it is unclear."""
    interval = used.intervals[position]
    others = (said.intervals == interval) & said.at_end
    others &= said.deliveries != used.deliveries[position]
    against = np.flatnonzero(others)
    if not len(against):
        return False
    last = against[np.lexsort((said.deliveries[against], said.issued_at[against]))[-1]]
    value, other = int(used.values[position]), int(said.values[last])
    inside = (used.intervals == interval) & ~used.at_end
    rest = int(used.values[inside].sum())
    if not rest:
        return False
    from_total = abs(value - (other + rest))
    # It corrects the last finer interval, or is one of those that replace a total.
    from_finer = min(abs(value - other), abs(other - (value + rest)))
    if _TIMES_NEARER * from_finer <= from_total:
        return False
    return True if _TIMES_NEARER * from_total <= from_finer else None
