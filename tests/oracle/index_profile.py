"""From accepted index readings to quarter-hours: interpolate, round the index, subtract."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

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


def _distance_quality(meter: Meter, distance_s: int) -> int:
    if distance_s <= 30 * MINUTE_S:
        return MEASURED
    if distance_s <= (26 if meter.medium in SLOW_MEDIA else 2) * HOUR_S:
        return INTERPOLATED
    return ESTIMATED


def _standing_still(meter: Meter, readings: list[Reading], at: int) -> Reading | None:
    """The reading of installation or removal, whose index holds through the rest of its quarter."""
    spans = []
    if meter.installed_at is not None:
        spans.append((meter.installed_at, floor_quarter(meter.installed_at), meter.installed_at))
    if meter.removed_at is not None:
        spans.append((meter.removed_at, meter.removed_at, ceil_quarter(meter.removed_at)))
    for stamp, first, last in spans:
        if first <= at <= last:
            for reading in readings:
                if reading.stamp == stamp:
                    return reading
    return None


def boundary(meter: Meter, readings: list[Reading], at: int) -> Boundary | None:
    """The index at the instant `at`; None where it is not known."""
    still = _standing_still(meter, readings, at)
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
    rise = Fraction((after.value - before.value) * (at - before.stamp), distance_s)
    quality = _distance_quality(meter, distance_s)
    return Boundary(before.value + rise, _capped(quality, before, after))


def index_quarter(
    meter: Meter, history: IndexHistory, register: str, start: int, factor: Fraction
) -> RegisterQuarter:
    """The energy of one register in [start, start + 15 min): a difference of rounded indexes."""
    readings, end = history.accepted[register], start + QUARTER_S
    if any(before < end and after > start for before, after in history.breaks[register]):
        return MISSING_QUARTER
    opening, closing = boundary(meter, readings, start), boundary(meter, readings, end)
    if opening is None or closing is None:
        return MISSING_QUARTER
    energy_wh = round_half_up(factor * closing.index_mwh / 1000) - round_half_up(
        factor * opening.index_mwh / 1000
    )
    return RegisterQuarter(energy_wh, min(opening.quality, closing.quality))
