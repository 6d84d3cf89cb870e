"""Tables as text, some thousand rows at a time: JSON and CSV."""

from collections.abc import Iterator

import orjson

from commonwatt.formats.tables.tables import Amounts, Column, Shares, Table, Words

ROWS_AT_ONCE = 10_000


def json_parts(table: Table) -> Iterator[bytes]:
    """Yield a JSON array of objects, a key a column; what is not known is null.

    A whole number of thousandths divided by 1000 is the double nearest to its three decimals, and
    is written as these.
    """
    names = [column.name for column in table.columns]
    opening = b"["
    for first in range(0, table.length, ROWS_AT_ONCE):
        part = table.part(first, first + ROWS_AT_ONCE)
        cells = [_json_cells(column) for column in part.columns]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
        yield opening + orjson.dumps(rows)[1:-1]
        opening = b","
    yield b"]" if table.length else b"[]"


def csv_parts(table: Table) -> Iterator[bytes]:
    """Yield CSV (RFC 4180) with a header; what is not known is empty, amounts have 3 decimals."""
    yield ",".join(column.name for column in table.columns).encode() + b"\r\n"
    for first in range(0, table.length, ROWS_AT_ONCE):
        part = table.part(first, first + ROWS_AT_ONCE)
        rows = zip(*(_csv_cells(column) for column in part.columns), strict=True)
        yield "".join(",".join(row) + "\r\n" for row in rows).encode()


def _json_cells(column: Column) -> list[str] | list[str | None] | list[float | None]:
    if isinstance(column, Amounts | Shares):
        return column.numbers()
    return column.words() if isinstance(column, Words) else column.texts()


def _csv_cells(column: Column) -> list[str]:
    """Texts of a column; none of them has a comma, a quote or a line's end."""
    if isinstance(column, Words):
        return [word or "" for word in column.words()]
    if isinstance(column, Amounts):
        return ["" if number is None else f"{number:.3f}" for number in column.numbers()]
    if isinstance(column, Shares):
        return ["" if number is None else f"{number:.6f}" for number in column.numbers()]
    return column.texts()
