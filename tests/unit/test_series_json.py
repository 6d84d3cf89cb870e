import json

import numpy as np
import pytest

from commonwatt.climkit_v1.series_json import (
    PART_BYTES,
    Column,
    render_rows,
    render_sensor_rows,
    rows_in_parts,
    stamps_of,
)


def test_no_rows_is_an_empty_array() -> None:
    none = np.empty(0, np.int64)
    assert render_rows([Column("total", none)], none, none.astype(np.int32)) == b"[]"
    assert render_sensor_rows(none, none.astype(np.float64)) == b"[]"


def test_keys_come_in_the_order_of_the_columns() -> None:
    one = np.array([1], np.int32)
    columns = [Column(name, one) for name in ("total", "self", "ext")]

    answer = render_rows(columns, np.array([900]), np.zeros(1, np.int32))

    assert answer == (
        b'[{"total":0.001,"self":0.001,"ext":0.001,"timestamp":"1970-01-01 00:15:00+00:00"}]'
    )


def test_a_year_is_written_as_its_rows_one_by_one() -> None:
    # More than one block, and more than one template.
    count = 35_040
    stamps_at = np.arange(count, dtype=np.int64) * 900
    offsets = np.where(stamps_at > 10**7, 7200, 3600).astype(np.int32)
    totals = (np.arange(count) * 37 % 12_345).astype(np.int32)
    present = stamps_at > 2 * 10**7

    def rendered(rows: slice) -> list[dict[str, object]]:
        column = Column("self", totals[rows], present=present[rows])
        read: list[dict[str, object]] = json.loads(
            render_rows([Column("total", totals[rows]), column], stamps_at[rows], offsets[rows])
        )
        return read

    whole = rendered(slice(None))

    assert len(whole) == count
    for position in (*range(0, count, 997), 11_110, 11_111, 11_112, 22_222, 22_223, count - 1):
        assert [whole[position]] == rendered(slice(position, position + 1))


def test_alternating_rows_keep_their_order() -> None:
    count = 10_000
    values = np.arange(count)
    # Out of step from the middle on, so that a row lacks what its place in an earlier block had.
    odd = (values + (values > 5_000)) % 2 == 1
    stamps_at, offsets = values * 900, np.zeros(count, np.int32)

    def rendered(absent: int) -> bytes:
        en_im = np.where(odd, absent, values * 1000)
        en_ex = np.where(odd, values * 1000, absent)
        columns = [
            Column("en_im", en_im, decimals=6, present=~odd),
            Column("en_ex", en_ex, decimals=6, present=odd),
        ]
        return render_rows(columns, stamps_at, offsets)

    answer = rendered(absent=0)

    assert rendered(absent=10**17) == answer
    rows = json.loads(answer)
    assert [list(row) for row in rows[:2]] == [["en_im", "timestamp"], ["en_ex", "timestamp"]]
    assert [row.get("en_im", row.get("en_ex")) for row in rows] == [n / 1000 for n in range(count)]


def test_a_key_that_no_row_has_costs_nothing() -> None:
    values = np.arange(3)
    absent = np.zeros(3, np.bool_)
    stamps_at, offsets = values * 900, np.zeros(3, np.int32)

    answer = render_rows(
        [Column("total", values), Column("self", values, present=absent)], stamps_at, offsets
    )

    assert answer == render_rows([Column("total", values)], stamps_at, offsets)


def test_names_are_escaped() -> None:
    answer = render_rows([Column('a"b', np.array([1]))], np.array([0]), np.zeros(1, np.int32))
    assert list(json.loads(answer)[0]) == ['a"b', "timestamp"]


@pytest.mark.parametrize(("word", "expected"), [("15T", 900), ("H", 0), ("D", 0), ("M", 0)])
def test_only_quarter_hours_are_stamped_with_their_end(word: str, expected: int) -> None:
    assert stamps_of(np.array([0]), word).tolist() == [expected]


@pytest.mark.parametrize(("keys", "count"), [(3, 60_000), (400, 700)])
def test_parts_are_bounded_and_together_the_whole(keys: int, count: int) -> None:
    stamps_at, offsets = np.arange(count) * 900, np.zeros(count, np.int32)
    columns = [Column(f"total_{key:040}", np.arange(count) + key) for key in range(keys)]

    parts = list(rows_in_parts(columns, stamps_at, offsets))

    assert len(parts) > 3
    assert max(map(len, parts)) <= PART_BYTES
    assert b"[" + b"".join(parts)[1:] + b"]" == render_rows(columns, stamps_at, offsets)
