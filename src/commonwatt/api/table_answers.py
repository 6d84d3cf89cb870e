"""Answers that are tables: in the media type asked for, part by part, off the event loop."""

import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from commonwatt.api.json_answers import GZIP_LEVEL, GZIP_WINDOW_BITS, WORTH_PACKING, accepts_gzip
from commonwatt.api.media_types import ARROW, CSV, JSON, PARQUET
from commonwatt.formats.table_frames import arrow_stream, parquet
from commonwatt.formats.table_texts import csv_parts, json_parts
from commonwatt.formats.tables import Table

_VARY = "Accept, Accept-Encoding"
_CONTENT_TYPES = {JSON: JSON, CSV: "text/csv; charset=utf-8; header=present"}


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A table that is to be answered as a media type."""

    table: Table
    media_type: str


async def table_answer(request: Request, answer: TableAnswer) -> Response:
    """Answer a table; gzipped if that is accepted and helps, which it does not with Parquet.

    What does not fit one part is sent while the rest is still being written.
    """
    headers = {"Vary": _VARY}
    media_type = _CONTENT_TYPES.get(answer.media_type, answer.media_type)
    parts = _parts(answer)
    beginning = await anyio.to_thread.run_sync(_beginning, parts)
    packed = answer.media_type != PARQUET and len(beginning) > WORTH_PACKING
    if packed and accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        parts = _packed(_chained(beginning, parts))
        beginning = await anyio.to_thread.run_sync(_beginning, parts)
    following = await anyio.to_thread.run_sync(next, parts, None)
    if following is None:
        return Response(beginning, headers=headers, media_type=media_type)
    sent = _sent(beginning + following, parts)
    return StreamingResponse(sent, headers=headers, media_type=media_type)


def _parts(answer: TableAnswer) -> Iterator[bytes]:
    if answer.media_type == JSON:
        return json_parts(answer.table)
    if answer.media_type == CSV:
        return csv_parts(answer.table)
    whole = arrow_stream if answer.media_type == ARROW else parquet
    return iter([whole(answer.table)])


def _beginning(parts: Iterator[bytes]) -> bytes:
    """The first two parts: of a short answer all there is."""
    return next(parts) + next(parts, b"")


def _chained(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from parts


def _packed(parts: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


async def _sent(beginning: bytes, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    while (part := await anyio.to_thread.run_sync(next, parts, None)) is not None:
        if part:
            yield part
