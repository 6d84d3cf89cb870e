"""Answers that hold something until they were read: bytes of memory, a view of the store."""

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import chain

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from commonwatt.api.http.json_answers import (
    GZIP_LEVEL,
    GZIP_WINDOW_BITS,
    WORTH_PACKING,
    accepts_gzip,
)
from commonwatt.climkit_v1.series_json import PART_BYTES

PIECE = PART_BYTES
"""Bytes that are given to the connection at once: what the client has to take before the next."""
_ENOUGH = 256 * 1024
"""So much is made, and one part more, before it is sent."""
_MAKING = anyio.CapacityLimiter(2)
"""Fewer threads than readers have: what makes long answers leaves the short ones their turn."""


async def given_back(held: AsyncExitStack) -> None:
    """Give everything back that is held, whatever happens meanwhile."""
    with anyio.CancelScope(shield=True):
        await held.aclose()


class HeldResponse(Response):
    """A ready answer, sent piece by piece as the client takes it."""

    def __init__(self, answer: Response, held: AsyncExitStack) -> None:
        super().__init__(status_code=answer.status_code)
        self.body, self.raw_headers = answer.body, answer.raw_headers
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        body = memoryview(self.body)
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            for at in range(0, len(body), PIECE):
                piece = body[at : at + PIECE]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            # Waits until the last piece was taken, but for what a connection may hold anyway.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await given_back(self._held)


class HeldStream(StreamingResponse):
    """An answer that is still being made while it is sent; ended where the client hangs up."""

    held: AsyncExitStack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await given_back(self.held)


async def parts_answer(
    request: Request,
    parts: Iterator[bytes],
    media_type: str,
    vary: str,
    held: AsyncExitStack,
    *,
    packs: bool = True,
) -> Response:
    """Answer parts; gzipped if that is accepted and helps, which it does not where not ``packs``.

    What does not fit one part is sent while the rest is still being made.
    """
    headers = {"Vary": vary}
    made, goes_on = await _made(parts)
    packed = packs and sum(map(len, made)) > WORTH_PACKING
    if packed and accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        parts = _packed(chain(made, parts))
        made, goes_on = await _made(parts)
    if not goes_on:
        return HeldResponse(Response(b"".join(made), headers=headers, media_type=media_type), held)
    stream = HeldStream(_sent(made, parts), headers=headers, media_type=media_type)
    stream.held = held
    return stream


async def _made(parts: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """Make the next parts; and tell whether others may follow."""
    return await anyio.to_thread.run_sync(_some, parts, limiter=_MAKING)


def _some(parts: Iterator[bytes]) -> tuple[list[bytes], bool]:
    made: list[bytes] = []
    length = 0
    for part in parts:
        made.append(part)
        if length > _ENOUGH:
            return made, True
        length += len(part)
    return made, False


def _packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


async def _sent(made: list[bytes], parts: Iterator[bytes]) -> AsyncIterator[memoryview]:
    """Send what is made, then what follows, of which nothing is kept longer than it takes."""
    while made:
        part = memoryview(made.pop(0))
        for at in range(0, len(part), PIECE):
            yield part[at : at + PIECE]
        del part
        if not made:
            made, _ = await _made(parts)
