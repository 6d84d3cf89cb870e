"""Cutting whole Wh into whole Wh: no remainder is carried, and nobody is favoured over time."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.load_profile import Energy

EXACT_BELOW = 1 << 31
"""Pools and sums of weights below fit the 64-bit arithmetic of this package."""
_GOLDEN = 0x9E3779B97F4A7C15


def dither(quarters: NDArray[np.int64], step: int = 0) -> NDArray[np.int64]:
    """Return 2^32 u for each quarter-hour: where its rounding starts, the same for ever.

    A key that rounds more than once gives each ``step`` a u of its own, with the next power of the
    constant as its multiplier: were they one, a rounding could lean on the one before.

    >>> dither(np.array([0, 1])).tolist()
    [0, 2654435769]
    """
    multiplier = np.uint64(pow(_GOLDEN, step + 1, 1 << 64))
    return ((quarters.astype(np.uint64) * multiplier) >> np.uint64(32)).astype(np.int64)


def parts_of(weights: Energy, numerator: Energy, denominator: Energy, start: Energy) -> Energy:
    """Return weights x numerator / denominator as whole numbers, per quarter-hour.

    ``weights`` have a row for each who gets a part and a column a quarter-hour; the other three a
    value a quarter-hour, ``start`` that of `dither`. A denominator of 0 makes no parts. Part i is
    floor(F_i + u) - floor(F_(i-1) + u) with F_i = numerator (w_1 + ... + w_i) / denominator: less
    than one from its exact value, and all of them together floor(F_n + u).

    Columns of Python integers (dtype object) are exact whatever their size; int64 is so while
    denominators are below 2^31 and products below 2^62.

    >>> parts_of(np.array([[1], [1], [1]]), np.array([10]), np.array([3]), np.array([0]))[:, 0]
    array([3, 3, 4])
    """
    if not len(weights):
        return weights
    divisor = np.where(denominator == 0, 1, denominator)
    floors = np.cumsum(weights, axis=0, dtype=weights.dtype)
    floors *= np.where(denominator == 0, 0, numerator)
    # Of whole numbers, (n + u d) / d and (n + floor(u d)) / d have the same floor.
    floors += (divisor * start) >> 32
    floors //= divisor
    floors[1:] -= floors[:-1].copy()
    return floors
