"""Shares are exact: they sum to the pool, and each is within a Wh of its quota."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.allocation import KEYS, SharingTerms, dither, share_out
from commonwatt.domain.metering.load_profile import Energy

EVERYDAY_WH = st.integers(0, 5_000)
HUGE_WH = st.integers(0, 2**62 // 8)
QUARTERS = st.integers(0, 2**32)


def share_pro_rata(pool: Energy, weights: Energy, first_quarter: int) -> Energy:
    return share_out(KEYS["pro_rata"], SharingTerms.alike(pool, weights, first_quarter))


def shares(pool: int, weights: list[int], quarter: int) -> list[int]:
    column = np.array(weights, np.int64).reshape(-1, 1)
    return [int(share) for share in share_pro_rata(np.array([pool]), column, quarter)[:, 0]]


def exact_shares(pool: int, weights: list[int], quarter: int) -> list[int]:
    """The definition, in fractions and one consumer after the other."""
    if not sum(weights):
        return [0] * len(weights)
    u = Fraction((quarter * 0x9E3779B97F4A7C15 % 2**64) >> 32, 2**32)
    edges = [
        (Fraction(pool * sum(weights[:count]), sum(weights)) + u).__floor__()
        for count in range(len(weights) + 1)
    ]
    return [after - before for before, after in pairwise(edges)]


@st.composite
def pools(draw: st.DrawFn) -> tuple[int, list[int]]:
    sizes = draw(st.sampled_from((EVERYDAY_WH, HUGE_WH, st.integers(0, 2**31 // 2))))
    weights = draw(st.lists(sizes, min_size=1, max_size=8))
    return draw(st.integers(0, sum(weights))), weights


@given(pools(), QUARTERS)
def test_shares_are_as_defined(drawn: tuple[int, list[int]], quarter: int) -> None:
    pool, weights = drawn
    assert shares(pool, weights, quarter) == exact_shares(pool, weights, quarter)


@given(pools(), QUARTERS)
def test_shares_sum_to_the_pool_within_a_wh_of_quota_and_within_the_weights(
    drawn: tuple[int, list[int]], quarter: int
) -> None:
    pool, weights = drawn
    shared = shares(pool, weights, quarter)
    assert sum(shared) == (pool if sum(weights) else 0)
    for share, weight in zip(shared, weights, strict=True):
        assert 0 <= share <= weight
        assert not weight or abs(share - Fraction(pool * weight, sum(weights))) < 1


@given(st.lists(pools().filter(lambda p: len(p[1]) >= 3), min_size=1, max_size=5), QUARTERS)
def test_a_run_shares_each_quarter_hour_by_itself(
    drawn: list[tuple[int, list[int]]], first_quarter: int
) -> None:
    pool = np.array([min(wh, sum(weights[:3])) for wh, weights in drawn], np.int64)
    columns = np.array([weights[:3] for _, weights in drawn], np.int64).T
    run = share_pro_rata(pool, columns, first_quarter)
    for position in range(len(drawn)):
        alone = shares(int(pool[position]), columns[:, position].tolist(), first_quarter + position)
        assert run[:, position].tolist() == alone


def test_nobody_is_favoured_over_time() -> None:
    quarters = 10_000
    weights = np.full((3, quarters), 10, np.int64)
    shared = share_pro_rata(np.full(quarters, 10, np.int64), weights, 1_800_000).sum(axis=1)
    assert shared.sum() == 10 * quarters
    assert np.abs(shared - 10 * quarters / 3).max() <= 5


def test_without_consumers_or_consumption_nothing_is_shared() -> None:
    assert share_pro_rata(np.array([0, 0]), np.empty((0, 2), np.int64), 5).shape == (0, 2)
    assert shares(0, [0, 0], 5) == [0, 0]


def test_the_dither_of_a_quarter_hour_is_the_same_for_ever() -> None:
    assert dither(np.array([1_831_296, 2**33 + 1])).tolist() == [
        (1_831_296 * 0x9E3779B97F4A7C15 % 2**64) >> 32,
        ((2**33 + 1) * 0x9E3779B97F4A7C15 % 2**64) >> 32,
    ]
    assert shares(10, [10, 10, 10], 1) == [3, 4, 3]
