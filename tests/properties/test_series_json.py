"""What is rendered parses back to exactly what went in."""

import json
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from commonwatt.climkit_v1.series_json import (
    Column,
    render_rows,
    render_sensor_rows,
)
from commonwatt.domain.metering.zones import utc_offsets

LARGEST = 2**63 - 1
LAST_AT = int(datetime.fromisoformat("2100-12-31T00:00Z").timestamp())

magnitudes = st.sampled_from([9, 10, 999, 1000, 9999, 10_000, 99_999, 100_000, 10**7, 10**15])
numbers = st.one_of(
    st.integers(-LARGEST, LARGEST),
    magnitudes.flatmap(lambda most: st.integers(-most, most)),
    magnitudes.flatmap(lambda most: st.integers(0, most)),
    magnitudes.flatmap(lambda most: st.sampled_from([most - 1, most, most + 1, -most])),
)
columns_of_numbers = st.one_of(
    st.lists(numbers, min_size=1, max_size=30),
    st.lists(st.integers(0, 9999), min_size=1, max_size=30),
    st.lists(st.integers(-9999, 99_999), min_size=1, max_size=30),
    st.lists(st.integers(100_000, 9_999_999), min_size=1, max_size=30),
)


def parsed(answer: bytes) -> list[dict[str, Decimal | str]]:
    rows: list[dict[str, Decimal | str]] = json.loads(
        answer, parse_float=Decimal, parse_int=lambda text: f"no decimals: {text}"
    )
    return rows


def quarter_hours(count: int) -> NDArray[np.int64]:
    return np.arange(1, count + 1, dtype=np.int64) * 900


def utc(count: int) -> NDArray[np.int32]:
    return np.zeros(count, np.int32)


@given(columns_of_numbers)
@example([29, -10, 0])
@example([LARGEST, -LARGEST, 0, -1])
def test_thousandths_parse_back_exactly(values: list[int]) -> None:
    count = len(values)

    answer = render_rows([Column("total", np.array(values))], quarter_hours(count), utc(count))

    read = [row["total"] for row in parsed(answer)]
    assert read == [Decimal(value).scaleb(-3) for value in values]
    assert all(isinstance(number, Decimal) and number.as_tuple().exponent == -3 for number in read)


@given(columns_of_numbers)
@example([123_456_789_012, 1_000])
@example([5_000_000, 0])
def test_millionths_parse_back_with_the_decimals_they_need(values: list[int]) -> None:
    count = len(values)
    column = Column("en_im", np.array(values), decimals=6)

    answer = render_rows([column], quarter_hours(count), utc(count))

    read = [row["en_im"] for row in parsed(answer)]
    assert read == [Decimal(value).scaleb(-6) for value in values]
    for number, value in zip(read, values, strict=True):
        assert isinstance(number, Decimal)
        needed = next(places for places in (3, 4, 5, 6) if value % 10 ** (6 - places) == 0)
        assert number.as_tuple().exponent == -needed


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    instants_at=st.lists(st.integers(0, LAST_AT), min_size=1, max_size=30),
)
@example(zone="Africa/Monrovia", instants_at=[0, 1_700_000_000])
@example(zone="Europe/Zurich", instants_at=[4_133_980_799, 4_133_980_800, -1, 253_370_000_000])
def test_stamps_are_those_of_zoneinfo(zone: str, instants_at: list[int]) -> None:
    offsets = utc_offsets(zone, np.array(instants_at))

    answer = render_rows([], np.array(instants_at), offsets)

    expected = [str(datetime.fromtimestamp(at, ZoneInfo(zone))) for at in instants_at]
    assert [row["timestamp"] for row in parsed(answer)] == expected


@given(
    runs=st.lists(
        st.tuples(st.integers(1, 200), st.booleans(), st.booleans()), min_size=1, max_size=12
    ),
    data=st.data(),
)
def test_a_row_has_the_keys_that_it_has(
    runs: list[tuple[int, bool, bool]], data: st.DataObject
) -> None:
    lengths = [run[0] for run in runs]
    has_self, has_ext = (np.repeat([run[key] for run in runs], lengths) for key in (1, 2))
    count = sum(lengths)
    seed = data.draw(st.integers(0, 2**32))
    values = np.random.default_rng(seed).integers(-12_000, 12_000, count)
    # A value that a row has not must not matter, not even for the width.
    self_wh = np.where(has_self, values, 10**17)
    ext_wh = np.where(has_ext, values + 1, -(10**17))

    answer = render_rows(
        [
            Column("total", values),
            Column("self", self_wh, present=has_self),
            Column("ext", ext_wh, present=has_ext),
        ],
        quarter_hours(count),
        utc(count),
    )

    expected = []
    for position, value in enumerate(values.tolist()):
        row = {"total": Decimal(value).scaleb(-3)}
        if has_self[position]:
            row["self"] = Decimal(value).scaleb(-3)
        if has_ext[position]:
            row["ext"] = Decimal(value + 1).scaleb(-3)
        expected.append(list(row.items()))
    assert [list(row.items())[:-1] for row in parsed(answer)] == expected
    assert "10000000" not in answer.decode()


@given(
    st.lists(
        st.tuples(
            st.integers(0, LAST_AT), st.floats(allow_nan=False, allow_infinity=False, width=64)
        ),
        max_size=30,
    )
)
def test_sensor_values_parse_back_exactly(rows: list[tuple[int, float]]) -> None:
    stamps_at = np.array([stamp_at for stamp_at, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.float64)

    answer = json.loads(render_sensor_rows(stamps_at, values))

    assert answer == [{"timestamp": at, "value": value} for at, value in rows]
    assert all(type(row["timestamp"]) is int for row in answer)
