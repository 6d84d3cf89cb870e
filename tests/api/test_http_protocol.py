"""What is no HTTP is refused with problem details, and a head has an end."""

import json
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from commonwatt.api.server.http_protocol import HEAD_LIMIT

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"


def exchange(address: str, *pieces: bytes) -> tuple[bytes, dict[str, str], bytes]:
    """Send bytes, and read until the server closes: status line, headers and body."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as raw:
        for piece in pieces:
            raw.sendall(piece)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status.encode(), dict(line.lower().split(": ", 1) for line in lines), body


def assert_problem(answer: tuple[bytes, dict[str, str], bytes], status: int, kind: str) -> None:
    status_line, headers, body = answer
    assert status_line.startswith(b"HTTP/1.1 %d " % status)
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["content-length"]) == len(body)
    told = json.loads(body)
    assert (told["status"], told["type"]) == (status, f"urn:commonwatt:problem:{kind}")


@pytest.mark.parametrize(
    "broken",
    [
        b"G@T / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /api/v1/auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_http_is_a_problem(address: str, broken: bytes) -> None:
    assert_problem(exchange(address, broken), 400, "broken-request")


@pytest.mark.parametrize(
    "pieces",
    [
        (GET + b"X: " + b"x" * HEAD_LIMIT,),
        (GET + b"X: " + b"x" * HEAD_LIMIT + b"\r\n\r\n",),
        (GET + b"X: y\r\n" * (HEAD_LIMIT // 6),),
        (b"GET /" + b"x" * HEAD_LIMIT,),
    ],
    ids=["header", "whole", "headers", "path"],
)
def test_a_head_without_end_is_refused(address: str, pieces: tuple[bytes, ...]) -> None:
    assert_problem(exchange(address, *pieces), 431, "headers-too-large")


def test_a_head_below_the_limit_and_a_body_beyond_it_are_read(address: str) -> None:
    header = {"X": "x" * (HEAD_LIMIT - 1000)}
    assert httpx2.get(f"{address}/health", headers=header).status_code == 200
    with httpx2.Client(base_url=address) as client:
        for _ in range(2):
            # Larger than a question may be, and refused by the route, not by the protocol.
            answer = client.post("/api/v1/auth", content=b" " * (2 * HEAD_LIMIT))
            assert answer.status_code == 413


def test_head_of_health(address: str) -> None:
    for path in ("/health", "/ready"):
        answer = httpx2.head(f"{address}{path}")
        assert (answer.status_code, answer.content) == (200, b"")
