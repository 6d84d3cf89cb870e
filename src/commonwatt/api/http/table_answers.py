"""Answers that are tables: in the media type asked for, part by part."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.http.held_answers import parts_answer
from commonwatt.api.http.media_types import ARROW, CSV, JSON, PARQUET
from commonwatt.formats.tables.frames import arrow_stream, parquet
from commonwatt.formats.tables.tables import Table
from commonwatt.formats.tables.texts import csv_parts, json_parts

_VARY = "Accept, Accept-Encoding"
_CONTENT_TYPES = {JSON: JSON, CSV: "text/csv; charset=utf-8; header=present"}


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A table that is to be answered as a media type."""

    table: Table
    media_type: str


async def table_answer(request: Request, answer: TableAnswer, held: AsyncExitStack) -> Response:
    """Answer a table; ``held`` is given back once it was sent."""
    media_type = _CONTENT_TYPES.get(answer.media_type, answer.media_type)
    packs = answer.media_type != PARQUET
    return await parts_answer(request, _parts(answer), media_type, _VARY, held, packs=packs)


def _parts(answer: TableAnswer) -> Iterator[bytes]:
    if answer.media_type == JSON:
        return json_parts(answer.table)
    if answer.media_type == CSV:
        return csv_parts(answer.table)
    whole = arrow_stream if answer.media_type == ARROW else parquet
    return iter([whole(answer.table)])
