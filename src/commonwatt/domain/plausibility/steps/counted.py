"""What a register counted from one accepted reading to the next."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.interval_energy import JudgedIntervals
from commonwatt.domain.energy.physical_meter import Judged
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT


@dataclass(frozen=True)
class Counted:
    """The spans between accepted readings, ascending: bounds [Unix seconds] and rise [mWh, ml].

    ``known`` is False across a break; there the rise means nothing. ``factor`` replaces that of the
    meter, None: it does not. Of an interval meter a span is an interval.
    """

    starts_at: NDArray[np.int64]
    ends_at: NDArray[np.int64]
    rises: NDArray[np.int64]
    known: NDArray[np.bool_]
    factor: Decimal | None = None

    @cached_property
    def highest_rise(self) -> int:
        """The most that a span counted [mWh, ml]."""
        return int(self.rises.max(initial=0))

    def ending_in(self, start_at: int, end_at: int) -> tuple[int, int]:
        """The positions [first, end) of the spans that end in [start, end) [Unix seconds]."""
        return int(self.ends_at.searchsorted(start_at)), int(self.ends_at.searchsorted(end_at))


def counted_spans(judged: Judged) -> list[Counted]:
    """Return the spans of a judged register, those of each segment by themselves."""
    if isinstance(judged, JudgedIntervals):
        ends_at = judged.accepted_stamps
        starts_at = ends_at - judged.interval_quarters * QUARTER_S
        return [Counted(starts_at, ends_at, judged.values, np.ones(len(ends_at), np.bool_))]
    found = []
    for segment in judged.segments:
        accepted = segment.readings
        stamps, breaks = accepted.stamps, accepted.breaks_before
        known = breaks[1:] == breaks[:-1]
        rises = accepted.values[1:] - accepted.values[:-1]
        found.append(Counted(stamps[:-1], stamps[1:], rises, known, segment.factor))
    return found


def energy_of(rise: int, factor: Decimal) -> int:
    """Return factor x rise, rounded half up [Wh, litre].

    >>> energy_of(1_500, Decimal("0.333"))
    0
    """
    numerator, denominator = factor.as_integer_ratio()
    divisor = denominator * RAW_PER_UNIT
    return (2 * rise * numerator + divisor) // (2 * divisor)
