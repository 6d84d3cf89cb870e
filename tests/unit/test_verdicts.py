"""Which readings are set aside: the window's verdict against trying every choice."""

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.vee.verdicts import FASTEST, SIGHT, Order, out_of_order, zero_after_positive

SMALL = st.integers(0, 4)
QUARTER_S = 900


def judged(values: Sequence[int]) -> Order:
    """The order of readings that were taken every quarter-hour."""
    return out_of_order(QUARTER_S * np.arange(len(values)), np.array(values, np.int64))


def dropped_of(values: Sequence[int]) -> list[int]:
    return np.flatnonzero(judged(values).dropped).tolist()


def parted_of(values: Sequence[int]) -> list[int]:
    return np.flatnonzero(judged(values).parted).tolist()


def rises_like_a_meter(values: Sequence[int], kept: Collection[int], position: int) -> bool:
    """Whether a reading that is not among the kept ones is in a run that is kept all the same."""
    most = FASTEST * (values[max(kept)] - values[min(kept)])
    spans = max(kept) - min(kept)

    def follows(left: int) -> bool:
        rise = values[left + 1] - values[left]
        return not {left, left + 1} & set(kept) and rise >= 0 and (not most or rise * spans <= most)

    first = last = position
    while first > 0 and follows(first - 1):
        first -= 1
    while last + 1 < len(values) and follows(last):
        last += 1
    return values[last] > values[first]


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
    assert dropped_of(values) == [
        position
        for position in range(len(values))
        if position not in kept and not rises_like_a_meter(values, kept, position)
    ]


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
    dropped = dropped_of(values)
    for position in range(len(values)):
        first = max(0, position - SIGHT)
        window, here = values[first : position + SIGHT + 1], position - first
        kept = choice_by_length(window)
        stays = here in kept or rises_like_a_meter(window, kept, here)
        assert (position in dropped) != stays


@given(INDEXES, INDEXES, INDEXES)
def test_a_verdict_depends_on_no_more_than_its_sight(
    before: list[int], values: list[int], after: list[int]
) -> None:
    whole, part = judged([*before, *values, *after]), judged(values)
    # A reading is parted from the one before it by the verdict on either.
    sure = range(SIGHT + 1, len(values) - SIGHT)
    for position in sure:
        there = len(before) + position
        assert whole.dropped[there] == part.dropped[position]
        assert whole.parted[there] == part.parted[position]


def test_a_spike_is_dropped_and_not_what_follows_it() -> None:
    values = np.arange(100, dtype=np.int64)
    values[50] += 995_000_000
    assert dropped_of(values.tolist()) == [50]
    assert parted_of(values.tolist()) == []


def test_a_short_run_before_or_after_a_reset_is_parted_and_not_dropped() -> None:
    for old, new in ((100, 50), (100, 2), (2, 100), (3, 3)):
        values = [*range(1_000, 1_000 + old), *range(5, 5 + new)]
        assert dropped_of(values) == []
        breaks = {*parted_of(values), *(np.flatnonzero(np.diff(values) < 0) + 1).tolist()}
        assert breaks == {old}


def test_one_reading_is_no_run() -> None:
    assert dropped_of([*range(1_000, 1_100), 5]) == [100]
    assert dropped_of([1_000, *range(5, 105)]) == [0]


def test_readings_of_another_meter_amid_a_run_are_parted_on_both_sides() -> None:
    own = list(range(1_000, 1_040))
    lower = [*own[:20], 5, 6, 7, *own[20:]]
    higher = [*own[:20], 5_005, 5_006, 5_007, *own[20:]]
    for values in (lower, higher):
        assert dropped_of(values) == []
        assert parted_of(values) == [20, 23]


def test_what_does_not_rise_like_a_meter_is_dropped() -> None:
    own = list(range(1_000, 1_040))
    for strange in ([5, 5, 5], [7, 6], [5_000, 50_000_000], [995_000_000] * 4):
        values = [*own[:20], *strange, *own[20:]]
        assert dropped_of(values) == list(range(20, 20 + len(strange))), strange


def test_zeros_after_a_positive_index_are_marked() -> None:
    stamps, values = np.arange(0, 60, 10), np.array([0, 0, 5, 0, 7, 0])
    marked = zero_after_positive(stamps, values, 20).tolist()
    assert marked == [False, False, False, True, False, True]
    assert not zero_after_positive(stamps, values, None).any()
