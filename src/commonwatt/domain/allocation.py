"""Sharing the site's own energy among its consumers, exact to the Wh.

An allocation key is a pure function (pool, weights, first_quarter) -> shares. Rounding, the order
of the consumers and the dither are part of the stored format: they change only from a date on.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

AllocationKey: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64], int], NDArray[np.int64]]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = 1 << 32
_EXACT_BELOW = 1 << 31
"""Pools and weights below fit the 64-bit arithmetic; above, exact Python integers take over."""


def dither(quarters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 2^32 u for each quarter-hour: where its rounding starts, the same for ever.

    >>> dither(np.array([0, 1])).tolist()
    [0, 2654435769]
    """
    return ((quarters.astype(np.uint64) * _GOLDEN) >> np.uint64(32)).astype(np.int64)


def share_pro_rata(
    pool: NDArray[np.int64], weights: NDArray[np.int64], first_quarter: int
) -> NDArray[np.int64]:
    """Share a pool in proportion to consumption, per quarter-hour.

    ``pool`` [Wh], one value a quarter-hour, 0 <= pool <= sum of its weights. ``weights`` [Wh], a
    row a consumer in ascending order of meter id, a column a quarter-hour, none negative. Returns
    shares [Wh] of the shape of ``weights``.

    share_i = floor(F_i + u) - floor(F_(i-1) + u) with F_i = pool (w_1 + ... + w_i) / W. The shares
    of a quarter-hour sum to its pool, none is a Wh from its quota or outside 0..w_i, and u, spread
    evenly over the quarter-hours, favours nobody over time.

    >>> share_pro_rata(np.array([10]), np.array([[10], [10], [10]]), 1)[:, 0].tolist()
    [3, 4, 3]
    """
    edges = np.cumsum(weights, axis=0, dtype=np.int64)
    if not len(edges):
        return edges
    whole = edges[-1]
    start = dither(np.arange(first_quarter, first_quarter + len(pool)))
    too_large = whole >= _EXACT_BELOW
    divisor = np.where((whole == 0) | too_large, 1, whole)
    shared = np.where(too_large, 0, pool)
    floors, rest = np.divmod(edges * shared, divisor)
    # F_i + u reaches the next whole Wh where rest / W + u >= 1.
    floors += (rest << 32) >= divisor * (_ONE - start)
    for column in np.flatnonzero(too_large).tolist():
        floors[:, column] = _exact_floors(
            int(pool[column]), edges[:, column].tolist(), int(start[column])
        )
    return np.diff(floors, axis=0, prepend=0)


KEYS: Mapping[str, AllocationKey] = {"pro_rata": share_pro_rata}
"""The allocation keys by the names under which a site declares them."""


def _exact_floors(pool: int, edges: list[int], start: int) -> list[int]:
    whole = edges[-1]
    return [(pool * edge * _ONE + start * whole) // (whole * _ONE) for edge in edges]
