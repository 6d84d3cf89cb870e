"""Chance that is the same whenever it is asked: numbers from a stream's name and a position."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)


def uniform(stream: str, positions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a number in [0, 1) per position, as the SplitMix64 generator scatters them.

    >>> positions = np.array([1, 2, 3])
    >>> bool((uniform("lift", positions) == uniform("lift", positions)).all())
    True
    >>> bool((uniform("lift", positions) == uniform("pump", positions)).any())
    False
    """
    seed = np.uint64(int.from_bytes(blake2b(stream.encode(), digest_size=8).digest(), "little"))
    x = (positions.astype(np.uint64) + seed) * _STEP
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) / 2.0**53


def smooth(stream: str, instants_at: NDArray[np.int64], period_s: int) -> NDArray[np.float64]:
    """Return a curve in [0, 1) that wanders softly: a new goal every ``period_s`` seconds."""
    goal = instants_at // period_s
    way = (instants_at % period_s) / period_s
    eased = way * way * (3.0 - 2.0 * way)
    start, end = uniform(stream, goal), uniform(stream, goal + 1)
    return start + (end - start) * eased
