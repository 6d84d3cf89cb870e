"""Gaps distributed by shape: exact, monotone, of the reference days' shape, whatever their size."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.energy.comparable_quarters import (
    NO_REFERENCE,
    ReferenceDays,
    comparable_means,
)
from commonwatt.domain.energy.estimation import Gap, gap_weights, gaps_between, index_in_gap
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.vee.boundary_index import LONGEST_GAP_S, AcceptedReadings

DAY_S = 86_400
MONDAY = 19_079
"""2022-03-28, the day after the clocks went forward in Europe."""
TEN_GWH = 10**16
"""[mWh]"""


def a_gap(start_at: int, end_at: int, rise: int, start_value: int = 0) -> Gap:
    return Gap(
        start_at=start_at, end_at=end_at, start_value=start_value, end_value=start_value + rise
    )


def boundaries(gap: Gap) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Every quarter-hour boundary from the gap's first reading to its last."""
    return np.arange(-(-gap.start_at // 900), gap.end_at // 900 + 1) * 900


def exact(gap: Gap, weights: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Fraction]:
    index = index_in_gap(gap, weights, boundaries(gap))
    pairs = zip(index.whole.tolist(), index.rest.tolist(), strict=True)
    return [whole + Fraction(rest, index.span) for whole, rest in pairs]


def days_of(energy: list[int], *days: int) -> ReferenceDays:
    """The same measured day (96 quarter-hours) on each of the UTC days."""
    quarters = np.concatenate([np.arange(day * 96, day * 96 + 96) for day in days])
    return ReferenceDays(quarters, np.tile(np.array(energy, np.int64), len(days)))


def test_a_day_gets_the_shape_of_the_reference_days_scaled_to_its_energy() -> None:
    shape = [quarter % 7 * 10 for quarter in range(96)]
    start_at = (MONDAY + 7) * DAY_S
    gap = a_gap(start_at, start_at + DAY_S, rise=sum(shape) * 2_500, start_value=77)
    weights = gap_weights(gap, days_of(shape, MONDAY, MONDAY + 14), "UTC", gap.rise)
    assert weights is not None
    index = exact(gap, weights)
    assert [after - before for before, after in pairwise(index)] == [
        Fraction(energy * 2_500) for energy in shape
    ]
    assert index[0] == 77


def test_the_first_and_the_last_quarter_hour_weigh_by_their_part_in_the_gap() -> None:
    # From 00:05 to 03:05: 10 of the first 15 minutes, 5 of the last.
    start_at = MONDAY * DAY_S + 300
    gap = a_gap(start_at, start_at + 3 * 3600, rise=11_000)
    reference_days = days_of([3] + [1] * 8 + [0] * 87, MONDAY - 7)
    weights = gap_weights(gap, reference_days, "UTC", gap.rise)
    assert weights is not None
    assert weights.tolist() == [2_000] + [1_000] * 8 + [0] * 4
    assert exact(gap, weights) == [2_200 + 1_100 * min(n, 8) for n in range(12)]


@pytest.mark.parametrize(
    ("weekday", "counts"), [(0, (32, 16, 1)), (1, (16, 32, 1)), (6, (1, 1, 1))]
)
def test_reference_days_of_the_weekday_count_most_then_other_working_days(
    weekday: int, counts: tuple[int, int, int]
) -> None:
    # Midnights of a Monday with 1 Wh, a Tuesday with 100 Wh, a Saturday with 10,000 Wh.
    reference_days = ReferenceDays(96 * (MONDAY + np.array([0, 1, 5])), np.array([1, 100, 10**4]))
    total = sum(count * energy for count, energy in zip(counts, (1, 100, 10**4), strict=True))
    asked = 96 * np.array([MONDAY + 7 + weekday])
    assert comparable_means(reference_days, asked, "UTC").tolist() == [total * 1_000 // sum(counts)]


def test_quarter_hours_are_compared_by_the_local_clock() -> None:
    # 06:00 in Zurich is 05:00 UTC on Saturday, 04:00 UTC a week later, as the clocks changed.
    saturday = MONDAY - 2
    reference_days = ReferenceDays(np.array([96 * saturday + 20]), np.array([5]))
    asked = 96 * (saturday + 7) + np.array([16, 20])
    assert comparable_means(reference_days, asked, "Europe/Zurich").tolist() == [
        5_000,
        NO_REFERENCE,
    ]


def test_reference_days_lie_wholly_in_the_35_days_beside_the_gap() -> None:
    gap = a_gap(100 * DAY_S + 1, 103 * DAY_S - 1, rise=5)
    all_quarters = np.arange(60 * 96, 140 * 96)
    near = ReferenceDays(all_quarters, all_quarters).within(*gap.reference_spans)
    before, after = np.arange(65 * 96 + 1, 100 * 96), np.arange(103 * 96, 138 * 96 - 1)
    assert near.quarters.tolist() == [*before.tolist(), *after.tolist()]
    assert near.energy.tolist() == near.quarters.tolist()


def test_there_is_no_shape_without_a_reference_day_for_each_quarter_of_the_day() -> None:
    start_at = MONDAY * DAY_S
    by_day = ReferenceDays(np.arange(40) + (MONDAY - 7) * 96, np.ones(40, np.int64))
    until_ten, longer = (a_gap(start_at, start_at + h * 3600, rise=9) for h in (10, 11))
    assert gap_weights(until_ten, by_day, "UTC", 9) is not None
    assert gap_weights(longer, by_day, "UTC", 9) is None


@pytest.mark.parametrize("energy", [0, -5])
def test_reference_days_that_counted_nothing_give_no_shape(energy: int) -> None:
    gap = a_gap(MONDAY * DAY_S, (MONDAY + 1) * DAY_S, rise=9)
    assert gap_weights(gap, days_of([energy] * 96, MONDAY - 7), "UTC", 9) is None


def test_what_is_beyond_ten_times_the_comparable_energy_is_spread_evenly() -> None:
    # The days give 1 Wh a day, the gap has 202 Wh: 10 by shape, 192 evenly, 2 a quarter-hour.
    start_at = MONDAY * DAY_S
    gap = a_gap(start_at, start_at + DAY_S, rise=202_000)
    weights = gap_weights(gap, days_of([1] + [0] * 95, MONDAY - 7), "UTC", gap.rise)
    assert weights is not None
    assert np.diff(exact(gap, weights)).tolist() == [12_000] + [2_000] * 95  # type: ignore[arg-type]


@given(
    start_s=st.integers(0, 900),
    gap_s=st.integers(7_201, LONGEST_GAP_S),
    rise=st.integers(0, TEN_GWH),
    start_value=st.integers(0, TEN_GWH),
    factor=st.sampled_from((1, 4_000)),
    day=st.lists(st.sampled_from((0, 1, 7, 250, 10**6, 2**31 - 1)), min_size=96, max_size=96),
)
def test_the_rise_is_distributed_exactly(
    start_s: int, gap_s: int, rise: int, start_value: int, factor: int, day: list[int]
) -> None:
    start_at = MONDAY * DAY_S + start_s
    gap = a_gap(start_at, start_at + gap_s, rise, start_value)
    reference_days = days_of(day, *range(MONDAY - 35, MONDAY))
    weights = gap_weights(gap, reference_days, "Europe/Zurich", rise * factor)
    if weights is None:
        return
    assert int(weights.min()) >= 0
    total = int(weights.sum())
    assert 0 < total < 2**27
    cumulated, wanted = 0, []
    for weight in weights[: len(boundaries(gap))].tolist():
        cumulated += weight
        wanted.append(start_value + Fraction(rise * cumulated, total))
    # A boundary at the first reading comes before any weight.
    inside = exact(gap, weights)[start_at % 900 == 0 :]
    assert inside == wanted[: len(inside)]
    assert all(before <= after for before, after in pairwise(inside))


def test_gaps_are_longer_than_what_is_interpolated_and_at_most_400_days() -> None:
    distances = [900, 7_200, 7_201, LONGEST_GAP_S, LONGEST_GAP_S + 1, 8_000, 8_000, 900]
    stamps = np.cumsum([0, *distances])
    breaks = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1])
    measured = np.full(9, Quality.MEASURED, np.uint8)
    readings = AcceptedReadings(stamps, stamps * 2, measured, breaks)
    everywhere = gaps_between(readings, 7_200, 0, int(stamps[-1]))
    assert [(gap.start_at, gap.end_at) for gap in everywhere] == [
        (int(stamps[at]), int(stamps[at + 1])) for at in (2, 3, 5)
    ]
    assert [gap.rise for gap in everywhere] == [14_402, 2 * LONGEST_GAP_S, 16_000]
    inside = int(stamps[3]) + 1
    assert len(gaps_between(readings, 7_200, inside, inside)) == 1
    assert len(gaps_between(readings, 7_200, 0, 900)) == 0


def test_measured_hours_count_only_where_no_quarter_hour_compares() -> None:
    night, day = 96 * (MONDAY - 7), 96 * (MONDAY - 7) + 48
    hours = ReferenceDays(np.arange(night, night + 96), np.full(96, 25))
    reference_days = ReferenceDays(np.arange(day, day + 4), np.array([10, 20, 30, 40]), hours)

    asked = 96 * MONDAY + np.array([0, 1, 47, 48, 49, 50, 51, 52])
    found = comparable_means(reference_days, asked, "UTC").tolist()

    assert found == [25_000] * 3 + [10_000, 20_000, 30_000, 40_000] + [25_000]
    last_week = reference_days.within((night * 900, (night + 2) * 900))
    assert comparable_means(last_week, asked[:3], "UTC").tolist() == [25_000, 25_000, NO_REFERENCE]
