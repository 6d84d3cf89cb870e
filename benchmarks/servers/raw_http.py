"""A small keep-alive HTTP/1.1 client on a raw socket: times from sending to the last byte."""

import gzip
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` holds the query too."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **more: str) -> "Request":
        """The same request with more headers, `_` standing for `-`."""
        added = {name.replace("_", "-"): value for name, value in more.items()}
        return Request(self.method, self.path, self.body, {**self.headers, **added})

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body or self.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `body` as it came, `seconds` from sending to its last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def text(self) -> bytes:
        """The body without its content encoding."""
        zipped = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.body) if zipped else self.body

    def expect(self, status: int = 200) -> "Answer":
        """This answer; RuntimeError when its status is another one."""
        if self.status != status:
            raise RuntimeError(f"HTTP {self.status} instead of {status}: {self.text()[:500]!r}")
        return self


class Connection:
    """One connection to a server on this machine, opened when it is first used."""

    def __init__(self, port: int, timeout_s: float = 120) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._buffer = bytearray(1 << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: Request) -> Answer:
        """Send a request and read the whole answer."""
        data = request.encoded()
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        self._socket.sendall(data)
        status, headers, start, end = self._receive(self._socket)
        seconds = time.perf_counter() - began
        body = bytes(memoryview(self._buffer)[start:end])
        if "chunked" in headers.get("transfer-encoding", ""):
            body = _joined(body)
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers, body, seconds)

    def _receive(self, source: socket.socket) -> tuple[int, dict[str, str], int, int]:
        """Status, headers and the position of the body in the buffer, once all of it is there."""
        filled, start, length = 0, -1, -1
        status, headers = 0, dict[str, str]()
        while start < 0 or not self._complete(start, filled, length):
            filled = self._fill(source, filled)
            if start < 0 and (head := self._buffer.find(b"\r\n\r\n", 0, filled)) >= 0:
                status, headers = _head(bytes(self._buffer[:head]))
                start = head + 4
                chunked = "transfer-encoding" in headers
                length = -1 if chunked else int(headers.get("content-length", "0"))
        return status, headers, start, filled

    def _fill(self, source: socket.socket, filled: int) -> int:
        if len(self._buffer) - filled < 1 << 16:
            self._buffer.extend(bytes(len(self._buffer)))
        with memoryview(self._buffer) as view, view[filled:] as free:
            count = source.recv_into(free)
        if count == 0:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return filled + count

    def _complete(self, start: int, filled: int, length: int) -> bool:
        if length >= 0:
            return filled - start >= length
        return self._buffer[max(start, filled - 7) : filled].endswith(b"0\r\n\r\n")


def _head(text: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}


def _joined(chunked: bytes) -> bytes:
    parts, position = [], 0
    while size := int(chunked[position : (line := chunked.index(b"\r\n", position))], 16):
        parts.append(chunked[line + 2 : line + 2 + size])
        position = line + size + 4
    return b"".join(parts)
