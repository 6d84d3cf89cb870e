"""Which readings are set aside: the window's verdict against trying every choice."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.vee.verdicts import SIGHT, out_of_order, zero_after_positive

SMALL = st.integers(0, 4)


def longest_choice(values: list[int]) -> tuple[int, ...]:
    """The positions of the longest non-decreasing choice; of several the one that keeps first."""
    for length in range(len(values), 0, -1):
        for kept in combinations(range(len(values)), length):
            chosen = [values[position] for position in kept]
            if chosen == sorted(chosen):
                return kept
    return ()


@given(st.lists(SMALL, max_size=11))
def test_within_one_window_the_fewest_are_dropped_and_of_a_tie_the_later(values: list[int]) -> None:
    # So few readings all see each other.
    kept = longest_choice(values)
    dropped = out_of_order(np.array(values, np.int64)).tolist()
    assert dropped == [position not in kept for position in range(len(values))]


def choice_by_length(values: list[int]) -> list[int]:
    """The same for longer lists: the length from each position on, then first come, first kept."""
    longest = [1] * len(values)
    for position in reversed(range(len(values))):
        after = range(position + 1, len(values))
        fits = [longest[later] for later in after if values[later] >= values[position]]
        longest[position] = 1 + max(fits, default=0)
    kept: list[int] = []
    wanted = max(longest, default=0)
    for position, value in enumerate(values):
        if longest[position] == wanted and (not kept or value >= values[kept[-1]]):
            kept.append(position)
            wanted -= 1
    return kept


@given(st.lists(SMALL, min_size=1, max_size=11))
def test_the_quick_choice_is_the_longest(values: list[int]) -> None:
    assert choice_by_length(values) == list(longest_choice(values))


INDEXES = st.lists(st.integers(0, 30) | st.integers(0, 10**15), min_size=1, max_size=90)


def nearly_rising(values: list[int]) -> list[int]:
    return [10 * position + (value if value < 31 else 0) for position, value in enumerate(values)]


@given(st.one_of(INDEXES, INDEXES.map(nearly_rising)))
def test_each_reading_is_judged_by_its_own_window(values: list[int]) -> None:
    dropped = out_of_order(np.array(values, np.int64)).tolist()
    for position in range(len(values)):
        first = max(0, position - SIGHT)
        window = values[first : position + SIGHT + 1]
        assert dropped[position] == (position - first not in choice_by_length(window))


@given(INDEXES, INDEXES, INDEXES)
def test_a_verdict_depends_on_no_more_than_its_sight(
    before: list[int], values: list[int], after: list[int]
) -> None:
    whole = out_of_order(np.array([*before, *values, *after], np.int64))
    part = out_of_order(np.array(values, np.int64))
    inner = slice(SIGHT, max(SIGHT, len(values) - SIGHT))
    assert whole[len(before) :][inner].tolist()[: len(part[inner])] == part[inner].tolist()


def test_a_spike_is_dropped_and_not_what_follows_it() -> None:
    values = np.arange(100, dtype=np.int64)
    values[50] += 995_000_000
    assert np.flatnonzero(out_of_order(values)).tolist() == [50]


def test_after_a_reset_the_new_readings_win_once_they_outnumber_the_old() -> None:
    values = np.concatenate((np.arange(1_000, 1_100), np.arange(50)))
    dropped = np.flatnonzero(out_of_order(values)).tolist()
    assert dropped == []
    assert np.flatnonzero(out_of_order(values[:105])).tolist() == [100, 101, 102, 103, 104]


def test_zeros_after_a_positive_index_are_marked() -> None:
    stamps, values = np.arange(0, 60, 10), np.array([0, 0, 5, 0, 7, 0])
    marked = zero_after_positive(stamps, values, 20).tolist()
    assert marked == [False, False, False, True, False, True]
    assert not zero_after_positive(stamps, values, None).any()
