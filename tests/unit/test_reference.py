"""Quarter-hours of another platform: what is none is refused, and their stored bytes stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from commonwatt.adapters.store.packing.columns import (
    UnreadableBlob,
    pack_reference_day,
    unpack_reference_day,
)
from commonwatt.domain.reference.reference import NO_VALUE, VALUE_MAX, ReferenceQuarters

MIDNIGHT_AT = 20_000 * 86_400


def of_totals(starts_at: list[int], totals: list[int]) -> ReferenceQuarters:
    total = np.array(totals, np.int64)
    nothing = np.full(len(totals), NO_VALUE, np.int64)
    return ReferenceQuarters(np.array(starts_at, np.int64), total, nothing, nothing)


@pytest.mark.parametrize(
    ("starts_at", "totals", "words"),
    [
        ([MIDNIGHT_AT + 1], [0], "quarter-hours"),
        ([MIDNIGHT_AT, MIDNIGHT_AT], [0, 0], "ascend"),
        ([MIDNIGHT_AT + 900, MIDNIGHT_AT], [0, 0], "ascend"),
        ([MIDNIGHT_AT], [0, 0], "total must be int64, one value for each"),
        ([MIDNIGHT_AT], [VALUE_MAX + 1], "total must be at most"),
        ([MIDNIGHT_AT], [NO_VALUE + 1], "total must be at most"),
    ],
)
def test_what_is_no_run_of_quarter_hours_is_refused(
    starts_at: list[int], totals: list[int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        of_totals(starts_at, totals)


def test_a_column_of_another_type_is_refused() -> None:
    column = np.array([0], np.int64)
    with pytest.raises(ValueError, match="self_ must be int64"):
        ReferenceQuarters(column, column, column.astype(np.float64), column)


def test_the_largest_amounts_and_nothing_are_taken() -> None:
    kept = of_totals([MIDNIGHT_AT + 900 * n for n in range(3)], [VALUE_MAX, -VALUE_MAX, NO_VALUE])
    assert kept.laid_out(MIDNIGHT_AT // 900 - 1, MIDNIGHT_AT // 900 + 4)["total"].tolist() == [
        *(NO_VALUE, VALUE_MAX, -VALUE_MAX, NO_VALUE, NO_VALUE)
    ]


def test_between_takes_the_quarter_hours_that_begin_in_it() -> None:
    kept = of_totals([MIDNIGHT_AT, MIDNIGHT_AT + 900, MIDNIGHT_AT + 2700], [1, 2, 3])
    for start_s, end_s, totals in (
        *((0, 901, [1, 2]), (1, 2700, [2]), (900, 9000, [2, 3])),
        *((-900, 0, []), (900, 900, []), (2700, 900, [])),
    ):
        part = kept.between(MIDNIGHT_AT + start_s, MIDNIGHT_AT + end_s)
        assert part.total.tolist() == totals


amounts = st.one_of(
    st.just(NO_VALUE),
    st.integers(-(10**7), 10**7),
    st.sampled_from([2**31 - 1, -(2**31) + 1]),
)
beyond_int32 = st.sampled_from([2**31, -(2**31), VALUE_MAX, -VALUE_MAX])


@st.composite
def days(draw: st.DrawFn) -> NDArray[np.int64]:
    few = draw(st.lists(amounts, min_size=1, max_size=8))
    values = np.resize(np.array(few, np.int64), 96)
    if draw(st.booleans()):
        values[draw(st.integers(0, 95))] = draw(beyond_int32)
    return values


@given(days())
def test_what_is_packed_comes_back_as_small_as_it_fits(values: NDArray[np.int64]) -> None:
    blob = pack_reference_day(values)

    assert unpack_reference_day(blob).tolist() == values.tolist()
    known = [value for value in values.tolist() if value != NO_VALUE]
    if not known:
        assert blob is None
    else:
        assert blob is not None
        is_small = all(abs(value) < 2**31 for value in known)
        assert len(blob) == 96 * (4 if is_small else 8)


def test_the_stored_bytes_stay_as_they_are() -> None:
    values = np.full(96, NO_VALUE, np.int64)
    values[:2] = 1, -2
    small = bytes.fromhex("01000000 feffffff") + bytes.fromhex("00000080") * 94
    assert pack_reference_day(values) == small
    values[2] = 2**31
    large = bytes.fromhex("0100000000000000 feffffffffffffff 0000008000000000")
    assert pack_reference_day(values) == large + bytes.fromhex("0000000000000080") * 93


def test_bytes_of_another_length_are_not_read() -> None:
    with pytest.raises(UnreadableBlob, match="95 bytes"):
        unpack_reference_day(bytes(95))
