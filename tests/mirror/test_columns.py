"""Answers as columns: amounts to the mWh, and what readings are."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.client import Series
from commonwatt.domain.metering.catalogue import Medium
from commonwatt.domain.reference.reference import NO_VALUE
from commonwatt.mirror.columns import amounts, readings_of, reference_of
from commonwatt.mirror.meter_feeds import interval_of

FIRST_AT = 1_790_000_100


def readings(
    values: Sequence[float | None], step_s: int = 900, register: str = "en_im", off_s: int = 0
) -> Series:
    """Readings at regular instants."""
    stamps = [FIRST_AT // 900 * 900 + off_s + step_s * place for place in range(len(values))]
    window = (stamps[0], stamps[-1] + 1)
    return Series(stamps, stamps, {register: values}, "kWh", "Europe/Zurich", None, window)


@given(st.integers(-(9 * 10**15) + 10**9, 9 * 10**15 - 10**9))
def test_amounts_are_the_nearest_mwh_of_what_was_sent(raw: int) -> None:
    """Whatever was written with up to six decimals, as far as a double tells them apart."""
    sent = raw / 1_000_000
    [found] = amounts([sent])
    step = Fraction(float(np.spacing(abs(sent)))) * 1_000_000
    assert abs(int(found) - raw) <= step
    if abs(raw) < 10**14:
        assert found == raw


@pytest.mark.parametrize("value", [None, 9e9, -9e9, 1e300, float("inf")])
def test_what_is_no_amount_is_no_value(value: float | None) -> None:
    assert amounts([value, 0.5]).tolist() == [NO_VALUE, 500_000]


def test_rows_off_the_quarter_hour_are_none() -> None:
    starts_at = [0, 900, 1000, 1800]
    ends_at = [each + 900 for each in starts_at]
    columns = {"total": [0.1, None, 0.3, 0.4]}
    series = Series(starts_at, ends_at, columns, "kWh", "UTC", None, (0, 2700))

    quarters = reference_of(series)

    assert quarters.starts_at.tolist() == [0, 900, 1800]
    assert quarters.total.tolist() == [100_000, NO_VALUE, 400_000]
    assert quarters.self_.tolist() == quarters.ext.tolist() == [NO_VALUE] * 3


def test_a_row_with_something_that_is_no_index_is_rejected_whole() -> None:
    rows = readings_of(readings([1.0, -1.0, None, 9.1e9, 2.5]), "a" * 24, Medium.ELECTRICITY)

    assert (rows.rows.tolist(), [each.row for each in rows.rejected]) == ([1, 5], [2, 4])
    assert rows.total == 4
    assert [column.tolist() for column in rows.values.values()] == [[1_000_000, 2_500_000]]


def test_registers_of_other_media_are_none() -> None:
    rows = readings_of(readings([1.0, 2.0], register="vol_m3"), "a" * 24, Medium.HEATING)

    assert (rows.total, [*rows.values]) == (0, [])


def index(count: int) -> list[float | None]:
    """An index that rises now and then."""
    return [float(place // 3) for place in range(count)]


def energy(count: int) -> list[float | None]:
    """Energy of intervals, of a roof: nothing at night, most at noon."""
    return [max(0.0, float(np.sin(place / 96 * 2 * np.pi))) for place in range(count)]


@pytest.mark.parametrize(
    ("raw", "expected_s"),
    [
        (readings(energy(96)), 900),
        (readings(energy(96), 1800), 1800),
        (readings(energy(96), 3600), 3600),
        (readings(energy(96), off_s=45), 900),
        (readings(energy(96), off_s=90), None),
        (readings(energy(96), 86_400), None),
        (readings(index(96)), None),
        (readings([0.0] * 96), None),
        (readings([*index(48), *index(48)]), None),
        (readings(index(12) * 8), None),
        (readings([500.0, 0.0] * 48), None),
        (readings([500.01, 500.0, 500.02, 500.01] * 24), None),
        (readings([1.0]), None),
    ],
    ids=[
        *("quarter-hours", "half-hours", "hours", "jitter", "off the quarter-hour", "days"),
        *("index", "nothing", "exchanged device"),
        *("reset again and again", "zeros between", "trembling", "one reading"),
    ],
)
def test_energy_of_intervals_is_told_from_indexes(raw: Series, expected_s: int | None) -> None:
    assert interval_of(raw, Medium.ELECTRICITY) == expected_s
