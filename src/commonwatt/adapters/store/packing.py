"""The stored form of columns: little-endian arrays, one BLOB a column or a day.

Raw readings of one meter-day, format 1: an 8-byte head (format, flags, mask of registers, count),
then the columns: each register (int64 [mWh, ml], -1 for none), issued_at and delivery (int64; one
value for all where they do not differ), stamps (int32 seconds of the day), marks (uint8: quality in
the low bits; one value for all), serials (JSON list, then one int16 a reading) where there are any.
"""

import json
import struct
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.quarter_hours import DAY_S
from commonwatt.domain.readings import StoredReadings

_FORMAT = 1
_HEAD = struct.Struct("<BBHI")
_ONE_ISSUED, _ONE_DELIVERY, _ONE_MARK, _SERIALS = 1, 2, 4, 8
_BITS: Mapping[Register, int] = {
    Register.EN_IM: 1,
    Register.EN_EX: 2,
    Register.HEAT_ENERGY_KWH: 4,
    Register.VOL_M3: 8,
}
_QUALITY_MASK, _ISSUED_MARK, _AHEAD_MARK = 0x0F, 0x40, 0x80


class UnreadableBlob(ValueError):
    """A stored BLOB of a format that this version does not know."""


def pack_readings(readings: StoredReadings) -> bytes:
    """Pack the readings of one UTC day, in their order."""
    count = len(readings.stamps)
    marks = (
        readings.qualities
        | np.where(readings.issued, np.uint8(_ISSUED_MARK), np.uint8(0))
        | np.where(readings.ahead, np.uint8(_AHEAD_MARK), np.uint8(0))
    ).astype(np.uint8)
    flags, mask = 0, 0
    columns: list[bytes] = []
    for register, bit in _BITS.items():
        values = readings.values.get(register)
        if values is not None and (values >= 0).any():
            mask |= bit
            columns.append(values.astype("<i8").tobytes())
    column: NDArray[np.integer]
    for flag, column, kind in (
        (_ONE_ISSUED, readings.issued_at, "<i8"),
        (_ONE_DELIVERY, readings.deliveries, "<i8"),
        (0, readings.stamps % DAY_S, "<i4"),
        (_ONE_MARK, marks, "u1"),
    ):
        one_for_all = bool(flag) and bool((column == column[0]).all())
        flags |= flag if one_for_all else 0
        columns.append((column[:1] if one_for_all else column).astype(kind).tobytes())
    if (readings.serials != "").any():
        flags |= _SERIALS
        names, codes = np.unique(readings.serials, return_inverse=True)
        listed = json.dumps(names.tolist()).encode()
        columns += [struct.pack("<I", len(listed)), listed, codes.astype("<i2").tobytes()]
    return _HEAD.pack(_FORMAT, flags, mask, count) + b"".join(columns)


def unpack_readings(blob: bytes, day: int) -> StoredReadings:
    """Unpack the readings of a UTC day. Raises `UnreadableBlob`."""
    form, flags, mask, count = _HEAD.unpack_from(blob)
    if form != _FORMAT:
        raise UnreadableBlob(f"readings in format {form}; this version reads format {_FORMAT}")
    offset = _HEAD.size

    def take(kind: str, length: int) -> NDArray[np.int64]:
        nonlocal offset
        column = np.frombuffer(blob, kind, length, offset)
        offset += column.nbytes
        return column

    values = {register: take("<i8", count) for register in _registers_of(mask)}
    issued_at = _spread(take("<i8", 1 if flags & _ONE_ISSUED else count), count)
    deliveries = _spread(take("<i8", 1 if flags & _ONE_DELIVERY else count), count)
    stamps = take("<i4", count) + np.int64(day * DAY_S)
    marks = _spread(take("u1", 1 if flags & _ONE_MARK else count), count)
    serials = np.zeros(count, "U1")
    if flags & _SERIALS:
        (length,) = struct.unpack_from("<I", blob, offset)
        names = np.array(json.loads(blob[offset + 4 : offset + 4 + length]))
        offset += 4 + length
        serials = names[take("<i2", count)]
    return StoredReadings(
        stamps=stamps,
        values=values,
        qualities=(marks & _QUALITY_MASK).astype(np.uint8),
        issued_at=issued_at,
        issued=(marks & _ISSUED_MARK) != 0,
        ahead=(marks & _AHEAD_MARK) != 0,
        deliveries=deliveries,
        serials=serials,
    )


@lru_cache(maxsize=16)
def _registers_of(mask: int) -> tuple[Register, ...]:
    return tuple(register for register, bit in _BITS.items() if mask & bit)


def _spread(column: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return column if len(column) == count else np.broadcast_to(column, (count,))


def pack_sensor_values(stamps: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """Pack the values of a sensor on one UTC day: count, values (float64), stamps (int32)."""
    return (
        _HEAD.pack(_FORMAT, 0, 0, len(stamps))
        + values.astype("<f8").tobytes()
        + (stamps % DAY_S).astype("<i4").tobytes()
    )


def unpack_sensor_values(blob: bytes, day: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return stamps [Unix seconds] and values of a UTC day. Raises `UnreadableBlob`."""
    form, _, _, count = _HEAD.unpack_from(blob)
    if form != _FORMAT:
        raise UnreadableBlob(f"values in format {form}; this version reads format {_FORMAT}")
    values = np.frombuffer(blob, "<f8", count, _HEAD.size)
    seconds = np.frombuffer(blob, "<i4", count, _HEAD.size + values.nbytes)
    return seconds + np.int64(day * DAY_S), values
