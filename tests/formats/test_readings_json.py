"""JSON and NDJSON bodies: good rows become columns, each bad row says why."""

import json
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import NOT_ISSUED, MeterName, ReadingQuality
from commonwatt.formats.errors import UnreadableBody
from commonwatt.formats.readings.bodies import (
    UnknownContentType,
    readings_from_body,
    sensor_values_from_body,
)
from commonwatt.formats.readings.json import (
    readings_from_json,
    readings_from_ndjson,
    sensor_values_from_json,
)

METER = "61dfcb4beba4e3563fdf3d9f"
GOOD = {"meter": METER, "timestamp": "2026-01-05T10:15:03", "en_im": 1234.567, "en_ex": 0.01}


def test_rows_become_columns() -> None:
    other = {"type": "cold_water", "prim_ad": 31, "timestamp": "2026-01-05 11:15:03.9+01:00"}
    said = {"quality": "estimated", "issued_at": "2026-01-05T10:20:00.25Z", "serial": "94158192"}
    readings = readings_from_json(orjson.dumps([GOOD, other | {"vol_m3": 7} | said]))
    assert readings.rows.tolist() == [1, 2]
    assert readings.meters == [MeterName(id=METER), MeterName(type="cold_water", prim_ad=31)]
    assert readings.meter_codes.tolist() == [0, 1]
    assert readings.stamps.tolist() == [1_767_608_103, 1_767_608_103]
    assert {register: column.tolist() for register, column in readings.values.items()} == {
        Register.EN_IM: [1_234_567_000, -1],
        Register.EN_EX: [10_000, -1],
        Register.VOL_M3: [-1, 7_000_000],
    }
    assert readings.qualities.tolist() == [ReadingQuality.MEASURED, ReadingQuality.ESTIMATED]
    assert readings.issued_at.tolist() == [NOT_ISSUED, 1_767_608_400_250_000]
    assert readings.serials == ["94158192"]
    assert readings.serial_codes is not None
    assert readings.serial_codes.tolist() == [-1, 0]
    assert (readings.rejected, readings.total) == ([], 2)


def test_null_is_absent() -> None:
    row = GOOD | {"en_ex": None, "quality": None, "issued_at": None, "serial": None, "type": None}
    readings = readings_from_json(orjson.dumps([row]))
    assert readings.rejected == []
    assert readings.values[Register.EN_EX].tolist() == [-1]
    assert readings.issued_at.tolist() == [NOT_ISSUED]


BAD_ROWS: list[tuple[object, str]] = [
    (5, "5 is not an object"),
    (None, "None is not an object"),
    ([], "a list is not an object"),
    ({}, "names no meter; give meter (its id), or type and prim_ad"),
    (GOOD | {"meter": "abc"}, "meter: 'abc' is not an id, 24 digits of 0-9 and a-f"),
    (GOOD | {"meter": METER.upper()}, "is not an id, 24 digits of 0-9 and a-f"),
    (GOOD | {"meter": 11}, "meter: 11 is not a meter id"),
    (GOOD | {"type": "electricity"}, "names its meter twice"),
    ({"type": "electricity", "timestamp": "2026-01-05", "en_im": 1}, "prim_ad is missing"),
    ({"prim_ad": 11, "timestamp": "2026-01-05", "en_im": 1}, "type is missing"),
    ({"type": "gas", "prim_ad": 11, "en_im": 1}, "type: 'gas' is none of electricity, heating"),
    ({"type": "electricity", "prim_ad": "11", "en_im": 1}, "prim_ad: '11' is not a whole number"),
    ({"type": "electricity", "prim_ad": 1.0, "en_im": 1}, "prim_ad: 1.0 is not a whole number"),
    ({"type": "electricity", "prim_ad": True, "en_im": 1}, "prim_ad: True is not a whole number"),
    ({"type": "electricity", "prim_ad": -1, "en_im": 1}, "prim_ad: -1 is not a number from 0"),
    ({"meter": METER, "en_im": 1}, "timestamp: is missing"),
    (GOOD | {"timestamp": 1_767_608_103}, "timestamp: 1767608103 is not a stamp"),
    (
        GOOD | {"timestamp": "2026-02-30T00:00:00"},
        "timestamp: '2026-02-30T00:00:00' does not exist",
    ),
    ({"meter": METER, "timestamp": "2026-01-05"}, "has no value; give one of en_im"),
    (GOOD | {"en_im": None, "en_ex": None}, "has no value"),
    (GOOD | {"en_imp": 4}, "unknown key 'en_imp'; did you mean en_im?"),
    (GOOD | {"L1_a": 4}, "unknown key 'L1_a'; known are meter, type"),
    (GOOD | {"en_im": True}, "en_im: True is not a number"),
    (GOOD | {"en_im": "1234"}, "en_im: '1234' is not a number"),
    (GOOD | {"en_ex": -0.01}, "en_ex: -0.01 is negative"),
    (GOOD | {"en_im": 9_000_000_001}, "en_im: 9000000001.0 is too large"),
    (GOOD | {"en_im": float("nan")}, "en_im: nan is not a number"),
    (GOOD | {"en_ex": float("inf")}, "en_ex: inf is not a number"),
    (GOOD | {"en_ex": float("-inf")}, "en_ex: -inf is not a number"),
    (GOOD | {"quality": "good"}, "quality: 'good' is none of measured, estimated, placeholder"),
    (GOOD | {"quality": 1}, "quality: 1 is not a word"),
    (GOOD | {"issued_at": "soon"}, "issued_at: 'soon' is not a stamp"),
    (GOOD | {"issued_at": 5}, "issued_at: 5 is not a stamp"),
    (GOOD | {"serial": 94158192}, "serial: 94158192 is not text"),
    (GOOD | {"serial": ""}, "serial: '' is not 1 to 64 letters"),
    (GOOD | {"serial": "x" * 65}, "is not 1 to 64 letters"),
    (GOOD | {"serial": "a\x00b"}, "is not 1 to 64 letters"),
]


@pytest.mark.parametrize(("row", "says"), BAD_ROWS)
def test_a_bad_row_says_why_and_good_ones_stay(row: object, says: str) -> None:
    readings = readings_from_json(json.dumps([GOOD, row, GOOD]).encode())
    assert [rejected.row for rejected in readings.rejected] == [2]
    assert says in readings.rejected[0].reason
    assert readings.rows.tolist() == [1, 3]
    assert readings.values[Register.EN_IM].tolist() == [1_234_567_000] * 2
    assert set(readings.meters) == {MeterName(id=METER)}
    assert readings.total == 3


def test_all_bad_rows_together_and_names_that_look_alike() -> None:
    rows = [row for row, _ in BAD_ROWS]
    lookalike = {"type": "electricity", "prim_ad": 1, "timestamp": "2026-01-05", "en_im": 1}
    readings = readings_from_json(json.dumps([*rows, lookalike, *rows]).encode())
    assert len(readings.rejected) == 2 * len(rows)
    assert readings.rows.tolist() == [len(rows) + 1]
    [code] = readings.meter_codes.tolist()
    assert readings.meters[code] == MeterName(type="electricity", prim_ad=1)
    for rejected, (_, says) in zip(readings.rejected, BAD_ROWS, strict=False):
        assert says in rejected.reason


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        (b"", (1, 1), "Expecting value"),
        (b"{}", (1, 1), "expected a JSON array of rows"),
        (b"null", (1, 1), "expected a JSON array of rows"),
        (b'[{"meter": "a"},\n {"meter" 5}]', (2, 11), "Expecting ':' delimiter"),
        (b'[\n"\xff"]', (2, 2), "the text is not UTF-8"),
        (b"[" * 200_000, (0, 0), "nested too deep"),
        (b"[1" + b"0" * 5000 + b", NaN]", (0, 0), "Exceeds the limit"),
    ],
)
def test_a_body_that_is_no_json_says_where(body: bytes, place: tuple[int, int], says: str) -> None:
    with pytest.raises(UnreadableBody) as raised:
        readings_from_json(body)
    assert (raised.value.line, raised.value.column) == place
    assert says in str(raised.value)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert readings_from_json(b"\xef\xbb\xbf[]").total == 0
    assert readings_from_ndjson(b"\xef\xbb\xbf" + orjson.dumps(GOOD)).total == 1


def test_a_broken_line_costs_only_itself() -> None:
    good = orjson.dumps(GOOD)
    lines = [
        good,
        b"",
        b'{"meter": ',
        b"  \r",
        good + b"\r",
        b"7",
        b'{"en_im": NaN}',
        b"\xff",
        good,
    ]
    readings = readings_from_ndjson(b"\n".join(lines))
    assert readings.rows.tolist() == [1, 3, 7]
    assert [(bad.row, bad.reason[:30]) for bad in readings.rejected] == [
        (2, "not JSON: Expecting value (col"),
        (4, "7 is not an object with keys s"),
        (5, "names no meter; give meter (it"),
        (6, "not JSON: the text is not UTF-"),
    ]
    assert readings.total == 7


@pytest.mark.parametrize(
    ("row", "content_type", "between"),
    [
        (b"1", "application/json", b","),
        (b"1", "application/x-ndjson", b"\n"),
        (b"meter,timestamp,en_im", "text/csv", b"\n"),
    ],
)
def test_a_body_of_too_many_rows(row: bytes, content_type: str, between: bytes) -> None:
    body = between.join([row] * 500_002)
    body = b"[" + body + b"]" if between == b"," else body
    with pytest.raises(UnreadableBody, match="rows; a body has at most 500000, send several"):
        readings_from_body(body, content_type)


def test_more_serials_than_a_body_can_have() -> None:
    rows = [GOOD | {"serial": str(number)} for number in range(32_770)]
    readings = readings_from_json(orjson.dumps(rows))
    assert len(readings.serials) == 32_767
    assert [bad.row for bad in readings.rejected] == [32_768, 32_769, 32_770]
    assert "more than 32767 serials" in readings.rejected[0].reason


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
likely_rows = st.fixed_dictionaries(
    {},
    optional={
        "meter": st.just(METER) | json_values,
        "type": st.just("electricity") | json_values,
        "prim_ad": st.integers(-1, 3) | json_values,
        "timestamp": st.just("2026-01-05T10:15:03") | json_values,
        "en_im": st.floats(0, 9e9) | json_values,
        "vol_m3": st.floats(0, 9e9) | json_values,
        "quality": st.just("placeholder") | json_values,
        "issued_at": st.just("2026-01-05") | json_values,
        "serial": st.just("A") | json_values,
        "sensor": st.just(METER) | json_values,
        "value": json_values,
    },
)


@given(st.lists(likely_rows | json_values, max_size=8))
def test_every_row_is_accounted_for(rows: list[object]) -> None:
    body = json.dumps(rows).encode()
    lines = "\n".join(map(json.dumps, rows)).encode()
    for parsed in (readings_from_json(body), readings_from_ndjson(lines)):
        numbers = [*parsed.rows.tolist(), *(bad.row for bad in parsed.rejected)]
        assert sorted(numbers) == list(range(1, len(rows) + 1))
        assert parsed.total == len(rows)
        assert len(parsed.stamps) == len(parsed.qualities) == len(parsed.rows)
        orjson.dumps([bad.reason for bad in parsed.rejected])
    sensors = sensor_values_from_json(body)
    assert len(sensors.rows) + len(sensors.rejected) == sensors.total == len(rows)


@given(st.binary(max_size=60), st.sampled_from(["application/json", "application/x-ndjson"]))
def test_arbitrary_bytes_raise_nothing_else(body: bytes, content_type: str) -> None:
    with suppress(UnreadableBody):
        readings = readings_from_body(body, content_type)
        assert len(readings.rows) + len(readings.rejected) == readings.total


def test_a_deep_value_is_a_bad_row() -> None:
    deep = "[" * 900 + "]" * 900
    readings = readings_from_json(f'[{deep}, {{"meter": {deep}, "en_im": {deep}}}]'.encode())
    assert [bad.row for bad in readings.rejected] == [1, 2]


def test_sensor_values() -> None:
    rows: list[object] = [
        {"sensor": METER, "timestamp": "2026-01-05T10:15:03", "value": -4.25},
        {"sensor": METER, "timestamp": "2026-01-05T10:15:03", "value": True},
        {"sensor": "x", "timestamp": "2026-01-05T10:15:03", "value": 1},
        {"timestamp": "2026-01-05T10:15:03", "value": 1},
        {"sensor": METER, "timestamp": "2026-01-05T10:15:03"},
        {"sensor": METER, "timestamp": "2026-01-05T10:15:03", "value": 10**400},
        {"sensor": METER, "timestamp": "2026-01-05T10:15:03", "value": 1, "unit": "K"},
        {"sensor": METER[::-1], "timestamp": "2026-01-05T10:15:04", "value": 21},
    ]
    values = sensor_values_from_body(json.dumps(rows).encode(), None)
    assert values.rows.tolist() == [1, 8]
    assert [values.sensors[code] for code in values.sensor_codes] == [METER, METER[::-1]]
    assert values.stamps.tolist() == [1_767_608_103, 1_767_608_104]
    assert values.values.tolist() == [-4.25, 21.0]
    assert [bad.reason.partition(";")[0] for bad in values.rejected] == [
        "value: True is not a number",
        "sensor: 'x' is not an id, 24 digits of 0-9 and a-f",
        "sensor is missing",
        "value: None is not a number",
        f"value: 1{'0' * 38}… is not a number",
        "unknown key 'unit'",
    ]


def test_a_content_type_that_is_none_of_ours() -> None:
    with pytest.raises(UnknownContentType, match="'text/html' is not a type of readings; send one"):
        readings_from_body(b"[]", "text/HTML; charset=utf-8")
