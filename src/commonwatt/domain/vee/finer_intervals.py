"""Intervals finer than the meter's: those that fill one of the meter's are added up to it.

Three rows of five minutes fill a quarter-hour, twelve an hour. The sum is exact, and whether an
interval is filled depends on its own rows and those of the intervals beside it alone. Which
delivery brought a row, and when, matters only where deliveries contradict each other
(`interval_totals`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.readings import VALUE_MAX, RegisterReadings
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.interval_totals import REACH as TOTALS_REACH
from commonwatt.domain.vee.interval_totals import IntervalTotals, on_fine_grid

FINER_S = (60, 300, 600, 900, 1800)
"""Lengths of intervals that are added up."""
REACH = 2 + TOTALS_REACH
"""Intervals of the meter to each side that a verdict here depends on."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """The intervals of the meter in which rows on a fine grid lie, ascending.

    ``positions`` of these rows, ascending; ``starts`` of each cell in them; ``numbers`` of the
    cells: one ends at ``number * interval_s``.
    """

    positions: NDArray[np.intp]
    starts: NDArray[np.intp]
    numbers: NDArray[np.int64]
    counts: NDArray[np.int64]
    filled: NDArray[np.bool_]
    partial: NDArray[np.bool_]

    @property
    def finer(self) -> NDArray[np.bool_]:
        """Mark the cells whose rows are finer intervals."""
        return self.filled | self.partial


def add_up_finer(
    history: RegisterHistory,
    readings: RegisterReadings,
    off: NDArray[np.bool_],
    interval_s: int,
    findings: list[Finding],
) -> RegisterReadings:
    """Put one reading in the place of the finer ones that fill an interval of ``interval_s``.

    ``off`` marks the readings whose stamp is beside the quarter-hour. Finer ones that fill no
    interval are taken out, with a finding for each interval: it is missing. So are those of which
    nobody knows whether the last is their total; a total that is certain stands alone. What is no
    finer interval stays as it is.
    """
    if len(readings.stamps) < 2 or int(np.diff(readings.stamps).min()) >= interval_s:
        return readings
    totals = history.totals.among(readings.stamps)
    if len(totals.certain):
        kept = np.flatnonzero(~_beside_totals(readings.stamps, totals, interval_s))
        readings, off = readings.take(kept), off[kept]
    stamps = readings.stamps
    cells = _cells_of(readings, off, interval_s, totals)
    if cells is None or not cells.finer.any():
        return readings
    findings += [
        _incomplete(history, readings, cells, number)
        for number in np.flatnonzero(cells.partial).tolist()
    ]
    sizes = cells.counts
    of_finer = cells.positions[np.repeat(cells.finer, sizes)]
    kept = np.ones(len(stamps), np.bool_)
    kept[of_finer] = False
    left, added = np.flatnonzero(kept), np.flatnonzero(cells.filled)
    # Of an interval that is filled the last row stands for all.
    last = cells.positions[cells.starts[added] + sizes[added] - 1]
    sums = np.add.reduceat(readings.values[cells.positions], cells.starts)[added]
    worst = np.minimum.reduceat(readings.at_best[cells.positions], cells.starts)[added]
    both = np.concatenate((left, last))
    merged = readings.take(both)
    all_stamps = np.concatenate((stamps[left], cells.numbers[added] * interval_s))
    order = np.argsort(all_stamps, kind="stable")
    return RegisterReadings(
        all_stamps[order],
        np.concatenate((readings.values[left], sums))[order],
        np.concatenate((readings.at_best[left], worst))[order],
        merged.ahead[order],
        None if merged.serials is None else merged.serials[order],
    )


def _numbers(stamps: NDArray[np.int64], interval_s: int) -> NDArray[np.int64]:
    """The intervals in which stamps lie: one ends at ``number * interval_s``."""
    snapped, _ = on_fine_grid(stamps)
    numbers: NDArray[np.int64] = -(-snapped // interval_s)
    return numbers


def _beside_totals(
    stamps: NDArray[np.int64], totals: IntervalTotals, interval_s: int
) -> NDArray[np.bool_]:
    """Mark the stamps on a fine grid in an interval of which another is the total."""
    _, on_grid = on_fine_grid(stamps)
    inside = np.isin(_numbers(stamps, interval_s), _numbers(totals.certain, interval_s))
    return on_grid & inside & ~np.isin(stamps, totals.certain)


def _cells_of(
    readings: RegisterReadings, off: NDArray[np.bool_], interval_s: int, totals: IntervalTotals
) -> _Cells | None:
    """Sort the rows on a fine grid into the intervals of the meter; None where there are none."""
    snapped, on_grid = on_fine_grid(readings.stamps)
    positions = np.flatnonzero(on_grid)
    if not len(positions):
        return None
    at = snapped[positions]
    of_row = -(-at // interval_s)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(of_row)) + 1))
    numbers = of_row[starts]
    counts = np.diff(np.concatenate((starts, [len(positions)])))
    twice = np.zeros(len(at), np.bool_)
    twice[1:] = at[1:] == at[:-1]
    distinct = ~np.logical_or.reduceat(twice, starts)
    # How far into its interval each row ends, in (0, interval_s].
    into = at - (of_row - 1) * interval_s
    step = np.gcd.reduceat(into, starts)
    length = interval_s // counts
    fills = (counts * length == interval_s) & (step % length == 0) & np.isin(length, FINER_S)
    several, one = distinct & (counts > 1), counts == 1
    fits = np.add.reduceat(readings.values[positions] / VALUE_MAX, starts) <= 1
    unclear = np.isin(numbers, _numbers(totals.unclear, interval_s))
    filled = several & fills & fits & ~unclear
    within = several & np.logical_or.reduceat(off[positions], starts)
    finer = filled | (within & _beside(filled | within, numbers))
    finer |= several & _beside(filled, numbers)
    finer |= one & _beside(finer, numbers) & ~_beside(one, numbers)
    finer &= ~np.isin(numbers, _numbers(totals.certain, interval_s))
    finer |= unclear
    return _Cells(positions, starts, numbers, counts, filled, finer & ~filled)


def _beside(marked: NDArray[np.bool_], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the cells next to one that is marked."""
    adjacent = np.diff(numbers) == 1
    near = np.zeros(len(marked), np.bool_)
    near[1:] |= marked[:-1] & adjacent
    near[:-1] |= marked[1:] & adjacent
    return near


def _incomplete(
    history: RegisterHistory, readings: RegisterReadings, cells: _Cells, number: int
) -> Finding:
    """Return a finding for an interval that finer ones do not fill, from their first to last."""
    first = int(cells.starts[number])
    positions = cells.positions[first : first + int(cells.counts[number])]
    energy = sum(readings.values[positions].tolist())
    return Finding(
        FindingRule.INTERVAL_INCOMPLETE,
        history.meter,
        history.register,
        int(readings.stamps[positions[0]]),
        int(readings.stamps[positions[-1]]),
        {"readings": len(positions), "energy": (energy + RAW_PER_UNIT // 2) // RAW_PER_UNIT},
    )
