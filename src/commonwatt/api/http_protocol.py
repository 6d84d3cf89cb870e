"""The server's own reading of HTTP: what it cannot read, it refuses as everything else is."""

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from commonwatt.api.problems import BROKEN_REQUEST, HEADERS_TOO_LARGE, PROBLEM_TYPE, Problem

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


class ProblemHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 that answers broken requests and endless heads with problem details, and closes."""

    _head_bytes = 0
    _waiting_bytes = 0
    _is_too_large = False
    _is_in_body = False
    _has_ended = False

    def data_received(self, data: bytes) -> None:
        """Read what came; of a head that is not complete, no more than the limit is kept."""
        if self.transport.is_closing():
            return
        self._has_ended = False
        super().data_received(data)
        if self._is_in_body or self._has_ended:
            self._waiting_bytes = 0
            return
        # The parser tells of a header once it is whole, and keeps it until then.
        self._waiting_bytes += len(data)
        if self._waiting_bytes > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
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

    def on_message_complete(self) -> None:
        """End the request; the next bytes are another's head."""
        self._is_in_body = False
        self._has_ended = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own words
        """Refuse what the parser could not read."""
        self._refuse(_TOO_LARGE if self._is_too_large else _BROKEN)

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > HEAD_LIMIT:
            self._is_too_large = True
            raise _HeadTooLarge

    def _refuse(self, problem: Problem) -> None:
        # An answer that is under way cannot be followed by another: it ends here.
        answering: RequestResponseCycle | None = self.cycle
        if answering is None or answering.response_complete or not answering.response_started:
            body = bytes(problem.response().body)
            head = f"content-type: {PROBLEM_TYPE}\r\ncontent-length: {len(body)}\r\n"
            ending = "connection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[problem.kind.status] + (head + ending).encode() + body)
        self.transport.close()
