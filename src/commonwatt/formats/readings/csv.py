"""Readings and sensor values as CSV, the way Climkit takes it, and with columns that name meters.

The header names the columns, in any order: ``timestamp`` and registers (``value`` of a sensor),
optional ``quality``, ``issued_at``, ``serial`` and ``replaces``; where the meter is not given
otherwise, ``meter`` or ``type`` and ``prim_ad`` (``sensor``). An empty cell is absent. Rows count
from 1, the header and blank lines not.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.readings import MeterName, ReadingQuality, ReadingRows, SensorRows
from commonwatt.formats.errors import BadValue, Faults, UnreadableBody, shown
from commonwatt.formats.readings.csv_lines import cells_of, csv_lines, csv_lines_of
from commonwatt.formats.readings.file_kinds import not_utf_8
from commonwatt.formats.readings.json_rows import unknown_key
from commonwatt.formats.readings.quantities import decimal_from_text, quantities_from_texts
from commonwatt.formats.readings.row_columns import (
    reading_piece,
    reading_rows,
    sensor_piece,
    sensor_rows,
)
from commonwatt.formats.readings.row_pieces import WallClock, whole_rows
from commonwatt.formats.readings.row_source import (
    NAME_KEYS,
    READING_KEYS,
    REGISTER_KEYS,
    SENSOR_KEYS,
    SERIALS_MAX,
    Column,
    RowFaults,
    RowSource,
    refuse_too_many_rows,
)

_CHUNK_ROWS = 50_000
_TRUTH = {"true": True, "false": False}


def readings_from_csv(
    stream: BinaryIO,
    *,
    meter: MeterName | None = None,
    zone: str | None = None,
    by_order: bool = False,
    quality: ReadingQuality = ReadingQuality.MEASURED,
    replaces: bool = False,
    chunk_rows: int = _CHUNK_ROWS,
) -> Iterator[ReadingRows]:
    r"""Yield the readings of a CSV stream, plain or gzipped, at most ``chunk_rows`` rows at a time.

    ``meter`` is whose readings they are; without it each row names its meter. ``zone`` is the zone
    of naive stamps, None for UTC; a wall time that happens twice or never there is told by the
    other rows of its hour, or rejects its row: `instants_of_stamps`, also for ``by_order``.
    ``quality`` is that of the rows that do not say, and ``replaces`` whether those replace.
    Rows keep their numbers across chunks. Raises `UnreadableBody`, also after some chunks.

    >>> import io
    >>> file = io.BytesIO(b"timestamp,en_im\n2026-01-05,1.5\n2026-01-06,\n")
    >>> [rows] = readings_from_csv(file, meter=MeterName(type="electricity", prim_ad=11))
    >>> rows.rejected[0]
    Rejected(row=2, reason='has no value; give one of en_im, en_ex, heat_energy_kwh, vol_m3')
    """
    known = tuple(key for key in READING_KEYS if meter is None or key not in NAME_KEYS)
    pieces = (
        reading_piece(replace(source, quality=quality, replaces=replaces), _quantities, meter)
        for source in _sources(csv_lines(stream), known, REGISTER_KEYS, zone)
    )
    for rows in whole_rows(pieces, WallClock(zone, by_order), chunk_rows):
        if len(rows.serials) > SERIALS_MAX:
            raise UnreadableBody(0, 0, f"more than {SERIALS_MAX} serials in one file; split it")
        yield rows


def readings_from_csv_body(
    body: bytes, quality: ReadingQuality = ReadingQuality.MEASURED, replaces: bool = False
) -> ReadingRows:
    """Return the readings of a whole CSV body whose rows name their meters; naive is UTC.

    ``quality`` is that of the rows that do not say, and ``replaces`` whether those replace.
    """
    [source] = _sources([_body_lines(body)], READING_KEYS, REGISTER_KEYS)
    source = replace(source, quality=quality, replaces=replaces)
    return reading_rows(source, _quantities, None)


def sensor_values_from_csv_body(body: bytes) -> SensorRows:
    """Return the sensor values of a whole CSV body whose rows name their sensors."""
    [source] = _sources([_body_lines(body)], SENSOR_KEYS, ("value",))
    return sensor_rows(source, _floats, None)


def sensor_values_from_csv(
    stream: BinaryIO,
    *,
    sensor: str | None = None,
    zone: str | None = None,
    by_order: bool = False,
    chunk_rows: int = _CHUNK_ROWS,
) -> Iterator[SensorRows]:
    """Yield the sensor values of a CSV stream; see `readings_from_csv`."""
    known = SENSOR_KEYS if sensor is None else SENSOR_KEYS[1:]
    pieces = (
        sensor_piece(source, _floats, sensor)
        for source in _sources(csv_lines(stream), known, ("value",), zone)
    )
    yield from whole_rows(pieces, WallClock(zone, by_order), chunk_rows)


def _body_lines(body: bytes) -> list[str]:
    lines = csv_lines_of(body)
    refuse_too_many_rows(len(lines) - 1)
    return lines


def _sources(
    blocks: Iterable[Sequence[str]],
    known: Sequence[str],
    one_of: Sequence[str],
    zone: str | None = None,
) -> Iterator[RowSource]:
    """Yield the rows below the header, a block at a time; at least once, if without rows."""
    header: Sequence[str] | None = None
    first_row = 1
    for block in blocks:
        lines = block
        if header is None and block:
            header, lines = _header(block[0], known, one_of), block[1:]
        if header is not None:
            yield _source(lines, header, first_row, zone)
            first_row += len(lines)
    if header is None:
        raise UnreadableBody(1, 1, f"empty; the first line must name columns: {', '.join(known)}")


def _header(line: str, known: Sequence[str], one_of: Sequence[str]) -> Sequence[str]:
    if fault := not_utf_8(line):
        raise UnreadableBody(1, 0, f"the header: {fault}")
    names = [name.strip() for name in cells_of(line) or [line]]
    for name in names:
        if name not in known:
            hint = "; columns are separated by commas" if ";" in name or "\t" in name else ""
            raise UnreadableBody(1, 0, f"the header has an {unknown_key(name, known)}{hint}")
        if names.count(name) > 1:
            raise UnreadableBody(1, 0, f"the header names {name} twice; name each column once")
    if "timestamp" not in names:
        raise UnreadableBody(1, 0, "the header has no timestamp")
    if not set(one_of).intersection(names):
        raise UnreadableBody(1, 0, f"the header has no column of values: {', '.join(one_of)}")
    return names


def _source(
    lines: Sequence[str], header: Sequence[str], first_row: int, zone: str | None
) -> RowSource:
    faults = RowFaults(len(lines))
    width = len(header)
    blank = [""] * width
    rows: list[Sequence[str]] = []
    for position, line in enumerate(lines):
        cells = cells_of(line)
        if fault := not_utf_8(line):
            faults.add(position, fault)
        elif cells is None:
            faults.add(
                position, f"{shown(line)} has a quote that does not end; one line is one row"
            )
        elif len(cells) != width:
            faults.add(position, f"has {len(cells)} cells where the header has {width}")
        rows.append(cells if cells is not None and len(cells) == width else blank)
    by_column = zip(*rows, strict=True) if rows else [()] * width
    columns = {name: _raw(name, cells) for name, cells in zip(header, by_column, strict=True)}
    numbers = np.arange(first_row, first_row + len(lines), dtype=np.int64)
    return RowSource(numbers, columns, faults, zone)


def _raw(name: str, cells: Sequence[str]) -> Column:
    """Return a column of cells as raw values: None for an empty one, prim_ad as a number.

    ``replaces`` becomes true or false.
    """
    if name in REGISTER_KEYS or name == "value":
        return cells
    stripped = [cell.strip() or None for cell in cells]
    if name == "replaces":
        return [_TRUTH.get(cell.lower(), cell) if cell else None for cell in stripped]
    if name != "prim_ad":
        return stripped
    return [
        int(cell) if cell and cell.isascii() and cell.isdecimal() and len(cell) < 20 else cell
        for cell in stripped
    ]


def _quantities(column: Column) -> tuple[NDArray[np.int64], dict[int, str]]:
    return quantities_from_texts(cast("Sequence[str]", column))


def _floats(column: Column) -> tuple[NDArray[np.float64], dict[int, str]]:
    values = np.zeros(len(column), np.float64)
    faults = Faults()
    for position, text in enumerate(cast("Sequence[str]", column)):
        try:
            number = float(decimal_from_text(text))
        except BadValue:
            number = math.nan
        if math.isfinite(number):
            values[position] = number
        else:
            faults.note(position, f"{shown(text)} is not a number; give one")
    return values, faults
