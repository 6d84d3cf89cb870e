"""The stored form of columns: little-endian arrays, one BLOB a column or a day.

Raw readings of one meter-day, format 1: an 8-byte head (format, flags, mask of registers, count),
then the columns: each register (int64 [mWh, ml], -1 for none), issued_at and delivery (int64; one
value for all where they do not differ), stamps (int32 seconds of the day), marks (uint8: quality in
the low bits; one value for all), serials (JSON list, then one int16 a reading) where there are any.

Reference values of one meter-day: 96 int32 [mWh, ml], or int64 where one does not fit; the least
value of its kind where the other platform has none. What has none all day is NULL.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.quarter_hours import DAY_QUARTERS, DAY_S
from commonwatt.domain.readings import NO_VALUE, SensorValues, StoredReadings
from commonwatt.domain.reference import NO_VALUE as NO_REFERENCE

_FORMAT = 1
_HEAD = struct.Struct("<BBHI")
_ONE_ISSUED, _ONE_DELIVERY, _ONE_MARK, _SERIALS = 1, 2, 4, 8
_BITS: Mapping[Register, int] = {
    Register.EN_IM: 1,
    Register.EN_EX: 2,
    Register.HEAT_ENERGY_KWH: 4,
    Register.VOL_M3: 8,
}
_NO_INT32 = -(2**31)
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


def unpack_readings(blobs: Sequence[tuple[int, bytes]]) -> StoredReadings:
    """Unpack (UTC day, BLOB) pairs into one run of readings, in their order.

    Raises `UnreadableBlob`.
    """
    heads = [_HEAD.unpack_from(blob) for _, blob in blobs]
    total = sum(head[3] for head in heads)
    registers = _registers_of(_any_bit(head[2] for head in heads))
    values = {register: np.full(total, NO_VALUE, np.int64) for register in registers}
    issued_at, deliveries = np.empty(total, np.int64), np.empty(total, np.int64)
    stamps, marks = np.empty(total, np.int64), np.empty(total, np.uint8)
    serials: list[tuple[slice, NDArray[np.str_]]] = []
    start = 0
    for (day, blob), (form, flags, mask, count) in zip(blobs, heads, strict=True):
        if form != _FORMAT:
            raise UnreadableBlob(f"readings in format {form}; this version reads {_FORMAT}")
        here, offset = slice(start, start + count), _HEAD.size
        for column, kind, single in (
            *((values[register], "<i8", 0) for register in _registers_of(mask)),
            (issued_at, "<i8", flags & _ONE_ISSUED),
            (deliveries, "<i8", flags & _ONE_DELIVERY),
            (stamps, "<i4", 0),
            (marks, "u1", flags & _ONE_MARK),
        ):
            stored = np.frombuffer(blob, kind, 1 if single else count, offset)
            offset += stored.nbytes
            column[here] = stored
        stamps[here] += day * DAY_S
        if flags & _SERIALS:
            serials.append((here, _unpack_serials(blob, offset, count)))
        start += count
    return StoredReadings(
        stamps=stamps,
        values=values,
        qualities=marks & np.uint8(_QUALITY_MASK),
        issued_at=issued_at,
        issued=(marks & _ISSUED_MARK) != 0,
        ahead=(marks & _AHEAD_MARK) != 0,
        deliveries=deliveries,
        serials=_joined_serials(serials, total),
    )


def _any_bit(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _unpack_serials(blob: bytes, offset: int, count: int) -> NDArray[np.str_]:
    (length,) = struct.unpack_from("<I", blob, offset)
    names = np.array(json.loads(blob[offset + 4 : offset + 4 + length]), np.str_)
    codes = np.frombuffer(blob, "<i2", count, offset + 4 + length)
    serials: NDArray[np.str_] = names[codes]
    return serials


def _joined_serials(
    parts: Sequence[tuple[slice, NDArray[np.str_]]], total: int
) -> NDArray[np.str_]:
    widest = max((serials.dtype for _, serials in parts), default=np.dtype("U1"))
    joined = np.zeros(total, widest)
    for here, serials in parts:
        joined[here] = serials
    return joined


@lru_cache(maxsize=16)
def _registers_of(mask: int) -> tuple[Register, ...]:
    return tuple(register for register, bit in _BITS.items() if mask & bit)


def pack_sensor_values(said: SensorValues) -> bytes:
    """Pack what was said of a sensor on one UTC day, in its order.

    After the head: values (float64), deliveries (int64; one for all where they do not differ),
    stamps (int32 seconds of the day).
    """
    one_for_all = bool((said.deliveries == said.deliveries[0]).all())
    deliveries = said.deliveries[:1] if one_for_all else said.deliveries
    return (
        _HEAD.pack(_FORMAT, _ONE_DELIVERY if one_for_all else 0, 0, len(said.stamps))
        + said.values.astype("<f8").tobytes()
        + deliveries.astype("<i8").tobytes()
        + (said.stamps % DAY_S).astype("<i4").tobytes()
    )


def unpack_sensor_values(blobs: Sequence[tuple[int, bytes]]) -> SensorValues:
    """Unpack (UTC day, BLOB) pairs into one run, in their order. Raises `UnreadableBlob`."""
    heads = [_HEAD.unpack_from(blob) for _, blob in blobs]
    total = sum(head[3] for head in heads)
    values, deliveries = np.empty(total, np.float64), np.empty(total, np.int64)
    stamps = np.empty(total, np.int64)
    start = 0
    for (day, blob), (form, flags, _, count) in zip(blobs, heads, strict=True):
        if form != _FORMAT:
            raise UnreadableBlob(f"values in format {form}; this version reads {_FORMAT}")
        here, single = slice(start, start + count), flags & _ONE_DELIVERY
        values[here] = np.frombuffer(blob, "<f8", count, _HEAD.size)
        offset = _HEAD.size + 8 * count
        deliveries[here] = np.frombuffer(blob, "<i8", 1 if single else count, offset)
        offset += 8 * (1 if single else count)
        stamps[here] = np.frombuffer(blob, "<i4", count, offset) + np.int64(day * DAY_S)
        start += count
    return SensorValues(stamps, values, deliveries)


def pack_reference_day(values: NDArray[np.int64]) -> bytes | None:
    """Pack the 96 values of a column of a UTC day; None where there is none."""
    known = values != NO_REFERENCE
    if not known.any():
        return None
    if (np.abs(values[known]) < -_NO_INT32).all():
        values, kind = np.where(known, values, _NO_INT32), "<i4"
    else:
        kind = "<i8"
    return values.astype(kind).tobytes()


def unpack_reference_day(blob: bytes | None) -> NDArray[np.int64]:
    """Unpack what `pack_reference_day` packed."""
    if blob is None:
        return np.full(DAY_QUARTERS, NO_REFERENCE, np.int64)
    if len(blob) == 8 * DAY_QUARTERS:
        return np.frombuffer(blob, "<i8").astype(np.int64)
    if len(blob) != 4 * DAY_QUARTERS:
        raise UnreadableBlob(f"{len(blob)} bytes are no day of reference values")
    values = np.frombuffer(blob, "<i4").astype(np.int64)
    return np.where(values == _NO_INT32, NO_REFERENCE, values)
