"""Who says nothing, says it slowly or does not read is not waited for; how many there may be."""

import asyncio
import contextlib
import logging
import pickle
import resource
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from commonwatt.api.http.throttled_log import LINES_A_MINUTE, ThrottledLog
from commonwatt.api.server.connections import ConnectionLimits, Connections
from commonwatt.api.server.slow_times import SlowTimes
from commonwatt.bootstrap import connection_limits
from tests.api.conftest import populate
from tests.api.serving import application_of, client_of, served, settings_of
from tests.api.test_http_protocol import GET, assert_problem
from tests.cli.command import eventually

SOON = ConnectionLimits(head_s=1, body_s=1, idle_s=1, write_s=1, in_all=12, per_address=4)
POST = b"POST /api/v1/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n"
ASKED = GET + b"\r\n"
WAIT_S = 30


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server that waits a second for anything."""
    application = application_of(tmp_path_factory.mktemp("hasty"))
    populate(application.store)
    with served(application, SOON) as url:
        yield url


def connect(address: str, source: str = "127.0.0.1") -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname
    return socket.create_connection(
        (parts.hostname, parts.port or 0), timeout=WAIT_S, source_address=(source, 0)
    )


def until_closed(raw: socket.socket) -> tuple[bytes, dict[str, str], bytes]:
    """Read what the server says until it ends the connection."""
    answer = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status.encode(), dict(line.lower().split(": ", 1) for line in lines), body


SLOW = (b"G", b"GET /health HTT", GET, GET + b"X: y\r\n", POST + b"{")
IDLE = {b"": b"", b"\r\n": b"", ASKED: b'{"status":"ok"}'}


def test_who_is_slow_or_idle_is_ended(hasty: str) -> None:
    with contextlib.ExitStack() as opened:
        waiting: list[socket.socket] = []
        for number, said in enumerate((*SLOW, *IDLE)):
            raw = opened.enter_context(connect(hasty, f"127.0.1.{number + 1}"))
            raw.sendall(said)
            waiting.append(raw)
        for raw in waiting[: len(SLOW)]:
            assert_problem(until_closed(raw), 408, "too-slow")
        for raw, answer in zip(waiting[len(SLOW) :], IDLE.values(), strict=True):
            assert until_closed(raw)[2] == answer


def test_who_does_not_read_is_cut_off(hasty: str) -> None:
    # Many answers, asked for in one go: more than what the kernel takes for us.
    with client_of(hasty) as client:
        openapi = len(client.get("/openapi.json").content)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(hasty) as raw:
        raw.sendall(asked * (20_000_000 // openapi))
        ended = select.poll()
        ended.register(raw, 0)  # nothing but that it was ended
        assert ended.poll(WAIT_S * 1000)
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: raw.recv(1 << 20), b""))


FEW = ConnectionLimits(in_all=3, per_address=2)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[str]:
    """Give the address of a server with room for three connections, two of an address."""
    application = application_of(tmp_path)
    populate(application.store)
    with served(application, FEW) as url:
        yield url


def test_more_connections_of_an_address_and_in_all_are_refused(crowded: str) -> None:
    with contextlib.ExitStack() as opened:

        def opening(source: str, said: bytes) -> socket.socket:
            raw = opened.enter_context(connect(crowded, source))
            raw.sendall(said)
            return raw

        asking = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        busy = [opening(f"127.0.0.{number}", asking) for number in (1, 1, 2)]
        for raw in busy:
            assert raw.recv(65536).startswith(b"HTTP/1.1 100 ")

        assert_problem(until_closed(opening("127.0.0.1", b"")), 429, "too-many-connections")
        assert_problem(until_closed(opening("127.0.0.3", b"")), 503, "overloaded")

        # Who only waits gives way, and has its place only until then.
        busy[0].close()
        idle = busy[0]
        for _ in eventually():
            idle = opening("127.0.0.4", ASKED)
            if idle.recv(65536).startswith(b"HTTP/1.1 200 "):
                break
        asked = opening("127.0.0.5", b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = asked.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'{"status":"limited","writing":"ok","connections":"short"}' in answer
        with pytest.raises(ConnectionResetError):
            idle.recv(1)


def test_files_that_run_out_are_told(caplog: pytest.LogCaptureFixture) -> None:
    limited = Connections(ConnectionLimits())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        limited._look_for_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert limited.are_short
    assert "no file can be opened any more" in caplog.text


class Taking:
    """A connection of which the test says how much is unread; not one that the kernel knows."""

    def __init__(self) -> None:
        self.waiting = 100_000

    def get_write_buffer_size(self) -> int:
        """Give the bytes that wait."""
        return self.waiting

    def get_extra_info(self, _name: str) -> "Taking":
        """Stand in for the socket."""
        return self

    def fileno(self) -> int:
        """Be no socket of the kernel's."""
        return -1


LIMITS = ConnectionLimits(body_s=60, write_s=30)


def ended_after(a_second: int, times: int) -> int | None:
    """Return the second in which a client that takes so many bytes each is cut off."""
    time, taking = SlowTimes(LIMITS), Taking()
    for second in range(times):
        taking.waiting = 100_000
        if time.is_unread(second, taking):  # type: ignore[arg-type]  # it has what is asked for
            return second
        taking.waiting -= a_second
        if time.is_unread(second, taking):  # type: ignore[arg-type]
            return second
    return None


def test_a_slow_link_is_served_and_a_byte_now_and_then_is_not() -> None:
    assert ended_after(0, 1000) == 31
    assert ended_after(1, 1000) == 31
    assert ended_after(512, 1000) == 60
    assert ended_after(1024, 1000) is None


def test_what_came_fast_before_is_no_credit() -> None:
    time = SlowTimes(LIMITS)
    time.begin_body()
    assert not time.is_body_late(0, reading_is_paused=False)
    time.received(9_000_000)
    late = [second for second in range(1, 100) if time.is_body_late(second, False)]
    assert late[0] == 62


def test_a_body_that_waits_for_us_is_not_late() -> None:
    time = SlowTimes(LIMITS)
    time.begin_body()
    assert not any(time.is_body_late(second, reading_is_paused=True) for second in range(1000))
    time.begin_head(0)
    assert not time.is_head_late(1000, reading_is_paused=True)
    assert time.is_head_late(1021, reading_is_paused=False)


def test_a_ipv6_network_counts_as_one_address_and_proxies_are_not_counted(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, trusted_proxy="10.0.0.0/8,2001:db8:9::1", connections_per_address=2
    )
    limited = Connections(connection_limits(settings))
    loop = asyncio.new_event_loop()

    def admitted(host: str) -> bool:
        return limited.admit(Counted(), host, loop) is None

    assert [admitted(f"2001:db8::{number}") for number in (1, 2, 3)] == [True, True, False]
    assert admitted("2001:db8:0:1::1")
    assert [admitted("::ffff:192.0.2.1"), admitted("192.0.2.1")] == [True, True]
    assert not admitted("192.0.2.1")
    assert all(admitted("10.1.2.3") for _ in range(10))
    assert all(admitted("2001:db8:9::1") for _ in range(10))
    assert [admitted("fe80::1%eth0") for _ in range(3)] == [True, True, False]
    loop.close()


class Counted:
    """A connection that is only counted."""

    is_waiting = False

    def give_way(self) -> None:
        """Stay."""

    def look(self, now: float) -> None:
        """Go on."""


def test_connections_leave_room_for_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 1024))

    assert connection_limits(settings_of(tmp_path)).in_all < 1024
    assert connection_limits(settings_of(tmp_path, connections=100)).in_all == 100


def test_limits_go_to_other_processes_and_counts_do_not() -> None:
    limited = Connections(SOON)
    loop = asyncio.new_event_loop()
    limited.admit(Counted(), "192.0.2.1", loop)
    loop.close()

    there = pickle.loads(pickle.dumps(limited))

    assert there.limits == SOON
    assert not there.are_short


def test_a_flood_of_lines_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    lines = ThrottledLog(logging.getLogger("commonwatt.test"), lambda: now)
    for number in range(LINES_A_MINUTE + 5):
        lines.warn("%s: broken", number)
    lines.warn("other")
    now = 61.0
    lines.warn("%s: broken", "again")

    told = [each.message for each in caplog.records]
    assert len(told) == LINES_A_MINUTE + 3
    assert told[-3:] == ["other", "5 more such lines were left out: %s: broken", "again: broken"]
