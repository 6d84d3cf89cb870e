"""Streams of CSV, plain or gzipped, to rows of cells, in pieces of bounded size."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from commonwatt.formats.errors import UnreadableBody
from commonwatt.formats.gzip_bodies import GZIP_MAGIC
from commonwatt.formats.readings.file_kinds import refuse_other_files

_PIECE_BYTES = 1 << 20
_LINE_MAX_BYTES = 1 << 16
_BYTE_ORDER_MARK = "\ufeff"


def csv_lines(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of a stream that are not blank, some thousands at a time.

    Gzip is recognised by its first bytes. A byte order mark and the carriage returns of CRLF are
    dropped. Bytes that are not UTF-8 become lone surrogates, which no row accepts. Raises
    `UnreadableBody` for broken gzip, for a file that is no CSV, and for a line of more than 64 KiB.
    """
    rest = b""
    number = 0
    for count, piece in enumerate(_pieces(stream)):
        if not count:
            refuse_other_files(piece)
        whole, newline, rest_of_piece = (rest + piece).rpartition(b"\n")
        rest = rest_of_piece
        if newline:
            lines = whole.decode("utf-8", "surrogateescape").split("\n")
            yield _tidied(lines, number)
            number += len(lines)
        if len(rest) > _LINE_MAX_BYTES:
            raise UnreadableBody(number + 1, 0, f"longer than {_LINE_MAX_BYTES} bytes; is it CSV?")
    if rest:
        yield _tidied([rest.decode("utf-8", "surrogateescape")], number)


def csv_lines_of(body: bytes) -> list[str]:
    """Return the lines of a whole body that are not blank; see `csv_lines`."""
    refuse_other_files(body[:_PIECE_BYTES])
    return _tidied(body.decode("utf-8", "surrogateescape").split("\n"), 0)


def _tidied(lines: list[str], number: int) -> list[str]:
    if number == 0:
        lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
    tidied = [line.rstrip("\r") for line in lines]
    return [line for line in tidied if line and not line.isspace()]


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    start = stream.read(_PIECE_BYTES)
    if not start.startswith(GZIP_MAGIC):
        while start:
            yield start
            start = stream.read(_PIECE_BYTES)
        return
    unpacked = gzip.GzipFile(fileobj=cast("BinaryIO", _Rewound(start, stream)))
    try:
        while piece := unpacked.read(_PIECE_BYTES):
            yield piece
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableBody(0, 0, f"the gzip data are broken or cut short ({error})") from error


class _Rewound:
    """A stream that gives back what was read from its start; a pipe cannot be rewound."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start = start
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if self._start:
            given, self._start = self._start[:size], self._start[size:]
            return given
        return self._stream.read(size)


def cells_of(line: str) -> Sequence[str] | None:
    """Return the cells of a line, None if its quotes are broken. A cell holds no line break.

    >>> cells_of('2026-01-05,"1,5",'), cells_of('"2026-01-05,1')
    (['2026-01-05', '1,5', ''], None)
    """
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None
