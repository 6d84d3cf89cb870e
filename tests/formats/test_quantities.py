"""Numbers: every decimal of 15 digits is the very number of millionths that it writes."""

import json
from decimal import ROUND_HALF_UP, Decimal

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commonwatt.formats.readings.quantities import quantities_from_numbers, quantities_from_texts

LARGEST = 9_000_000_000


def millionths(text: str) -> int:
    return int((Decimal(text).quantize(Decimal("1e-6"), ROUND_HALF_UP)) * 1_000_000)


@st.composite
def decimal_texts(draw: st.DrawFn, digits: int = 15) -> str:
    decimals = draw(st.integers(0, digits - 1))
    number = draw(st.integers(0, 10**digits - 1))
    text = f"{Decimal(number).scaleb(-decimals):f}"
    return text if Decimal(text) <= LARGEST else "9000000000"


@given(st.lists(decimal_texts(), max_size=10))
@example(
    [
        "539926.4129155",
        "661499.9078215",
        "8999999999.99999",
        "4294967296.000001",
        "0.0000005",
        "1.0000005",
        "2.0000015",
    ]
)
def test_json_numbers_of_15_digits_are_exact(texts: list[str]) -> None:
    column, faults = quantities_from_numbers(orjson.loads(f"[{','.join(texts)}]"))
    assert not faults
    assert column.tolist() == [millionths(text) for text in texts]


@given(st.lists(decimal_texts() | decimal_texts(digits=30), max_size=10))
def test_texts_of_any_length_are_exact(texts: list[str]) -> None:
    column, faults = quantities_from_texts(texts)
    assert not faults
    assert column.tolist() == [millionths(text) for text in texts]


@given(st.integers(0, 8_589_934_592_000_000))
def test_six_decimals_are_exact_up_to_two_to_the_33rd(number: int) -> None:
    text = f"{Decimal(number).scaleb(-6):f}"
    assert quantities_from_numbers(json.loads(f"[{text}]"))[0].tolist() == [number]


@given(st.lists(st.floats(0, LARGEST) | st.integers(0, LARGEST) | st.none(), max_size=20))
def test_any_double_is_within_one_millionth(values: list[float | None]) -> None:
    column, faults = quantities_from_numbers(values)
    assert not faults
    for value, found in zip(values, column.tolist(), strict=True):
        if value is None:
            assert found == -1
        else:
            assert abs(Decimal(value) * 1_000_000 - found) <= 1


def test_the_largest_and_the_smallest() -> None:
    numbers, faults = quantities_from_numbers([9e9, 9_000_000_000, 0, -0.0, 0.0000004])
    assert numbers.tolist() == [9 * 10**15, 9 * 10**15, 0, 0, 0]
    assert not faults


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (True, "True is not a number; an index is a number from 0 to 9000000000"),
        ("12.5", "'12.5' is not a number"),
        ([1], "a list is not a number"),
        ({}, "an object is not a number"),
        (float("nan"), "nan is not a number"),
        (float("inf"), "inf is not a number"),
        (-0.001, "-0.001 is negative"),
        (-5, "-5.0 is negative"),
        (9_000_000_000.01, "is too large"),
        (1e300, "1e+300 is too large"),
        (10**30, "a number of over 19 digits is too large"),
        (-(10**400), "is negative"),
    ],
)
def test_what_is_no_index_is_named(value: object, says: str) -> None:
    column, faults = quantities_from_numbers([1.5, value, None])
    assert faults.keys() == {1}
    assert says in faults[1]
    assert column.tolist() == [1_500_000, -1, -1]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e3", 1_000_000_000),
        (" 1.5 ", 1_500_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        ("+1", 10**6),
    ],
)
def test_other_spellings_of_numbers(text: str, number: int) -> None:
    assert quantities_from_texts(["7", text, "", "  "])[0].tolist() == [7_000_000, number, -1, -1]


@pytest.mark.parametrize(
    "text",
    ["1,5", "1.2.3", ".", "1_000", "nan", "inf", "-1", "9000000000.000001", "1E+999", "x", "１"],
)
def test_texts_that_are_no_index_are_named(text: str) -> None:
    column, faults = quantities_from_texts(["7", text])
    assert faults.keys() == {1}
    assert text in faults[1]
    assert column.tolist() == [7_000_000, -1]
