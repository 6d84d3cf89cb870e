"""The index at quarter-hour boundaries, interpolated and rounded exactly.

Rounding the index and never the interval makes quarter-hours telescope: the sum of any span equals
the difference of the register, to the Wh.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S

RAW_PER_UNIT = 1_000
"""mWh per Wh, ml per litre."""
LONGEST_GAP_S = 400 * 86_400
"""Nothing is interpolated over more."""
MEASURED_GAP_S = 30 * 60
_PRODUCT_MAX = 2**62


@dataclass(frozen=True)
class AcceptedReadings:
    """The readings of a register that are used, strictly ascending in ``stamps`` [Unix seconds].

    ``values`` [mWh, ml]; ``at_best`` codes of `Quality`: what rests on a reading is no better;
    ``breaks_before`` counts the breaks (falls that remain) before each reading.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.int64]
    at_best: NDArray[np.uint8]
    breaks_before: NDArray[np.int64]

    @cached_property
    def longest_s(self) -> int:
        """The longest time from one reading to the next [s], 0 of fewer than two."""
        return int((self.stamps[1:] - self.stamps[:-1]).max(initial=0))


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
        if (start, end) == (0, len(self.whole)):
            return self
        section = slice(start, end)
        return BoundaryIndex(
            self.whole[section],
            self.rest[section],
            self.span[section],
            self.quality[section],
            self.break_count[section],
            self.method[section],
        )


def interpolate(
    readings: AcceptedReadings, instants: NDArray[np.int64], interpolated_gap_s: int
) -> BoundaryIndex:
    """Interpolate the index linearly at ascending ``instants`` [Unix seconds], without rounding.

    Unknown before the first and after the last reading, across a break, and over more than 400
    days. The quality follows the distance of the readings around an instant: MEASURED up to 30
    minutes, INTERPOLATED up to ``interpolated_gap_s``, else ESTIMATED; and it is no better than
    what the readings are worth. The method is LINEAR within a gap of more than
    ``interpolated_gap_s``, else INDEX.
    """
    stamps, values = readings.stamps, readings.values
    if not len(stamps) or not len(instants):
        return _unknown(len(instants))
    left, right = _neighbours(stamps, instants)
    left_at, left_value = stamps[left], values[left]
    elapsed = instants - left_at
    gap = stamps[right] - left_at
    span = np.maximum(gap, 1)
    rise = values[right] - left_value
    risen, rest = _risen(rise, elapsed, span, max(readings.longest_s, 1))
    on_reading = elapsed == 0
    known = np.ones(len(instants), np.bool_)
    if elapsed[0] < 0 or not gap[-1]:
        known = (elapsed >= 0) & (on_reading | (gap > 0))
    quality = np.full(len(instants), Quality.MEASURED.value, np.uint8)
    method = np.full(len(instants), Method.INDEX.value, np.uint8)
    if readings.longest_s > MEASURED_GAP_S:
        far = ~on_reading & (gap > MEASURED_GAP_S)
        quality[far] = Quality.INTERPOLATED
        far &= gap > interpolated_gap_s
        quality[far], method[far] = Quality.ESTIMATED, Method.LINEAR
        known &= on_reading | (gap <= LONGEST_GAP_S)
    at_best = readings.at_best
    if (at_best != Quality.MEASURED.value).any():
        worst = np.where(on_reading, at_best[left], np.minimum(at_best[left], at_best[right]))
        quality = np.minimum(quality, worst)
    breaks = np.zeros(len(instants), np.int64)
    if readings.breaks_before[-1]:
        breaks = readings.breaks_before[left]
        known &= on_reading | (breaks == readings.breaks_before[right])
        breaks[elapsed < 0] = 0
    quality[~known] = Quality.MISSING
    return BoundaryIndex(left_value + risen, rest, span, quality, breaks, method)


def _unknown(length: int) -> BoundaryIndex:
    """The index of a register that nothing is known of."""
    nothing = np.zeros(length, np.int64)
    unknown = np.full(length, Quality.MISSING, np.uint8)
    return BoundaryIndex(
        nothing, nothing, nothing + 1, unknown, nothing, np.zeros(length, np.uint8)
    )


def _neighbours(
    stamps: NDArray[np.int64], instants: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each ascending instant the positions of the last stamp not after it, and the next.

    Before the first stamp that is the first, and the next of the last is the last. A search for
    each is the dearest step of all; where readings come once a quarter-hour, each beside its
    boundary, a guess is right and is checked in a third of the time.
    """
    first = int(stamps.searchsorted(instants[0] + QUARTER_S // 2)) - 1
    end = first + len(instants)
    if first >= 1 and end < len(stamps):
        before, beside, after = (stamps[first + n : end + n] for n in (-1, 0, 1))
        if bool(((before <= instants) & (instants < after)).all()):
            left = np.arange(first, end) - (beside > instants)
            return left, left + 1
    left = np.maximum(np.searchsorted(stamps, instants, side="right") - 1, 0)
    return left, np.minimum(left + 1, len(stamps) - 1)


def _risen(
    rise: NDArray[np.int64], elapsed: NDArray[np.int64], span: NDArray[np.int64], longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return quotient and remainder of rise x elapsed / span, where elapsed <= span <= longest."""
    if max(int(rise.max(initial=0)), -int(rise.min(initial=0))) * longest < _PRODUCT_MAX:
        return np.divmod(rise * elapsed, span)
    # The product would leave 64 bits: divide before multiplying, quotient and remainder do not.
    per_second, remainder = np.divmod(rise, span)
    more, rest = np.divmod(remainder * elapsed, span)
    return per_second * elapsed + more, rest


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
    # The divisor is even: its half is whole, and a part of a unit of the index never decides.
    half = divisor // 2
    if numerator == 1:
        plain: NDArray[np.int64] = (index.whole + half) // divisor
        return plain
    # numerator x (whole + rest / span) / divisor, each product kept below 2**63.
    units, left_over = np.divmod(index.whole, divisor)
    more_units, left_over = np.divmod(left_over * numerator, divisor)
    more_left = index.rest * numerator // index.span
    last_units: NDArray[np.int64] = (left_over + more_left + half) // divisor
    return units * numerator + more_units + last_units


@dataclass(frozen=True, slots=True)
class AcceptedSegment:
    """The accepted readings of a segment of a register, from ``start_at`` to ``end_at``.

    Both [Unix seconds] are None where the register does not begin anew (it may be that of the
    meter's life, or out of sight). ``factor`` replaces that of the meter's facts, None: it does
    not. The quarter-hour of an edge belongs to both of its segments.
    """

    readings: AcceptedReadings
    start_at: int | None = None
    end_at: int | None = None
    factor: Decimal | None = None
