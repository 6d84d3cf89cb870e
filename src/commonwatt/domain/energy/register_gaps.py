"""The gaps of a meter's registers: which readings their estimate needs, which days it is of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from commonwatt.domain.energy.estimation import Gap, gaps_between
from commonwatt.domain.energy.interval_energy import JudgedIntervals
from commonwatt.domain.metering.catalogue import Medium, Register
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.vee.pipeline import JudgedRegister

NEAR_DAYS = 36
"""So many UTC days to each side hold all reference days of an estimated one, and their readings."""
_GAP_S = 2 * 3600
_GAP_SLOW_S = 26 * 3600


def interpolated_gap_s(medium: Medium) -> int:
    """Return up to how far apart readings are interpolated [s]; a longer distance is a gap.

    Heat, cooling and water are often read once a day.
    """
    return _GAP_S if medium in (Medium.ELECTRICITY, Medium.CHARGE_POINT) else _GAP_SLOW_S


@dataclass(frozen=True, slots=True, order=True)
class EstimatedSpan:
    """The UTC days [first, end) of a gap: estimated, or to be, once there are reference days."""

    meter: int
    first_day: int
    end_day: int

    @classmethod
    def of(cls, meter: int, gap: Gap) -> Self:
        """The days that a gap of a meter has a part in."""
        return cls(meter, day_of(gap.start_at), -(-gap.end_at // DAY_S))


def register_gaps(
    medium: Medium,
    registers: Mapping[Register, JudgedRegister | JudgedIntervals],
    start_at: int,
    end_at: int,
) -> list[Gap]:
    """Return the gaps of the index registers that meet [start, end] [Unix seconds]."""
    limit_s = interpolated_gap_s(medium)
    return [
        gap
        for judged in registers.values()
        if isinstance(judged, JudgedRegister)
        for segment in judged.segments
        for gap in gaps_between(segment.readings, limit_s, start_at, end_at)
    ]


def reference_reach(gaps: Iterable[Gap], start_at: int, end_at: int) -> tuple[int, int]:
    """Widen [start, end] [Unix seconds] to where the reference days of the gaps lie."""
    spans = [span for gap in gaps for span in gap.reference_spans]
    return (
        min([start_at, *(span[0] for span in spans)]),
        max([end_at, *(span[1] for span in spans)]),
    )
