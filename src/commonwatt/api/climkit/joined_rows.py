"""Rows of a long series, part by part, as one JSON array.

A series is read and written some days at a time, so that ten years take no more memory than a few
weeks. A period that two parts share is written once, when all of it was read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.climkit_v1.series_json import Column, render_rows, rows_in_parts, stamps_of
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.metering.zones import utc_offsets

NOTHING = b"[]"


@dataclass(frozen=True, slots=True)
class PeriodRows:
    """Periods, ascending by their first instant [Unix seconds], and a column each key."""

    starts_at: NDArray[np.int64]
    columns: Sequence[Column]

    def part(self, first: int, end: int) -> "PeriodRows":
        """The rows [first, end), without the columns that none of them has."""
        section = slice(first, end)
        columns = [
            replace(
                each,
                values=each.values[section],
                present=None if each.present is None else each.present[section],
            )
            for each in self.columns
            if each.present is None or each.present[section].any()
        ]
        return PeriodRows(self.starts_at[section], columns)


NO_ROWS = PeriodRows(np.zeros(0, np.int64), [])


def render(rows: PeriodRows, zone: str, frequency: SamplingFrequency) -> bytes:
    """Return the rows as a JSON array."""
    if not rows.starts_at.size:
        return NOTHING
    stamps_at = stamps_of(rows.starts_at, frequency.value)
    return render_rows(rows.columns, stamps_at, utc_offsets(zone, stamps_at))


def _parts(rows: PeriodRows, zone: str, frequency: SamplingFrequency) -> Iterator[bytes]:
    if not rows.starts_at.size:
        return iter(())
    stamps_at = stamps_of(rows.starts_at, frequency.value)
    return rows_in_parts(rows.columns, stamps_at, utc_offsets(zone, stamps_at))


def rows_of(array: bytes) -> bytes:
    """Return the rows of a JSON array, with a comma before each.

    >>> rows_of(b"[1,2]"), rows_of(b"[]")
    (b',1,2', b'')
    """
    return b"" if array == NOTHING else b"," + array[1:-1]


def as_array(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one JSON array of rows that come in parts, with a comma before each.

    >>> list(as_array([b"", b",1,2", b",3"])), list(as_array([]))
    ([b'[1,2', b',3', b']'], [b'[', b']'])
    """
    parts = filter(None, rows)
    yield b"[" + next(parts, b"")[1:]
    yield from parts
    yield b"]"


def joined_rows(
    runs: Iterable[PeriodRows], zone: str, frequency: SamplingFrequency
) -> Iterator[bytes]:
    """Yield one JSON array of the rows of several runs of quarter-hours, which ascend."""
    return as_array(
        part for rows in _whole_periods(runs, frequency) for part in _parts(rows, zone, frequency)
    )


def _whole_periods(
    runs: Iterable[PeriodRows], frequency: SamplingFrequency
) -> Iterator[PeriodRows]:
    """Yield rows of which no other run knows a part."""
    if frequency is SamplingFrequency.QUARTER_HOUR:
        yield from runs
        return
    unfinished: PeriodRows | None = None
    for run in runs:
        rows = run
        last = len(rows.starts_at) - 1
        if last < 0:
            continue
        if unfinished is not None:
            if unfinished.starts_at[0] == rows.starts_at[0]:
                rows = _added_to_first(unfinished, rows)
            else:
                yield unfinished
        unfinished = rows.part(last, last + 1)
        yield rows.part(0, last)
    if unfinished is not None:
        yield unfinished


def _added_to_first(one: PeriodRows, rows: PeriodRows) -> PeriodRows:
    """Add the values of one row to the first of others: both are parts of its period."""
    first = {column.name: column for column in one.columns}
    columns = [_sum_in_first(first.pop(each.name, None), each) for each in rows.columns]
    columns += [_in_first_alone(each, len(rows.starts_at)) for each in first.values()]
    return PeriodRows(rows.starts_at, columns)


def _sum_in_first(one: Column | None, column: Column) -> Column:
    if one is None:
        return column
    values = column.values.astype(np.int64)
    values[0] += one.values[0]
    present = column.present
    if present is not None and not present[0]:
        present = present.copy()
        present[0] = True
    return replace(column, values=values, present=present)


def _in_first_alone(one: Column, length: int) -> Column:
    values = np.zeros(length, np.int64)
    values[0] = one.values[0]
    present = np.zeros(length, np.bool_)
    present[0] = True
    return replace(one, values=values, present=present)
