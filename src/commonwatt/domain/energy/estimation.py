"""Distributing the known energy of a gap over its quarter-hours by the shape of comparable ones.

The register tells how much was counted between the two readings of a gap, and only the when is
estimated: the index at each quarter-hour boundary is that of the reading before the gap and the
part of the rise that comparable quarter-hours count up to there. So estimated quarter-hours
telescope as all others do. An example:

>>> noon_at = 86_400 * 14 + 43_200
>>> reference_days = ReferenceDays(
...     np.arange(12) + noon_at // 900 - 96, np.array([10, 10, 20, 40] * 3)
... )
>>> gap = Gap(start_at=noon_at, end_at=noon_at + 3 * 3600, start_value=5_000, end_value=125_000)
>>> weights = gap_weights(gap, reference_days, "UTC", energy=gap.rise)
>>> (np.diff(index_in_gap(gap, weights, noon_at + 900 * np.arange(13)).whole) // 1000).tolist()
[5, 5, 10, 20, 5, 5, 10, 20, 5, 5, 10, 20]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.comparable_quarters import (
    NO_REFERENCE,
    REFERENCE_S,
    ReferenceDays,
    comparable_means,
)
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from, quarter_of
from commonwatt.domain.vee.boundary_index import LONGEST_GAP_S, AcceptedReadings

MOST_OF_MEAN = 10
"""The shape explains this many times the comparable energy; what is beyond is spread evenly."""
_WEIGHT_BITS = 27
"""The sum of the weights stays below 2**27: beside 35 bits of a factor, products fit in 63."""
_ENERGY_MAX = 2**60


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Two consecutive accepted readings [Unix seconds; mWh, ml] and nothing used between them."""

    start_at: int
    end_at: int
    start_value: int
    end_value: int

    @property
    def rise(self) -> int:
        """What the register counted in the gap [mWh, ml]."""
        return self.end_value - self.start_value

    @property
    def first_quarter(self) -> int:
        """The quarter-hour in which the gap begins."""
        return quarter_of(self.start_at)

    @property
    def quarters(self) -> NDArray[np.int64]:
        """The quarter-hours that the gap meets, the first and the last maybe in part."""
        return np.arange(self.first_quarter, first_quarter_from(self.end_at))

    @property
    def reference_spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where its reference days lie, before and after it: [start, end] [Unix seconds]."""
        return (self.start_at - REFERENCE_S, self.start_at), (
            self.end_at,
            self.end_at + REFERENCE_S,
        )


@dataclass(frozen=True, slots=True)
class IndexInGap:
    """The index at instants of a gap: ``whole`` + ``rest`` / ``span`` [mWh, ml], rest < span."""

    whole: NDArray[np.int64]
    rest: NDArray[np.int64]
    span: int


def gaps_between(
    readings: AcceptedReadings, interpolated_gap_s: int, start_at: int, end_at: int
) -> list[Gap]:
    """Return the gaps that meet [start, end]: longer than is interpolated, up to 400 days.

    Across a break nothing is known, so there is no gap.
    """
    if readings.longest_s <= interpolated_gap_s:
        return []
    stamps, breaks = readings.stamps, readings.breaks_before
    first = max(int(np.searchsorted(stamps, start_at, side="right")) - 1, 0)
    end = int(np.searchsorted(stamps, end_at)) + 1
    distance = np.diff(stamps[first:end])
    found = (distance > interpolated_gap_s) & (distance <= LONGEST_GAP_S)
    found &= breaks[first:end][1:] == breaks[first:end][:-1]
    return [
        Gap(
            start_at=int(stamps[before]),
            end_at=int(stamps[before + 1]),
            start_value=int(readings.values[before]),
            end_value=int(readings.values[before + 1]),
        )
        for before in (np.flatnonzero(found) + first).tolist()
    ]


def gap_weights(
    gap: Gap, reference_days: ReferenceDays, zone: str, energy: int
) -> NDArray[np.int64] | None:
    """Return how much each quarter-hour that a gap meets weighs; None without a shape.

    ``reference_days`` are those near the gap, ``energy`` [mWh, ml] is the rise with the factor
    applied. A quarter-hour weighs its comparable mean, in the first and last the part of it that
    lies in the gap. If the gap's energy is more than 10 times what the means give, 10 times the
    means and an even spread of what is beyond weigh: a dwelling that was empty around the gap would
    otherwise pour a week's energy into the few quarter-hours in which a fridge ran. Weights are
    halved together until their sum is below 2**27. There is no shape if a quarter of the local day
    has no reference day, or if all that compares is 0.
    """
    means = comparable_means(reference_days, gap.quarters, zone)
    if (means == NO_REFERENCE).any():
        return None
    lengths_s = _lengths_s(gap)
    weights = means * lengths_s // QUARTER_S
    total = int(weights.sum())
    if not total:
        return None
    beyond = min(energy, _ENERGY_MAX) - MOST_OF_MEAN * total
    if beyond > 0:
        weights = MOST_OF_MEAN * weights + _evenly(beyond, lengths_s)
        total = int(weights.sum())
    weights >>= max(0, total.bit_length() - _WEIGHT_BITS)
    return weights


def _lengths_s(gap: Gap) -> NDArray[np.int64]:
    """How many seconds of each quarter-hour lie in the gap."""
    starts_at = gap.quarters * QUARTER_S
    begin_at = np.maximum(starts_at, gap.start_at)
    return np.minimum(starts_at + QUARTER_S, gap.end_at) - begin_at


def _evenly(energy: int, lengths_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Spread an energy evenly over the seconds; divides first, as the product could overflow."""
    span_s = int(lengths_s.sum())
    per_second, rest = divmod(energy, span_s)
    return per_second * lengths_s + rest * lengths_s // span_s


def index_in_gap(
    gap: Gap, weights: NDArray[np.int64], boundaries_at: NDArray[np.int64]
) -> IndexInGap:
    """Return the index at quarter-hour boundaries within a gap, by the weights of its quarters."""
    cumulated = np.concatenate((np.zeros(1, np.int64), np.cumsum(weights)))
    span = int(cumulated[-1])
    part = cumulated[boundaries_at // QUARTER_S - gap.first_quarter]
    # Divide before multiplying: rise x part would leave 64 bits, quotient and remainder do not.
    per_weight, remainder = divmod(gap.rise, span)
    more, rest = np.divmod(remainder * part, span)
    return IndexInGap(gap.start_value + per_weight * part + more, rest, span)
