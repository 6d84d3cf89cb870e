"""The stored form of readings: what is packed comes back, and its bytes never change silently."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.packing.columns import (
    UnreadableBlob,
    pack_readings,
    pack_sensor_values,
    unpack_by_meter,
    unpack_readings,
    unpack_sensor_values,
)
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import NO_VALUE, VALUE_MAX, SensorValues, StoredReadings

DAY = 19_076
MIDNIGHT = DAY * 86_400


def said(count: int, **columns: object) -> StoredReadings:
    """Make readings a quarter-hour apart: one delivery, measured, nothing else said of them."""
    plain: dict[str, object] = {
        "stamps": MIDNIGHT + 900 * np.arange(count),
        "values": {Register.EN_IM: np.arange(count, dtype=np.int64)},
        "qualities": np.zeros(count, np.uint8),
        "issued_at": np.full(count, 5, np.int64),
        "issued": np.zeros(count, np.bool_),
        "ahead": np.zeros(count, np.bool_),
        "deliveries": np.full(count, 7, np.int64),
        "serials": np.zeros(count, "U1"),
        "replaces": None,
    }
    return StoredReadings(**(plain | columns))  # type: ignore[arg-type]


def assert_same(left: StoredReadings, right: StoredReadings) -> None:
    assert left.stamps.tolist() == right.stamps.tolist()
    for register in {*left.values, *right.values}:
        nothing = np.full(len(left.stamps), NO_VALUE)
        columns = [each.values.get(register, nothing).tolist() for each in (left, right)]
        assert columns[0] == columns[1]
    for name in ("qualities", "issued_at", "issued", "ahead", "deliveries", "serials"):
        assert getattr(left, name).tolist() == getattr(right, name).tolist()
    replacing = [
        [False] * len(each.stamps) if each.replaces is None else each.replaces.tolist()
        for each in (left, right)
    ]
    assert replacing[0] == replacing[1]


def one_or_many(count: int, each: st.SearchStrategy[int]) -> st.SearchStrategy[list[int]]:
    many = st.lists(each, min_size=count, max_size=count)
    return st.one_of(each.map(lambda one: [one] * count), many)


@st.composite
def days_of_readings(draw: st.DrawFn) -> StoredReadings:
    count = draw(st.integers(1, 12))
    registers = draw(st.sets(st.sampled_from(list(Register)), min_size=1))
    index = st.integers(0, VALUE_MAX) | st.just(NO_VALUE)
    flags = st.integers(0, 1)
    serial = st.sampled_from(("", "", "A1", "Zähler 2"))
    return said(
        count,
        stamps=MIDNIGHT + np.array(draw(one_or_many(count, st.integers(0, 86_399)))),
        values={r: np.array(draw(one_or_many(count, index)), np.int64) for r in sorted(registers)},
        qualities=np.array(draw(one_or_many(count, st.integers(0, 2))), np.uint8),
        issued_at=np.array(draw(one_or_many(count, st.integers(-(2**62), 2**62))), np.int64),
        issued=np.array(draw(one_or_many(count, flags)), np.bool_),
        ahead=np.array(draw(one_or_many(count, flags)), np.bool_),
        deliveries=np.array(draw(one_or_many(count, st.integers(1, 2**40))), np.int64),
        serials=np.array(draw(st.lists(serial, min_size=count, max_size=count))),
        replaces=draw(st.none() | one_or_many(count, flags).map(lambda r: np.array(r, np.bool_))),
    )


@given(days_of_readings())
def test_what_is_packed_comes_back(readings: StoredReadings) -> None:
    assert_same(unpack_readings([(DAY, pack_readings(readings))]), readings)


@given(st.lists(days_of_readings(), min_size=1, max_size=4))
def test_the_rows_of_several_days_come_back_as_one_run(days: list[StoredReadings]) -> None:
    rows = [(DAY, pack_readings(readings)) for readings in days]
    assert_same(unpack_readings(rows), StoredReadings.joined(days))


@given(st.lists(st.lists(days_of_readings(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_the_rows_of_several_meters_come_back_as_they_do_alone(
    meters: list[list[StoredReadings]],
) -> None:
    rows = [
        (number, DAY + day, pack_readings(readings))
        for number, days in enumerate(meters)
        for day, readings in enumerate(days)
    ]
    together = unpack_by_meter(rows)
    assert list(together) == list(range(len(meters)))
    for number, readings in together.items():
        alone = unpack_readings([(day, blob) for meter, day, blob in rows if meter == number])
        assert_same(readings, alone)
        assert readings.values.keys() == alone.values.keys()
        assert readings.serials.dtype == alone.serials.dtype
        assert (readings.replaces is None) == (alone.replaces is None)


def test_days_before_1970_come_back() -> None:
    readings = said(2, stamps=np.array([-86_400, -1]))
    assert_same(unpack_readings([(-1, pack_readings(readings))]), readings)


PLAIN = (
    "01 07 0100 02000000"  # format 1; one issued_at, delivery and mark for all; en_im; 2 readings
    "0000000000000000 0100000000000000"  # en_im
    "0500000000000000 0700000000000000"  # issued_at, delivery
    "00000000 84030000"  # seconds of the day
    "00"  # marks
)
VARIED = (
    "01 08 0a00 02000000"  # nothing is the same for all; serials; en_ex and vol_m3; 2 readings
    "ffffffffffffffff 0900000000000000"  # en_ex
    "0200000000000000 ffffffffffffffff"  # vol_m3
    "0500000000000000 0600000000000000"  # issued_at
    "0700000000000000 0801000000000000"  # deliveries
    "00000000 7f510100"  # seconds of the day: 0 and 86 399
    "41 82"  # issued and estimated; ahead and a placeholder
    "0a000000 5b22222c20225a31225d 0000 0100"  # '["", "Z1"]' and which
)


def varied() -> StoredReadings:
    return said(
        2,
        stamps=np.array([MIDNIGHT, MIDNIGHT + 86_399]),
        values={
            Register.EN_EX: np.array([NO_VALUE, 9]),
            Register.VOL_M3: np.array([2, NO_VALUE]),
        },
        qualities=np.array([1, 2], np.uint8),
        issued_at=np.array([5, 6]),
        issued=np.array([True, False]),
        ahead=np.array([False, True]),
        deliveries=np.array([7, 264]),
        serials=np.array(["", "Z1"]),
    )


REPLACING = (
    "02 03 0100 02000000"  # format 2; one issued_at and delivery for all; en_im; 2 readings
    "0000000000000000 0100000000000000"
    "0500000000000000 0700000000000000"
    "00000000 84030000"
    "00 21"  # the second replaces, and is estimated
)


def replacing() -> StoredReadings:
    qualities = np.array([0, 1], np.uint8)
    return said(2, qualities=qualities, replaces=np.array([False, True]))


@pytest.mark.parametrize(
    ("written", "readings"), [(PLAIN, said(2)), (VARIED, varied()), (REPLACING, replacing())]
)
def test_the_bytes_of_both_formats_stay_as_they_are(written: str, readings: StoredReadings) -> None:
    stored = bytes.fromhex(written)
    assert pack_readings(readings) == stored
    assert_same(unpack_readings([(DAY, stored)]), readings)


def test_sensor_values_come_back_and_their_bytes_stay() -> None:
    stamps, values = np.array([MIDNIGHT, MIDNIGHT + 900]), np.array([0.5, -2.0])
    stored = bytes.fromhex(
        "01 02 0000 02000000 000000000000e03f 00000000000000c0 0700000000000000 00000000 84030000"
    )
    assert pack_sensor_values(SensorValues(stamps, values, np.array([7, 7]))) == stored
    back = unpack_sensor_values([(DAY, stored)])
    assert back.stamps.tolist() == stamps.tolist()
    assert back.values.tolist() == values.tolist()
    assert back.deliveries.tolist() == [7, 7]


def test_a_format_of_later_is_not_read_as_today_s() -> None:
    with pytest.raises(UnreadableBlob, match="format 3"):
        unpack_readings([(DAY, b"\x03" + pack_readings(said(1))[1:])])
    one = SensorValues(np.array([0]), np.array([1.0]), np.array([1]))
    with pytest.raises(UnreadableBlob, match="format 2"):
        unpack_sensor_values([(DAY, b"\x02" + pack_sensor_values(one)[1:])])
