"""The server's own reading of HTTP: what it cannot read, it refuses as everything else is.

Uvicorn's protocol under httptools has no settings for this: refusals as problem documents, limits
of heads and of slow requests, answers that nobody reads. So its class is extended here.
"""

import asyncio
import socket
import struct
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from commonwatt.api.http.problems import (
    BROKEN_REQUEST,
    HEADERS_TOO_LARGE,
    PROBLEM_TYPE,
    TOO_SLOW,
    Problem,
)
from commonwatt.api.server.connections import CONNECTIONS, ConnectionLimits, Connections
from commonwatt.api.server.slow_times import SlowTimes

BODY_IS_HERE = "commonwatt.body_is_here"
"""The key of a request's scope that says that its body came with its head."""
KERNEL_HOLDS = 512 * 1024
"""Bytes of an answer that the kernel takes ahead of a client, which Linux doubles."""
HEAD_LIMIT = 64 * 1024
"""Bytes of a request line with its headers; real ones have some hundred."""

_BROKEN = Problem(
    kind=BROKEN_REQUEST,
    detail="this is not a request of HTTP/1.1 as RFC 9112 has it; check the method, the path "
    "(ASCII, the rest percent-encoded), the lengths and the chunks",
)
_TOO_LARGE = Problem(
    kind=HEADERS_TOO_LARGE,
    detail=f"the request line and the headers have more than {HEAD_LIMIT} bytes",
)


class _HeadTooLarge(Exception):
    """Ends the parsing of a request whose head is beyond the limit."""


def http_protocol(limits: ConnectionLimits) -> Any:
    """What makes the protocol of each connection of a process, for ``uvicorn.Config(http=…)``."""
    return partial(ProblemHttpProtocol, Connections(limits))


class ProblemHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 that answers broken and slow requests with problem details, and closes."""

    _head_bytes = 0
    _waiting_bytes = 0
    _is_too_large = False
    _is_in_body = False
    _has_ended = False

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = connections
        self._limits = connections.limits
        self.app_state.setdefault(CONNECTIONS, connections)
        self._time = SlowTimes(self._limits)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it where there are too many."""
        super().connection_made(transport)
        # The kernel would take up to 4 MB of an answer that nobody reads.
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_HOLDS)
        self._time.begin_idle(self.loop.time())
        host = self.client[0] if self.client else None
        problem = self._connections.admit(self, host, self.loop)
        if problem is not None:
            self._refuse(problem)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place of the connection to another."""
        self._connections.release(self)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Go on writing: the client took something."""
        self._time.resumed()
        super().resume_writing()

    @property
    def is_waiting(self) -> bool:
        """Whether there is no whole head of a request, and no answer is due."""
        return self._time.is_waiting and not self.transport.get_write_buffer_size()

    def give_way(self) -> None:
        """Close the connection for another."""
        self._cut_off()

    def look(self, now: float) -> None:
        """End the connection if its time is over."""
        if self._time.is_unread(now, self.transport):
            self._connections.throttled_log.warn("%s: ended, the answer is not read", self._who())
            self._cut_off()
        elif self.transport.is_closing():
            return
        elif self._time.is_head_late(now, self.flow.read_paused):
            self._end_slow("%s: ended, no whole head of a request within %d s", self._limits.head_s)
        elif self._time.is_body_late(now, self.flow.read_paused):
            self._end_slow(
                "%s: ended, the body came more slowly than 1 KiB a second for %d s",
                self._limits.body_s,
            )
        elif self._time.is_idle(now):
            self.transport.close()

    def _cut_off(self) -> None:
        """Close at once: what nobody reads is not kept by the kernel either."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _end_slow(self, line: str, seconds: int) -> None:
        self._connections.throttled_log.warn(line, self._who(), seconds)
        detail = line.removeprefix("%s: ended, ") % seconds
        self._refuse(Problem(kind=TOO_SLOW, detail=detail))

    def _who(self) -> str:
        return ":".join(map(str, self.client or ("unknown",)))

    def data_received(self, data: bytes) -> None:
        """Read what came; of a head that is not complete, no more than the limit is kept."""
        if self.transport.is_closing():
            return
        self._has_ended = False
        self._time.received(len(data))
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nothing else is spoken here: the request is answered as one of HTTP/1.1
        except httptools.HttpParserError:
            self._refuse_broken(_TOO_LARGE if self._is_too_large else _BROKEN)
        if self._is_in_body or self._has_ended:
            self._waiting_bytes = 0
            return
        # The parser tells of a header once it is whole, and keeps it until then.
        self._waiting_bytes += len(data)
        if self._waiting_bytes > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse_broken(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
        self._time.begin_head(self.loop.time())
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the path."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value) + len(b": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        super().on_headers_complete()
        self._is_in_body = True
        self._time.begin_body()

    def on_message_complete(self) -> None:
        """End the request; the next bytes are another's head."""
        self._is_in_body = False
        self._has_ended = True
        self._time.end_request()
        self.scope[BODY_IS_HERE] = True  # type: ignore[literal-required]  # for our own app
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._time.begin_idle(self.loop.time())
        super().on_response_complete()

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > HEAD_LIMIT:
            self._is_too_large = True
            raise _HeadTooLarge

    def _refuse_broken(self, problem: Problem) -> None:
        self._connections.throttled_log.warn("%s: refused, %s", self._who(), problem.kind.slug)
        self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        # An answer that is under way cannot be followed by another: it ends here.
        answering: RequestResponseCycle | None = self.cycle
        if answering is None or answering.response_complete or not answering.response_started:
            body = bytes(problem.response().body)
            headers = {
                "content-type": PROBLEM_TYPE,
                "content-length": len(body),
                "connection": "close",
                **problem.headers,
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.transport.write(STATUS_LINE[problem.kind.status] + head.encode() + b"\r\n" + body)
        self.transport.close()
