"""From the values of an interval meter to quarter-hours: spread, cumulate in the UTC day, round."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.oracle.facts import (
    ESTIMATED,
    INTERPOLATED,
    MEASURED,
    MISSING_QUARTER,
    QUARTER_S,
    Finding,
    Meter,
    RegisterQuarter,
    floor_quarter,
    round_half_up,
)
from tests.oracle.interval_totals import end_of_interval, on_fine_grid, totals
from tests.oracle.verdicts import plausible
from tests.oracle.versions import Reading, counted_readings

SNAP_S = 60
DAY_S = 86400


@dataclass(frozen=True)
class Spread:
    """The part (mWh, exact) of an interval that falls into one quarter-hour."""

    energy_mwh: Fraction
    quality: int


@dataclass(frozen=True)
class IntervalHistory:
    """What each register says of each quarter-hour (by its start), and the findings."""

    spread: dict[str, dict[int, Spread]]
    findings: list[Finding]


def with_finer_added(
    meter: Meter,
    register: str,
    interval_s: int,
    readings: Sequence[Reading],
    told: tuple[set[int], set[int]],
    found: list[Finding],
) -> list[Reading]:
    """One reading for the finer ones that fill an interval; those that fill none are found.

    A certain total stands alone; where nobody knows whether it is one, nothing is filled.
    """
    certain, unclear = (
        {end_of_interval(at, interval_s) for at in ats & {each.stamp for each in readings}}
        for ats in told
    )
    readings = [
        each
        for each in readings
        if each.stamp in told[0] or end_of_interval(each.stamp, interval_s) not in certain
    ]
    cells: dict[int, list[tuple[int, Reading]]] = {}
    for reading in readings:
        at = on_fine_grid(reading.stamp)
        if at is not None:
            cells.setdefault(-(-at // interval_s) * interval_s, []).append((at, reading))
    ends = {end: [at for at, _ in rows] for end, rows in cells.items()}
    several = {end for end, ats in ends.items() if len(set(ats)) == len(ats) > 1}
    filled = {end for end in several if _is_filled(interval_s, end, cells[end])} - unclear
    within = {
        end
        for end in several
        if any(abs(row.stamp - nearest_quarter(row.stamp)) > SNAP_S for _, row in cells[end])
    }
    alone = {end for end, ats in ends.items() if len(ats) == 1}

    def beside(end: int, others: set[int]) -> bool:
        return end - interval_s in others or end + interval_s in others

    partial = {end for end in within if beside(end, filled | within)}
    partial |= {end for end in several if beside(end, filled)}
    finer = filled | partial
    partial |= {end for end in alone if beside(end, finer) and not beside(end, alone)}
    partial = {end for end in partial if end not in certain} | {
        end for end in unclear if end in cells
    }
    taken: set[int] = set()
    added = []
    for end in sorted(filled | partial):
        rows = [row for _, row in cells[end]]
        taken |= {row.stamp for row in rows}
        if end in filled:
            whole = sum(row.value for row in rows)
            estimated = any(row.estimated for row in rows)
            added.append(replace(rows[-1], stamp=end, value=whole, estimated=estimated))
        else:
            found.append(Finding(meter.id, register, rows[-1].stamp, "interval-incomplete"))
    left = [reading for reading in readings if reading.stamp not in taken]
    return sorted([*left, *added], key=lambda each: each.stamp)


def _is_filled(interval_s: int, end: int, rows: Sequence[tuple[int, Reading]]) -> bool:
    for finer_s in (60, 300, 600, 900, 1800):
        wanted = list(range(end - interval_s + finer_s, end + 1, finer_s))
        if finer_s < interval_s and interval_s % finer_s == 0 and [at for at, _ in rows] == wanted:
            return sum(row.value for _, row in rows) <= 9 * 10**15
    return False


def nearest_quarter(stamp: int) -> int:
    """The quarter-hour boundary nearest to the stamp."""
    return floor_quarter(stamp + QUARTER_S // 2)


def _accepted(
    meter: Meter, interval_s: int, register: str, readings: Sequence[Reading], found: list[Finding]
) -> list[tuple[int, Reading]]:
    """(end of the interval, reading) of those that count: on the grid, and not overlapping."""
    on_grid = []
    sent = plausible(meter, register, readings, found)
    told = totals(meter, register, interval_s, readings)
    for reading in with_finer_added(meter, register, interval_s, sent, told, found):
        end = nearest_quarter(reading.stamp)
        if abs(reading.stamp - end) > SNAP_S:
            found.append(Finding(meter.id, register, reading.stamp, "stamp-off-interval"))
        else:
            on_grid.append((end, reading))
    on_grid = _one_of_each_boundary(meter, register, on_grid, found)
    accepted = []
    for position, (end, reading) in enumerate(on_grid):
        if position and end - on_grid[position - 1][0] < interval_s:
            found.append(Finding(meter.id, register, reading.stamp, "interval-overlap"))
        else:
            accepted.append((end, reading))
    return accepted


def _one_of_each_boundary(
    meter: Meter, register: str, on_grid: list[tuple[int, Reading]], found: list[Finding]
) -> list[tuple[int, Reading]]:
    """Of the readings at one boundary the nearest to it, of a tie the earlier."""
    chosen = []
    for end in sorted({end for end, _ in on_grid}):
        there = [reading for at, reading in on_grid if at == end]
        best = min(there, key=lambda reading: (abs(reading.stamp - end), reading.stamp))
        chosen.append((end, best))
        found.extend(
            Finding(meter.id, register, reading.stamp, "interval-overlap")
            for reading in there
            if reading is not best
        )
    return chosen


def judge_interval(meter: Meter) -> IntervalHistory:
    """Each accepted value, spread evenly over the quarter-hours of its interval."""
    assert meter.interval_s is not None
    history = IntervalHistory({}, [])
    quarters = meter.interval_s // QUARTER_S
    own_quality = INTERPOLATED if meter.interval_s > 1800 else MEASURED
    for register, readings in counted_readings(meter).items():
        accepted = _accepted(meter, meter.interval_s, register, readings, history.findings)
        for end, reading in accepted:
            part = Spread(
                Fraction(reading.value, quarters), ESTIMATED if reading.estimated else own_quality
            )
            for start in range(end - meter.interval_s, end, QUARTER_S):
                history.spread.setdefault(register, {})[start] = part
    return history


def interval_quarter(
    history: IntervalHistory, register: str, start: int, factor: Fraction
) -> RegisterQuarter:
    """The energy of one register in [start, start + 15 min).

    The day's energy until the quarter's end, rounded, less that until its start: missing
    quarters add nothing, and the whole day's sum is right.
    """
    spread = history.spread[register]
    if start not in spread:
        return MISSING_QUARTER
    day = start - start % DAY_S
    before = sum(
        (spread[s].energy_mwh for s in range(day, start, QUARTER_S) if s in spread), Fraction(0)
    )
    after = before + spread[start].energy_mwh
    energy_wh = round_half_up(factor * after / 1000) - round_half_up(factor * before / 1000)
    return RegisterQuarter(energy_wh, spread[start].quality)
