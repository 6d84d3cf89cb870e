"""JSON arrays and NDJSON to rows, and rows to columns of raw values."""

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import chain
from operator import itemgetter
from typing import cast

import numpy as np
import orjson

from commonwatt.domain.metering.readings import NAMED_ROWS_MAX
from commonwatt.formats.errors import Faults, UnreadableBody, shown
from commonwatt.formats.readings.row_source import RowFaults, RowSource, refuse_too_many_rows

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SUGGESTIONS_MAX = 20
"""So many unknown keys of a body are compared with those that are known."""


def json_array(body: bytes) -> list[object]:
    """Return the elements of a JSON array.

    NaN and Infinity are not JSON, but one such value should not cost its sender the rest:
    they come through as floats, and reject the rows that have them. Raises `UnreadableBody`.

    >>> json_array(b'[{"en_im": 1.5}, NaN]')
    [{'en_im': 1.5}, nan]
    """
    document = _document(body.removeprefix(_BYTE_ORDER_MARK))
    if not isinstance(document, list):
        raise UnreadableBody(
            1, 1, "expected a JSON array of rows, or NDJSON sent as application/x-ndjson"
        )
    refuse_too_many_rows(len(document))
    return document


def _document(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text.decode())
    except json.JSONDecodeError as error:
        raise UnreadableBody(error.lineno, error.colno, f"not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        raise UnreadableBody(line, column, "not JSON: the text is not UTF-8") from error
    except RecursionError as error:
        raise UnreadableBody(0, 0, "not JSON: nested too deep") from error
    except ValueError as error:  # a whole number with thousands of digits
        raise UnreadableBody(0, 0, f"not JSON: {error}") from error


def ndjson_rows(body: bytes) -> tuple[list[object], dict[int, str]]:
    r"""Return one element a line, and what is wrong with broken lines by position (None there).

    Blank lines are skipped and not counted. Raises `UnreadableBody` for too many lines.

    >>> ndjson_rows(b'{"en_im": 1}\n\n{"en_im": ')[1]
    {1: 'not JSON: Expecting value (column 11)'}
    """
    lines = [line for line in body.removeprefix(_BYTE_ORDER_MARK).split(b"\n") if line.strip()]
    refuse_too_many_rows(len(lines))
    try:
        return list(map(orjson.loads, lines)), {}
    except orjson.JSONDecodeError:
        pass
    rows: list[object] = []
    faults = Faults()
    for position, line in enumerate(lines):
        row: object = None
        try:
            # Once enough are named a line is only told from a good one, and no good one has NaN.
            row = _document(line) if len(faults) < NAMED_ROWS_MAX else orjson.loads(line)
        except orjson.JSONDecodeError:
            faults.note(position, "not JSON")
        except UnreadableBody as error:
            column = f" (column {error.column})" if error.column else ""
            faults.note(position, error.message + column)
        rows.append(row)
    return rows, faults


def row_source(rows: Sequence[object], faults: RowFaults, known: Sequence[str]) -> RowSource:
    """Return the columns of rows; no object, or a key that is not known, is a fault of the row.

    Rows with such a fault have no columns.
    """
    numbers = np.arange(1, len(rows) + 1, dtype=np.int64)
    _refuse_others(rows, faults)
    objects = _whole(rows, faults)
    keys = set(chain.from_iterable(objects))
    unknown = keys.difference(known)
    if unknown:
        positions = np.flatnonzero(~faults.faulty).tolist()
        _refuse_unknown(zip(positions, objects, strict=True), unknown, faults, known)
        objects = _whole(rows, faults)
    columns = {key: _column(objects, key) for key in known if key in keys}
    return RowSource(
        numbers[~faults.faulty],
        columns,
        RowFaults(len(objects)),
        left_out=len(rows) - len(objects),
        broken=faults.rejected(numbers),
    )


def _whole(rows: Sequence[object], faults: RowFaults) -> Sequence[dict[str, object]]:
    """Return the rows that have no fault so far, all of them objects."""
    if not faults.faulty.any():
        return cast("Sequence[dict[str, object]]", rows)
    kept = np.flatnonzero(~faults.faulty).tolist()
    return [cast("dict[str, object]", rows[position]) for position in kept]


def _refuse_unknown(
    objects: Iterable[tuple[int, dict[str, object]]],
    unknown: set[str],
    faults: RowFaults,
    known: Sequence[str],
) -> None:
    """Note each row with an unknown key; what could be meant is looked up for the first keys.

    ``objects`` are rows with their positions.
    """
    reasons: dict[str, str] = {}
    for position, row in objects:
        if unknown.isdisjoint(row):
            continue
        name = next(key for key in row if key in unknown)
        if name not in reasons and faults.names_more:
            near = len(reasons) < _SUGGESTIONS_MAX
            reasons[name] = unknown_key(name, known) if near else f"unknown key {shown(name)}"
        faults.add(position, reasons.get(name, "unknown key"))


def _refuse_others(rows: Sequence[object], faults: RowFaults) -> None:
    """Note each row that is no object."""
    if set(map(type, rows)) <= {dict}:
        return
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            what = shown(row) if faults.names_more else "it"
            faults.add(position, f"{what} is not an object with keys such as timestamp")


def _column(objects: Sequence[dict[str, object]], key: str) -> list[object]:
    try:
        return list(map(itemgetter(key), objects))
    except KeyError:
        return [row.get(key) for row in objects]


def unknown_key(name: str, known: Sequence[str]) -> str:
    """Say that a key is not known, and which it could be meant to be.

    >>> unknown_key("en_imp", ["timestamp", "en_im"])
    "unknown key 'en_imp'; did you mean en_im?"
    """
    near = get_close_matches(name[:40], known, 1)
    right = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"unknown key {shown(name)}; {right}"
