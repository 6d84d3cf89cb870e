"""The index at boundaries equals exact fractions, whatever its size."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.vee.boundary_index import (
    LONGEST_GAP_S,
    AcceptedReadings,
    BoundaryIndex,
    interpolate,
    rounded,
)

TEN_GWH = 10**16
"""[mWh]"""
START_AT = 19_000 * 86_400
FACTORS = ("1", "4000", "0.001", "0.333", "39.999", "1.25")


def readings(
    *stamped: tuple[int, int],
    estimated: tuple[int, ...] = (),
    edited: tuple[int, ...] = (),
) -> AcceptedReadings:
    stamps = np.array([at for at, _ in stamped], np.int64)
    values = np.array([mwh for _, mwh in stamped], np.int64)
    falls = np.concatenate(([0], np.diff(values) < 0)).astype(np.int64)
    at_best = np.full(len(stamps), Quality.MEASURED, np.uint8)
    at_best[np.isin(stamps, estimated)] = Quality.ESTIMATED
    at_best[np.isin(stamps, edited)] = Quality.EDITED
    return AcceptedReadings(stamps, values, at_best, np.cumsum(falls))


def exact(index: BoundaryIndex, position: int) -> Fraction:
    rest = Fraction(int(index.rest[position]), int(index.span[position]))
    return int(index.whole[position]) + rest


@given(
    first_mwh=st.integers(0, TEN_GWH),
    rise_mwh=st.integers(0, TEN_GWH),
    gap_s=st.integers(1, LONGEST_GAP_S),
    elapsed=st.data(),
    factor=st.sampled_from(FACTORS),
)
def test_interpolation_and_rounding_are_exact(
    first_mwh: int, rise_mwh: int, gap_s: int, elapsed: st.DataObject, factor: str
) -> None:
    after_s = elapsed.draw(st.integers(0, gap_s))
    accepted = readings((START_AT, first_mwh), (START_AT + gap_s, first_mwh + rise_mwh))
    index = interpolate(accepted, np.array([START_AT + after_s]), 7200)
    wanted = first_mwh + Fraction(rise_mwh * after_s, gap_s)
    assert exact(index, 0) == wanted
    assert 0 <= index.rest[0] < index.span[0]
    wh = (Fraction(Decimal(factor)) * wanted / 1000 + Fraction(1, 2)).__floor__()
    assert rounded(index, Decimal(factor)).tolist() == [wh]


def test_400_days_of_ten_gwh_with_a_factor_of_4000() -> None:
    end_at = START_AT + LONGEST_GAP_S
    accepted = readings((START_AT, 7), (end_at, TEN_GWH + 7))
    instants = np.arange(START_AT, end_at + 1, 900)
    index = interpolate(accepted, instants, 7200)
    wh = rounded(index, Decimal(4000))
    assert (np.diff(wh) >= 0).all()
    assert wh[-1] - wh[0] == 4 * TEN_GWH
    for position in (1, 777, len(instants) - 2):
        mwh = 7 + Fraction(TEN_GWH * 900 * position, LONGEST_GAP_S)
        assert wh[position] == (4 * mwh + Fraction(1, 2)).__floor__()


@given(whole=st.integers(0, 10**6), rest=st.integers(0, 899), factor=st.sampled_from(FACTORS))
@example(whole=499, rest=450, factor="1")
@example(whole=500, rest=0, factor="1")
@example(whole=0, rest=112, factor="4000")
def test_halves_are_rounded_up(whole: int, rest: int, factor: str) -> None:
    columns = (np.array([n], np.int64) for n in (whole, rest, 900, 5, 0, 1))
    index = BoundaryIndex(*columns)  # type: ignore[arg-type]
    mwh = Fraction(Decimal(factor)) * (whole + Fraction(rest, 900))
    assert rounded(index, Decimal(factor))[0] == (mwh / 1000 + Fraction(1, 2)).__floor__()


@given(
    st.lists(st.integers(0, 10**7), min_size=2, max_size=30),
    st.lists(st.integers(1, 4000), min_size=30, max_size=30),
    st.sampled_from(FACTORS),
)
def test_a_rising_index_gives_no_negative_quarter_and_telescopes(
    rises: list[int], gaps: list[int], factor: str
) -> None:
    stamps = START_AT + np.cumsum(gaps[: len(rises)])
    accepted = readings(*zip(stamps.tolist(), np.cumsum(rises).tolist(), strict=True))
    boundaries = np.arange(int(stamps[0]) // 900, int(stamps[-1]) // 900 + 2) * 900
    index = interpolate(accepted, boundaries, 7200)
    wh = rounded(index, Decimal(factor))[index.quality >= Quality.ESTIMATED]
    energy = np.diff(wh)
    assert (energy >= 0).all()
    if len(wh):
        assert energy.sum() == wh[-1] - wh[0]


@pytest.mark.parametrize(
    ("gap_s", "quality"),
    [
        (1800, Quality.MEASURED),
        (1801, Quality.INTERPOLATED),
        (7200, Quality.INTERPOLATED),
        (7201, Quality.ESTIMATED),
        (LONGEST_GAP_S, Quality.ESTIMATED),
        (LONGEST_GAP_S + 1, Quality.MISSING),
    ],
)
def test_quality_follows_the_distance_of_the_readings(gap_s: int, quality: Quality) -> None:
    accepted = readings((START_AT, 0), (START_AT + gap_s, 10))
    inside, on_it = interpolate(accepted, np.array([START_AT + 1, START_AT + gap_s]), 7200).quality
    assert (inside, on_it) == (quality, Quality.MEASURED)


def test_before_the_first_after_the_last_and_across_a_break_nothing_is_known() -> None:
    accepted = readings((START_AT, 100), (START_AT + 900, 50))
    instants = START_AT + np.array([-1, 0, 450, 900, 901])
    missing, measured = Quality.MISSING, Quality.MEASURED
    assert interpolate(accepted, instants, 7200).quality.tolist() == [
        missing,
        measured,
        missing,
        measured,
        missing,
    ]


def test_what_rests_on_an_estimated_reading_is_at_best_estimated() -> None:
    stamped = [(START_AT + 900 * n, n) for n in range(4)]
    accepted = readings(*stamped, estimated=(START_AT + 900,))
    instants = START_AT + np.array([0, 450, 900, 1350, 1800, 2250])
    estimated, measured = Quality.ESTIMATED, Quality.MEASURED
    assert interpolate(accepted, instants, 7200).quality.tolist() == [
        measured,
        estimated,
        estimated,
        estimated,
        measured,
        measured,
    ]


def test_what_rests_on_an_edited_reading_is_at_best_edited() -> None:
    stamped = [(START_AT, 0), (START_AT + 900, 1), (START_AT + 1800, 2), (START_AT + 5400, 3)]
    accepted = readings(*stamped, edited=(START_AT + 900, START_AT + 5400))
    instants = START_AT + np.array([0, 450, 900, 1350, 1800, 2700])
    edited, measured = Quality.EDITED, Quality.MEASURED
    assert interpolate(accepted, instants, 7200).quality.tolist() == [
        measured,
        edited,
        edited,
        edited,
        measured,
        Quality.INTERPOLATED,
    ]
