"""From accepted index readings to quarter-hours: interpolate, round the index, subtract."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.estimation import Shapes
from tests.oracle.facts import (
    ESTIMATED,
    INTERPOLATED,
    MEASURED,
    MISSING_QUARTER,
    QUARTER_S,
    Medium,
    Meter,
    RegisterQuarter,
    ceil_quarter,
    floor_quarter,
    round_half_up,
)
from tests.oracle.seams import Run
from tests.oracle.verdicts import IndexHistory
from tests.oracle.versions import Reading

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
LONGEST_GAP_S = 400 * DAY_S
SLOW_MEDIA: tuple[Medium, ...] = ("heating", "cooling", "cold_water", "hot_water")


@dataclass(frozen=True)
class Boundary:
    """The index (mWh, exact) at a quarter-hour boundary and how well it is known."""

    index_mwh: Fraction
    quality: int


def _capped(quality: int, *used: Reading) -> int:
    """What rests on a reading sent as estimated is at best estimated."""
    return min(quality, ESTIMATED) if any(reading.estimated for reading in used) else quality


def interpolated_s(meter: Meter) -> int:
    """Up to how far apart the readings of a meter are interpolated."""
    return (26 if meter.medium in SLOW_MEDIA else 2) * HOUR_S


def _distance_quality(distance_s: int, far_s: int) -> int:
    if distance_s <= 30 * MINUTE_S:
        return MEASURED
    return INTERPOLATED if distance_s <= far_s else ESTIMATED


def _standing_still(run: Run, at: int) -> Reading | None:
    """The reading at an edge of a run, whose index holds through the rest of its quarter."""
    readings = run.readings
    if not readings:
        return None
    first, last = readings[0], readings[-1]
    if first.stamp == run.start_at and floor_quarter(first.stamp) <= at <= first.stamp:
        return first
    if last.stamp == run.end_at and last.stamp <= at <= ceil_quarter(last.stamp):
        return last
    return None


def boundary(run: Run, at: int, far_s: int, shapes: Shapes | None = None) -> Boundary | None:
    """The index at the instant `at`; None where it is not known. Gaps are linear without shapes."""
    readings, still = run.readings, _standing_still(run, at)
    if still is not None:
        return Boundary(Fraction(still.value), _capped(MEASURED, still))
    position = bisect_right(readings, at, key=lambda reading: reading.stamp)
    if position == 0:
        return None
    before = readings[position - 1]
    if before.stamp == at:
        return Boundary(Fraction(before.value), _capped(MEASURED, before))
    if position == len(readings):
        return None
    after = readings[position]
    distance_s = after.stamp - before.stamp
    if distance_s > LONGEST_GAP_S or after.value < before.value:
        return None
    quality = _distance_quality(distance_s, far_s)
    part = Fraction(at - before.stamp, distance_s)
    if quality == ESTIMATED and shapes is not None:
        shaped = shapes.part(run, before, after, at)
        part = part if shaped is None else shaped
    rise = (after.value - before.value) * part
    return Boundary(before.value + rise, _capped(quality, before, after))


def index_quarter(
    meter: Meter,
    history: IndexHistory,
    register: str,
    start: int,
    factor: Fraction,
    shapes: Shapes | None = None,
    far_s: int | None = None,
) -> RegisterQuarter:
    """The energy of one register in [start, start + 15 min): the sum over its runs.

    Readings farther apart than `far_s` make estimates, farther than is interpolated without it.
    """
    far_s = interpolated_s(meter) if far_s is None else far_s
    parts = [
        _run_quarter(run, start, factor if run.factor is None else run.factor, far_s, shapes)
        for run in history.runs[register]
        if (run.start_at is None or start + QUARTER_S > run.start_at)
        and (run.end_at is None or start < run.end_at)
    ]
    if not parts:
        return MISSING_QUARTER  # outside the meter's life, where donors are looked for too
    energy_wh = 0
    for part in parts:
        if part.energy_wh is None:
            return MISSING_QUARTER
        energy_wh += part.energy_wh
    quality = min(part.quality for part in parts)
    return RegisterQuarter(energy_wh, quality if len(parts) == 1 else min(quality, ESTIMATED))


def _run_quarter(
    run: Run, start: int, factor: Fraction, far_s: int, shapes: Shapes | None
) -> RegisterQuarter:
    """What a run counted in a quarter-hour: a difference of rounded indexes."""
    end = start + QUARTER_S
    if any(before < end and after > start for before, after in run.breaks):
        return MISSING_QUARTER
    opening, closing = (boundary(run, at, far_s, shapes) for at in (start, end))
    if opening is None or closing is None:
        return MISSING_QUARTER
    energy_wh = round_half_up(factor * closing.index_mwh / 1000) - round_half_up(
        factor * opening.index_mwh / 1000
    )
    return RegisterQuarter(energy_wh, min(opening.quality, closing.quality))
