"""The index at quarter-hour boundaries, interpolated and rounded exactly.

Rounding the index and never the interval makes quarter-hours telescope: the sum of any span equals
the difference of the register, to the Wh.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.quality import Method, Quality

RAW_PER_UNIT = 1_000
"""mWh per Wh, ml per litre."""
LONGEST_GAP_S = 400 * 86_400
"""Nothing is interpolated over more."""
MEASURED_GAP_S = 30 * 60


@dataclass(frozen=True, slots=True)
class AcceptedReadings:
    """The readings of a register that are used, strictly ascending in ``stamps`` [Unix seconds].

    ``values`` [mWh, ml]; ``estimated`` as sent; ``breaks_before`` counts the breaks (falls that
    remain) before each reading.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.int64]
    estimated: NDArray[np.bool_]
    breaks_before: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BoundaryIndex:
    """The index at instants: ``whole`` + ``rest`` / ``span`` [mWh, ml], 0 <= rest < span.

    ``quality`` holds codes of `Quality` (MISSING: unknown there), ``break_count`` the breaks
    before, ``method`` codes of `Method`: INDEX, or how the energy of a long gap was spread.
    """

    whole: NDArray[np.int64]
    rest: NDArray[np.int64]
    span: NDArray[np.int64]
    quality: NDArray[np.uint8]
    break_count: NDArray[np.int64]
    method: NDArray[np.uint8]

    def part(self, start: int, end: int) -> "BoundaryIndex":
        """The instants [start, end) by position."""
        here = slice(start, end)
        return BoundaryIndex(
            self.whole[here],
            self.rest[here],
            self.span[here],
            self.quality[here],
            self.break_count[here],
            self.method[here],
        )


def interpolate(
    readings: AcceptedReadings, instants: NDArray[np.int64], interpolated_gap_s: int
) -> BoundaryIndex:
    """Interpolate the index linearly at ascending ``instants`` [Unix seconds], without rounding.

    Unknown before the first and after the last reading, across a break, and over more than 400
    days. The quality follows the distance of the readings around an instant: MEASURED up to 30
    minutes, INTERPOLATED up to ``interpolated_gap_s``, else ESTIMATED; what rests on a reading that
    was sent as estimated is at best ESTIMATED. The method is LINEAR within a gap of more than
    ``interpolated_gap_s``, else INDEX.
    """
    stamps, values = readings.stamps, readings.values
    if not len(stamps):
        nothing = np.zeros(len(instants), np.int64)
        unknown = np.full(len(instants), Quality.MISSING, np.uint8)
        no_method = np.zeros(len(instants), np.uint8)
        return BoundaryIndex(nothing, nothing, nothing + 1, unknown, nothing, no_method)
    last = len(stamps) - 1
    position = np.searchsorted(stamps, instants, side="right") - 1
    left = np.maximum(position, 0)
    right = np.minimum(left + 1, last)
    elapsed = instants - stamps[left]
    gap = stamps[right] - stamps[left]
    on_reading = elapsed == 0
    # Divide before multiplying: rise x elapsed would leave 64 bits, quotient and remainder do not.
    span = np.where(on_reading | (gap <= 0), 1, gap)
    elapsed = np.where(on_reading | (gap <= 0), 0, elapsed)
    per_second, remainder = np.divmod(values[right] - values[left], span)
    more, rest = np.divmod(remainder * elapsed, span)
    breaks = readings.breaks_before
    known = (position >= 0) & (
        on_reading | ((position < last) & (gap <= LONGEST_GAP_S) & (breaks[left] == breaks[right]))
    )
    far = ~on_reading & (gap > interpolated_gap_s)
    quality = np.where(far, np.uint8(Quality.ESTIMATED), np.uint8(Quality.INTERPOLATED))
    quality[on_reading | (gap <= MEASURED_GAP_S)] = Quality.MEASURED
    as_sent = readings.estimated
    if as_sent.any():
        quality[as_sent[left] | (as_sent[right] & ~on_reading)] = Quality.ESTIMATED
    quality[~known] = Quality.MISSING
    break_count = np.where(position >= 0, breaks[left], 0)
    whole = values[left] + per_second * elapsed + more
    method = np.where(far, np.uint8(Method.LINEAR), np.uint8(Method.INDEX))
    return BoundaryIndex(whole, rest, span, quality, break_count, method)


def rounded(
    index: BoundaryIndex, factor: Decimal, raw_per_unit: int = RAW_PER_UNIT
) -> NDArray[np.int64]:
    """Return factor x index, rounded half up to whole units [Wh, litre], in exact arithmetic.

    ``raw_per_unit`` is how many units of the index make one [Wh, litre]. Without a known index the
    value means nothing.

    >>> half = BoundaryIndex(*(np.array([n]) for n in (499, 1, 2, 5, 0, 1)))
    >>> rounded(half, Decimal(1)).tolist()  # 499 1/2 mWh
    [0]
    """
    numerator, denominator = factor.as_integer_ratio()
    divisor = denominator * raw_per_unit
    # numerator x (whole + rest / span) / divisor, each product kept below 2**63.
    units, left_over = np.divmod(index.whole, divisor)
    more_units, left_over = np.divmod(left_over * numerator, divisor)
    more_left, rest = np.divmod(index.rest * numerator, index.span)
    # floor((left + rest / span) / divisor + 1/2), where 2 rest / span is less than 2.
    doubled = 2 * (left_over + more_left) + divisor + (2 * rest) // index.span
    return units * numerator + more_units + doubled // (2 * divisor)
