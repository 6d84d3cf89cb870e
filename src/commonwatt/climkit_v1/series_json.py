"""JSON of a series, straight from integer columns.

All rows of an answer have the same width: a template with slots into which texts are looked up by
whole arrays, padded with blanks where JSON allows them. No object is made for a row. Rows are
written block by block into a scratch that fits the processor's cache.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import pairwise

import numpy as np
import orjson
from numpy.typing import NDArray

from commonwatt.climkit_v1 import text_tables
from commonwatt.climkit_v1.number_slots import NumberSlot, number_slot, place
from commonwatt.climkit_v1.text_tables import BLANK, DAY_S, Bytes, Texts

QUARTER_S = 900

_COMMA = ord(",")
PART_BYTES = 3 << 19
"""So long is a part of a long answer at most."""
_BLOCK_BYTES = 1 << 18
_BLOCK_ROWS = 512
"""So many rows are a block at least, if they fit a part."""
_SHORT_RUN_ROWS = 64


@dataclass(frozen=True, slots=True)
class Column:
    """One key of the rows of an answer.

    `values`: integers, one a row, in units of 10 ** -`decimals`: 3 for Wh and litres (kWh, m3 with
    exactly 3 decimals), 6 for mWh and ml (with 3 decimals, or up to 6 where needed). `present`:
    False where a row has not this key, whatever its value; None: all rows have it.
    """

    name: str
    values: NDArray[np.integer]
    decimals: int = 3
    present: NDArray[np.bool_] | None = None


def render_rows(
    columns: Sequence[Column], stamps_at: NDArray[np.int64], utc_offsets: NDArray[np.int32]
) -> bytes:
    """Return a JSON array of objects: the columns in order, then `timestamp` in local time.

    `stamps_at` are the stamps themselves [Unix seconds], `utc_offsets` those of the site's zone at
    each stamp [seconds east]. Rows keep their order; no row makes `[]`.

    >>> stamps_at, utc_offsets = np.array([900]), np.array([3600], np.int32)
    >>> render_rows([Column("total", np.array([29]))], stamps_at, utc_offsets)
    b'[{"total":0.029,"timestamp":"1970-01-01 01:15:00+01:00"}]'
    """
    out = BytesIO()
    for block in _blocks(columns, stamps_at, utc_offsets):
        out.write(block)
    out.write(b"]")
    out.seek(0)
    out.write(b"[" if stamps_at.size else b"[]")
    return out.getvalue()


def rows_in_parts(
    columns: Sequence[Column], stamps_at: NDArray[np.int64], utc_offsets: NDArray[np.int32]
) -> Iterator[bytes]:
    """Yield what `render_rows` returns part by part: objects with a comma before each."""
    out = BytesIO()
    for block in _blocks(columns, stamps_at, utc_offsets):
        if out.tell() and out.tell() + block.nbytes > PART_BYTES:
            yield out.getvalue()
            out = BytesIO()
        out.write(block)
    if out.tell():
        yield out.getvalue()


def _blocks(
    columns: Sequence[Column], stamps_at: NDArray[np.int64], utc_offsets: NDArray[np.int32]
) -> Iterator[memoryview]:
    """Yield rows with a comma before each; the next block is written over the one before."""
    if not stamps_at.size:
        return
    local_s = stamps_at + utc_offsets
    days = local_s // DAY_S
    stamps = (
        text_tables.quoted_dates(days),
        text_tables.times_of_day(local_s - days * DAY_S),
        _offset_ends(utc_offsets),
    )
    for start, end in _segments(columns, stamps_at.size):
        rows = slice(start, end)
        cells = [cell for cell in (_cell(column, rows) for column in columns) if cell]
        yield from _written(cells, [texts[rows] for texts in stamps])


def render_sensor_rows(stamps_at: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """Return a JSON array of a sensor's rows: whole Unix seconds, and finite values as they are.

    >>> render_sensor_rows(np.array([1_790_000_000]), np.array([21.3]))
    b'[{"timestamp":1790000000,"value":21.3}]'
    """
    return orjson.dumps(
        [
            {"timestamp": stamp_at, "value": value}
            for stamp_at, value in zip(stamps_at.tolist(), values.tolist(), strict=True)
        ]
    )


def stamps_of(starts_at: NDArray[np.int64], sampling_frequency: str) -> NDArray[np.int64]:
    """Return the stamps of periods that begin at `starts_at`.

    Quarter-hours are stamped with their end, all longer periods with their start.

    >>> stamps_of(np.array([900]), "15T").tolist(), stamps_of(np.array([3600]), "H").tolist()
    ([1800], [3600])
    """
    return starts_at + QUARTER_S if sampling_frequency == "15T" else starts_at


@dataclass(frozen=True, slots=True)
class _Cell:
    """`"name":number,` in every row of a segment, or blanks where `present` says no."""

    label: bytes
    slot: NumberSlot
    present: NDArray[np.bool_] | None

    @property
    def width(self) -> int:
        return len(self.label) + self.slot.width + 1

    def write(self, rows: Bytes, at: int, first: int) -> None:
        self.slot.write(rows, at + len(self.label), first)
        if self.present is None:
            return
        cells = rows[:, at : at + self.width]
        # The rows were used for an earlier block, which may have blanked others.
        cells[:, : len(self.label)] = np.frombuffer(self.label, np.uint8)
        cells[:, -1] = _COMMA
        cells[~self.present[first : first + len(rows)]] = BLANK


def _cell(column: Column, rows: slice) -> _Cell | None:
    """Return the cell of a column in some rows; None where none of them has it."""
    values = column.values[rows]
    present = None if column.present is None else column.present[rows]
    if present is not None:
        if not present.any():
            return None
        if present.all():
            present = None
        else:
            values = np.where(present, values, 0)
    return _Cell(_label(column.name), number_slot(values, column.decimals), present)


@lru_cache(maxsize=4096)
def _label(name: str) -> bytes:
    return json.dumps(name).encode() + b":"


def _segments(columns: Sequence[Column], row_count: int) -> list[tuple[int, int]]:
    """Return the spans of rows [start, end) to be written with one template each.

    A column that a whole span lacks costs nothing there. Where rows alternate, spans would
    be too short to be worth it: then there is one, and what a row lacks is blank.
    """
    masks = {id(column.present): column.present for column in columns if column.present is not None}
    if not masks:
        return [(0, row_count)]
    changes = np.zeros(row_count - 1, np.bool_)
    for present in masks.values():
        changes |= present[1:] != present[:-1]
    edges = (np.flatnonzero(changes) + 1).tolist()
    if len(edges) * _SHORT_RUN_ROWS > row_count:
        edges = []
    return list(pairwise([0, *edges, row_count]))


def _written(cells: Sequence[_Cell], stamps: Sequence[Texts]) -> Iterator[memoryview]:
    slots = b"".join(cell.label + b" " * cell.slot.width + b"," for cell in cells)
    stamp_width = sum(texts.dtype.itemsize for texts in stamps)
    template = b",{" + slots + b'"timestamp":' + b" " * stamp_width
    row_count = len(stamps[0])
    fewest = min(_BLOCK_ROWS, max(1, PART_BYTES // len(template)))
    block = min(row_count, max(fewest, _BLOCK_BYTES // len(template)))
    scratch = np.empty((block, len(template)), np.uint8)
    scratch[:] = np.frombuffer(template, np.uint8)
    for first in range(0, row_count, block):
        rows = scratch[: row_count - first]
        at = len(b",{")
        for cell in cells:
            cell.write(rows, at, first)
            at += cell.width
        at += len(b'"timestamp":')
        for texts in stamps:
            place(rows, at, texts[first : first + len(rows)])
            at += texts.dtype.itemsize
        yield rows.data


def _offset_ends(utc_offsets: NDArray[np.int32]) -> Texts:
    """Return '+01:00"}' for each row: what follows the time of day."""
    first = int(utc_offsets[0])
    if bool((utc_offsets == first).all()):
        return _offset_end(first).repeat(utc_offsets.size)
    edges = (utc_offsets[1:] != utc_offsets[:-1]).nonzero()[0] + 1
    run_starts = [0, *edges.tolist()]
    ends = [text_tables.offset_text(offset) + '"}' for offset in utc_offsets[run_starts].tolist()]
    width = max(map(len, ends))
    # Blanks after the brace where another row's offset is longer.
    texts = np.frombuffer("".join(end.ljust(width) for end in ends).encode(), f"V{width}")
    lengths = [end - start for start, end in pairwise([*run_starts, utc_offsets.size])]
    return texts.repeat(lengths)


@lru_cache(maxsize=64)
def _offset_end(utc_offset_s: int) -> Texts:
    text = text_tables.offset_text(utc_offset_s) + '"}'
    return np.frombuffer(text.encode(), f"V{len(text)}")
