"""Bodies of requests, read with a limit that holds while they arrive and are unpacked."""

import anyio.to_thread
from starlette.requests import Request

from commonwatt.app.errors import CommonwattError
from commonwatt.formats.errors import BodyTooLarge
from commonwatt.formats.gzip_bodies import gunzip_limited
from commonwatt.formats.readings.bodies import UnknownContentType

QUERY_LIMIT = 64 * 1024
"""Bytes of a body that only asks something; real ones have some hundred."""
_GZIP_NAMES = {"gzip", "x-gzip"}


class UnknownEncoding(CommonwattError):
    """A Content-Encoding that is not read here."""

    kind = UnknownContentType.kind

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"Content-Encoding {encoding[:60]!r} is not read here; send gzip, or the plain body"
        )


async def read_body(request: Request, limit: int) -> bytes:
    """The body as it was sent. Raises BodyTooLarge as soon as it has more than ``limit`` bytes.

    What was announced too large is refused before any of it is read.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge(limit)
    parts: list[bytes] = []
    room = limit
    async for part in request.stream():
        room -= len(part)
        if room < 0:
            raise BodyTooLarge(limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def largest_size(request: Request, limit: int) -> int:
    """The bytes that a body may have once it is unpacked: as announced, else the limit."""
    announced = request.headers.get("content-length", "")
    is_packed = request.headers.get("content-encoding", "identity").strip().lower() in _GZIP_NAMES
    if announced.isdecimal() and not is_packed:
        return min(int(announced), limit)
    return limit


async def read_packed_body(request: Request, limit: int) -> bytes:
    """The body, unpacked if it was sent as gzip; ``limit`` bytes at most, sent and unpacked.

    Raises BodyTooLarge, UnknownEncoding, and UnreadableBody for what is not gzip after all.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _GZIP_NAMES and encoding not in ("identity", ""):
        raise UnknownEncoding(encoding)
    body = await read_body(request, limit)
    if encoding not in _GZIP_NAMES:
        return body
    return await anyio.to_thread.run_sync(gunzip_limited, body, limit)
