"""Which readings of a register are set aside, judged locally.

A reading's verdict depends on at most `SIGHT` readings to each side (and on the first positive
index of its register), so that judging a part of the history gives what judging all of it would.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIGHT = 16
"""Readings to each side that a verdict may depend on."""
_WINDOW = 2 * SIGHT + 1
_BELOW_ALL = np.int64(-(2**62))
_ABOVE_ALL = np.int64(2**62)


def zero_after_positive(
    stamps: NDArray[np.int64], values: NDArray[np.int64], first_positive_at: int | None
) -> NDArray[np.bool_]:
    """Mark indexes of 0 after an earlier positive one: the meter was absent.

    A true reset shows itself by its first other reading. ``first_positive_at`` [Unix seconds] is
    that of the whole history of the register, None if it never was positive.
    """
    if first_positive_at is None:
        return np.zeros(len(stamps), np.bool_)
    marked: NDArray[np.bool_] = (values == 0) & (stamps > first_positive_at)
    return marked


def out_of_order(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the readings that their own window would drop to become non-decreasing.

    The window holds the reading and up to `SIGHT` readings on each side; dropped are the fewest,
    and of several smallest sets the one that keeps the earliest readings.

    A spike is dropped, not what follows it:

    >>> out_of_order(np.array([10, 11, 995, 12, 13])).tolist()
    [False, False, True, False, False]
    """
    dropped = np.zeros(len(values), np.bool_)
    falls = np.flatnonzero(values[1:] < values[:-1])
    if not len(falls):
        return dropped
    # Only a window with a fall inside drops anything: that of a reading up to SIGHT from both its
    # ends.
    concerned = np.unique((falls[:, None] + np.arange(1 - SIGHT, SIGHT + 1)).ravel())
    concerned = concerned[(concerned >= 0) & (concerned < len(values))]
    padded = np.concatenate(
        (np.full(SIGHT, _BELOW_ALL), values.astype(np.int64), np.full(SIGHT, _ABOVE_ALL))
    )
    dropped[concerned] = ~_centre_kept(sliding_window_view(padded, _WINDOW)[concerned])
    return dropped


def _centre_kept(windows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for each window (a row) whether its longest non-decreasing choice keeps the centre."""
    longest = _longest_from(windows)
    wanted = longest.max(axis=1)
    last_kept = np.full(len(windows), _BELOW_ALL)
    kept = np.zeros(len(windows), np.bool_)
    for position in range(SIGHT + 1):
        # The first reading from which the wanted length can still be reached keeps the earliest.
        kept = (longest[:, position] == wanted) & (windows[:, position] >= last_kept)
        wanted = wanted - kept
        last_kept = np.where(kept, windows[:, position], last_kept)
    return kept


def _longest_from(windows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return for each position the length of the longest non-decreasing choice from there."""
    longest = np.ones(windows.shape, np.int8)
    for position in range(_WINDOW - 2, -1, -1):
        fits = windows[:, position + 1 :] >= windows[:, position, None]
        following = np.where(fits, longest[:, position + 1 :], 0).max(axis=1)
        longest[:, position] = 1 + following
    return longest
