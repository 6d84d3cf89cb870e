"""Which readings of a register are set aside, judged locally.

A reading's verdict depends on at most `SIGHT` readings to each side (and on the first positive
index of its register), so that judging a part of the history gives what judging all of it would.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIGHT = 16
"""Readings to each side that a verdict may depend on."""
FASTEST = 1000
"""A run against the rest is a meter's if it rises at most so many times as fast."""
FEW_ZEROS = 3
MUCH_FASTER = 10
"""So many zeros, and so many times as fast, show no counter that began again."""
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


def zeros_in_doubt(stamps: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark up to `FEW_ZEROS` zeros amid an index that goes on as if nothing had happened.

    Of a counter that begins again: the two indexes before them and the two after them, none of them
    0, do not fall, and to have counted the first after them anew since the last before them it had
    to be more than `MUCH_FASTER` times as fast as it counts there.

    >>> zeros_in_doubt(np.arange(5) * 900, np.array([212, 214, 0, 216, 217])).tolist()
    [False, False, True, False, False]
    >>> zeros_in_doubt(np.arange(5) * 900, np.array([212, 214, 0, 2, 3])).any()
    np.False_
    """
    marked = np.zeros(len(values), np.bool_)
    falls = np.flatnonzero((values[1:] == 0) & (values[:-1] > 0)) + 1
    for first in falls.tolist():
        around = values[first : first + FEW_ZEROS + 1]
        if first < 2 or not around.any():
            continue
        after = first + int(np.argmax(around > 0))
        if after + 1 >= len(values):
            continue
        beside = [first - 2, first - 1, after, after + 1]
        indexes, at = values[beside].tolist(), stamps[beside].tolist()
        if not 0 < indexes[0] <= indexes[1] <= indexes[2] <= indexes[3]:
            continue
        counted, seconds = indexes[2], at[2] - at[1]
        marked[first:after] = all(
            counted * (at[step + 1] - at[step])
            > MUCH_FASTER * (indexes[step + 1] - indexes[step]) * seconds
            for step in range(3)
        )
    return marked


@dataclass(frozen=True, slots=True)
class Order:
    """What is ``dropped`` of a register's readings, and which are ``parted`` from the one before.

    Across the latter the difference of the index means nothing.
    """

    dropped: NDArray[np.bool_]
    parted: NDArray[np.bool_]


def out_of_order(stamps: NDArray[np.int64], values: NDArray[np.int64]) -> Order:
    """Mark the readings that their own window would drop to become non-decreasing.

    The window holds the reading and up to `SIGHT` readings on each side; dropped are the fewest,
    and of several smallest sets the one that keeps the earliest readings. Kept all the same is a
    reading in a run that rises like a meter: of two or more readings one next to the other that
    the window would all drop, from each to the next not falling and at most `FASTEST` times as
    fast as what the window keeps, the last higher than the first. Its ends are parted from what
    is kept beside it.

    A spike is dropped, not what follows it; two readings of a device before another are not:

    >>> out_of_order(np.arange(5), np.array([10, 11, 995, 12, 13])).dropped.tolist()
    [False, False, True, False, False]
    >>> order = out_of_order(np.arange(5), np.array([10, 11, 1, 2, 3]))
    >>> order.dropped.any(), order.parted.tolist()
    (np.False_, [False, False, True, False, False])
    """
    order = Order(np.zeros(len(values), np.bool_), np.zeros(len(values), np.bool_))
    falls = np.flatnonzero(values[1:] < values[:-1])
    if not len(falls):
        return order
    # Only a window with a fall inside drops anything: that of a reading up to SIGHT from both its
    # ends.
    concerned = np.unique((falls[:, None] + np.arange(1 - SIGHT, SIGHT + 1)).ravel())
    concerned = concerned[(concerned >= 0) & (concerned < len(values))]
    padded = np.concatenate(
        (np.full(SIGHT, _BELOW_ALL), values.astype(np.int64), np.full(SIGHT, _ABOVE_ALL))
    )
    kept = _kept(sliding_window_view(padded, _WINDOW)[concerned])
    aside = ~kept[:, SIGHT]
    order.dropped[concerned[aside]] = True
    for centre, kept_in_window in zip(concerned[aside].tolist(), kept[aside], strict=True):
        _keep_in_run(stamps, values, centre, kept_in_window, order)
    return order


def _keep_in_run(
    stamps: NDArray[np.int64],
    values: NDArray[np.int64],
    centre: int,
    kept_in_window: NDArray[np.bool_],
    order: Order,
) -> None:
    """Keep a reading that its window would drop, if it is in a run that rises like a meter."""
    start, end = max(centre - SIGHT, 0), min(centre + SIGHT + 1, len(values))
    kept = kept_in_window[start - centre + SIGHT : end - centre + SIGHT]
    offset = centre - start
    dropped_before = offset > 0 and not kept[offset - 1]
    dropped_after = offset + 1 < len(kept) and not kept[offset + 1]
    if not dropped_before and not dropped_after:
        return
    window, seconds = values[start:end].tolist(), stamps[start:end].tolist()
    ordinary = np.flatnonzero(kept)[[0, -1]].tolist()
    rise, lasting = (each[ordinary[1]] - each[ordinary[0]] for each in (window, seconds))

    def follows(left: int) -> bool:
        if kept[left] or kept[left + 1] or window[left + 1] < window[left]:
            return False
        step, step_s = window[left + 1] - window[left], seconds[left + 1] - seconds[left]
        return not rise or bool(step * lasting <= FASTEST * rise * step_s)

    first = last = offset
    while first > 0 and follows(first - 1):
        first -= 1
    while last + 1 < len(window) and follows(last):
        last += 1
    if window[last] == window[first]:
        return
    order.dropped[centre] = False
    if first == offset and offset and kept[offset - 1]:
        order.parted[centre] = True
    if last == offset and offset + 1 < len(kept) and kept[offset + 1]:
        order.parted[centre + 1] = True


def _kept(windows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark in each window (a row) its longest non-decreasing choice that keeps the earliest."""
    longest = _longest_from(windows)
    wanted = longest.max(axis=1)
    last_kept = np.full(len(windows), _BELOW_ALL)
    kept = np.zeros(windows.shape, np.bool_)
    for position in range(_WINDOW):
        # The first reading from which the wanted length can still be reached keeps the earliest.
        mask = (longest[:, position] == wanted) & (windows[:, position] >= last_kept)
        mask &= wanted > 0
        wanted = wanted - mask
        last_kept = np.where(mask, windows[:, position], last_kept)
        kept[:, position] = mask
    return kept


def _longest_from(windows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return for each position the length of the longest non-decreasing choice from there."""
    longest = np.ones(windows.shape, np.int8)
    for position in range(_WINDOW - 2, -1, -1):
        fits = windows[:, position + 1 :] >= windows[:, position, None]
        following = np.where(fits, longest[:, position + 1 :], 0).max(axis=1)
        longest[:, position] = 1 + following
    return longest
