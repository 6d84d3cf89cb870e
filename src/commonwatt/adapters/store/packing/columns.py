"""The stored form of columns: little-endian arrays, one BLOB a column or a day.

Raw readings of one meter-day, format 1, or 2 where one replaces others: an 8-byte head (format,
flags, mask of registers, count), then the columns: each register (int64 [mWh, ml], -1 for none),
issued_at and delivery (int64; one value for all where they do not differ), stamps (int32 seconds of
the day), marks (uint8: quality in the low bits; one value for all), serials (JSON list, then one
int16 a reading) where there are any.

Reference values of one meter-day: 96 int32 [mWh, ml], or int64 where one does not fit; the least
value of its kind where the other platform has none. What has none all day is NULL.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S
from commonwatt.domain.metering.readings import NO_VALUE, SensorValues, StoredReadings, any_serial
from commonwatt.domain.reference.reference import NO_VALUE as NO_REFERENCE

_FORMAT, _REPLACING = 1, 2
"""Readings among which one replaces have a format of their own: a version of commonwatt that does
not know it must not take them for others."""
_HEAD = struct.Struct("<BBHI")
_ONE_ISSUED, _ONE_DELIVERY, _ONE_MARK, _SERIALS = 1, 2, 4, 8
_BITS: Mapping[Register, int] = {
    Register.EN_IM: 1,
    Register.EN_EX: 2,
    Register.HEAT_ENERGY_KWH: 4,
    Register.VOL_M3: 8,
}
_NO_INT32 = -(2**31)
_QUALITY_MASK, _REPLACES_MARK, _ISSUED_MARK, _AHEAD_MARK = 0x0F, 0x20, 0x40, 0x80


class UnreadableBlob(ValueError):
    """A stored BLOB of a format that this version does not know."""


def pack_readings(readings: StoredReadings) -> bytes:
    """Pack the readings of one UTC day, in their order."""
    count = len(readings.stamps)
    marks = readings.qualities | _marked(readings.issued, _ISSUED_MARK)
    marks |= _marked(readings.ahead, _AHEAD_MARK)
    replacing = readings.replaces is not None and bool(readings.replaces.any())
    if readings.replaces is not None:
        marks |= _marked(readings.replaces, _REPLACES_MARK)
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
    if any_serial(readings.serials):
        flags |= _SERIALS
        names, codes = np.unique(readings.serials, return_inverse=True)
        listed = json.dumps(names.tolist()).encode()
        columns += [struct.pack("<I", len(listed)), listed, codes.astype("<i2").tobytes()]
    form = _REPLACING if replacing else _FORMAT
    return _HEAD.pack(form, flags, mask, count) + b"".join(columns)


def _marked(column: NDArray[np.bool_], mark: int) -> NDArray[np.uint8]:
    return column.astype(np.uint8) * np.uint8(mark)


def unpack_readings(blobs: Sequence[tuple[int, bytes]]) -> StoredReadings:
    """Unpack (UTC day, BLOB) pairs into one run of readings, in their order.

    Raises `UnreadableBlob`.
    """
    return unpack_by_meter([(0, day, blob) for day, blob in blobs])[0]


def unpack_by_meter(rows: Sequence[tuple[int, int, bytes]]) -> dict[int, StoredReadings]:
    """Unpack (meter, UTC day, BLOB), ascending by meter, into the readings of each, in their order.

    A meter has the registers of its own BLOBs. Raises `UnreadableBlob`.
    """
    if not rows:
        return {}
    heads = [_Head(*_HEAD.unpack_from(blob)) for _, _, blob in rows]
    of_shape: dict[_Head, list[int]] = {}
    for position, head in enumerate(heads):
        if head.form not in (_FORMAT, _REPLACING):
            raise UnreadableBlob(
                f"readings in format {head.form}; this version reads {_FORMAT} and {_REPLACING}"
            )
        of_shape.setdefault(head, []).append(position)
    ends = np.cumsum([head.readings for head in heads])
    columns = _Columns.empty(int(ends[-1]), _registers_in(heads))
    serials: dict[int, NDArray[np.str_]] = {}
    for shape, positions in of_shape.items():
        columns.fill(shape, ends[positions] - shape.readings, [rows[each] for each in positions])
        if shape.flags & _SERIALS:
            offset = _packed_form(shape).itemsize
            serials |= {n: _unpack_serials(rows[n][2], offset, shape.readings) for n in positions}
    edges = [n for n in range(1, len(rows)) if rows[n][0] != rows[n - 1][0]]
    found = {}
    for first, end in zip([0, *edges], [*edges, len(rows)], strict=True):
        start = int(ends[first]) - heads[first].readings
        of_meter = [
            (slice(int(ends[n]) - heads[n].readings - start, int(ends[n]) - start), serials[n])
            for n in (range(first, end) if serials else ())
            if n in serials
        ]
        section = slice(start, int(ends[end - 1]))
        found[rows[first][0]] = columns.readings(section, heads[first:end], of_meter)
    return found


class _Head(NamedTuple):
    """The head of a BLOB: what has the same one has columns of the same lengths."""

    form: int
    flags: int
    mask: int
    readings: int


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of stored readings, filled by BLOBs of one shape at a time."""

    values: dict[Register, NDArray[np.int64]]
    issued_at: NDArray[np.int64]
    deliveries: NDArray[np.int64]
    stamps: NDArray[np.int64]
    marks: NDArray[np.uint8]

    @classmethod
    def empty(cls, total: int, registers: Sequence[Register]) -> "_Columns":
        return cls(
            {register: np.full(total, NO_VALUE, np.int64) for register in registers},
            np.empty(total, np.int64),
            np.empty(total, np.int64),
            np.empty(total, np.int64),
            np.empty(total, np.uint8),
        )

    def fill(
        self,
        shape: _Head,
        starts: NDArray[np.int64],
        rows: Sequence[tuple[int, int, bytes]],
    ) -> None:
        """Fill what begins at ``starts`` from the BLOBs of rows with one head."""
        form = _packed_form(shape)
        packed = np.frombuffer(
            b"".join([blob[: form.itemsize] for _, _, blob in rows]), form, len(rows)
        )
        cells = starts[:, np.newaxis] + np.arange(shape.readings)
        for register in _registers_of(shape.mask):
            self.values[register][cells] = packed[register.value]
        self.issued_at[cells] = packed["issued_at"]
        self.deliveries[cells] = packed["deliveries"]
        days = np.array([day for _, day, _ in rows], np.int64)
        self.stamps[cells] = packed["stamps"] + days[:, np.newaxis] * DAY_S
        self.marks[cells] = packed["marks"]

    def readings(
        self,
        section: slice,
        heads: Sequence[_Head],
        serials: Sequence[tuple[slice, NDArray[np.str_]]],
    ) -> StoredReadings:
        """What some BLOBs with these heads said, one after the other."""
        replacing = any(head.form == _REPLACING for head in heads)
        marks = self.marks[section]
        return StoredReadings(
            stamps=self.stamps[section],
            values={register: self.values[register][section] for register in _registers_in(heads)},
            qualities=marks & np.uint8(_QUALITY_MASK),
            issued_at=self.issued_at[section],
            issued=(marks & _ISSUED_MARK) != 0,
            ahead=(marks & _AHEAD_MARK) != 0,
            deliveries=self.deliveries[section],
            serials=_joined_serials(serials, len(marks)),
            replaces=(marks & _REPLACES_MARK) != 0 if replacing else None,
        )


@lru_cache(maxsize=1024)
def _packed_form(head: _Head) -> np.dtype[np.void]:
    """The head and the columns of a BLOB, less its serials."""
    return np.dtype(
        [
            ("head", f"V{_HEAD.size}"),
            *((register.value, "<i8", (head.readings,)) for register in _registers_of(head.mask)),
            ("issued_at", "<i8", (1 if head.flags & _ONE_ISSUED else head.readings,)),
            ("deliveries", "<i8", (1 if head.flags & _ONE_DELIVERY else head.readings,)),
            ("stamps", "<i4", (head.readings,)),
            ("marks", "u1", (1 if head.flags & _ONE_MARK else head.readings,)),
        ]
    )


def _registers_in(heads: Iterable[_Head]) -> tuple[Register, ...]:
    return _registers_of(reduce(or_, (head.mask for head in heads), 0))


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
    for section, serials in parts:
        joined[section] = serials
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
        section, single = slice(start, start + count), flags & _ONE_DELIVERY
        values[section] = np.frombuffer(blob, "<f8", count, _HEAD.size)
        offset = _HEAD.size + 8 * count
        deliveries[section] = np.frombuffer(blob, "<i8", 1 if single else count, offset)
        offset += 8 * (1 if single else count)
        stamps[section] = np.frombuffer(blob, "<i4", count, offset) + np.int64(day * DAY_S)
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
