"""From the values of an interval meter to quarter-hours: spread, cumulate in the UTC day, round."""

from collections.abc import Sequence
from dataclasses import dataclass
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


def nearest_quarter(stamp: int) -> int:
    """The quarter-hour boundary nearest to the stamp."""
    return floor_quarter(stamp + QUARTER_S // 2)


def _accepted(
    meter: Meter, interval_s: int, register: str, readings: Sequence[Reading], found: list[Finding]
) -> list[tuple[int, Reading]]:
    """(end of the interval, reading) of those that lie on the grid and overlap no predecessor."""
    on_grid = []
    for reading in plausible(meter, register, readings, found):
        end = nearest_quarter(reading.stamp)
        if abs(reading.stamp - end) > SNAP_S:
            found.append(Finding(meter.id, register, reading.stamp, "stamp-off-interval"))
        else:
            on_grid.append((end, reading))
    accepted = []
    for position, (end, reading) in enumerate(on_grid):
        if position and end - on_grid[position - 1][0] < interval_s:
            found.append(Finding(meter.id, register, reading.stamp, "interval-overlap"))
        else:
            accepted.append((end, reading))
    return accepted


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
