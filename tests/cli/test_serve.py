"""``serve`` starts, ends when told to, and starts again on the same store."""

import contextlib
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from commonwatt.adapters.log_lines import LogLine
from tests.cli.command import CommandLine, end, eventually, first_line, start


# Two processes are told to end in the tests of the server too.
@pytest.mark.parametrize(
    "words", [(), pytest.param(("--workers", "2"), marks=pytest.mark.slow)], ids=["one", "two"]
)
def test_sigterm_ends_it_within_5_seconds_and_it_starts_again(
    cw: CommandLine, words: tuple[str, ...]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for _ in range(2):
        process = start("serve", "--port", str(port), *words, *cw.store, folder=cw.folder)
        assert str(port) in first_line(process)
        for _ in eventually():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)  # 5 s are promised; whoever tests has more to do meanwhile
        assert end(process).code == 0


def test_ctrl_c_ends_it_with_one_line(cw: CommandLine) -> None:
    process = start("serve", "--port", "0", *cw.store, folder=cw.folder)
    first_line(process)
    ended = end(process, signal.SIGINT)
    assert (ended.code, ended.err) == (130, "commonwatt: interrupted\n")


def test_health_and_files_of_the_owner_alone(cw: CommandLine) -> None:
    with cw.serving() as (_, client):
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200
    folder = Path(cw.store[1])
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_port_that_is_taken_is_told(cw: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = end_by_itself(cw, str(taken.getsockname()[1]))
    assert ended == (1, True)


def end_by_itself(cw: CommandLine, port: str) -> tuple[int, bool]:
    ended = cw("serve", "--port", port)
    return ended.code, "address already in use" in ended.err and "Traceback" not in ended.err


def test_a_server_that_is_not_ready_yet_ends_too(cw: CommandLine) -> None:
    process = start("serve", "--port", "0", *cw.store, folder=cw.folder)
    time.sleep(0.7)  # somewhere between the start of the interpreter and the first answer
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)
    assert "Traceback" not in end(process).err


DROPPED = """
import signal, time
from commonwatt.adapters.ending import end_on_sigterm
end_on_sigterm()
try:
    signal.raise_signal(signal.SIGTERM)
except SystemExit:
    time.sleep(60)
"""


def test_sigterm_ends_a_process_in_which_what_it_raises_is_dropped() -> None:
    ended = subprocess.run([sys.executable, "-c", DROPPED], timeout=30, check=False)
    assert ended.returncode == 0


LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (WARNING|ERROR|CRITICAL) [\w.]+: .+")
PASSWORD = "a secret that is nobody's business"


def test_each_event_leaves_one_line_with_time_level_and_address(cw: CommandLine) -> None:
    cw("account", "add", "anna", "--role", "developer", "--password-stdin", stdin=f"{PASSWORD}\n")
    with cw.serving() as (process, client):
        for username in ("anna", "nobody\nERROR forged: line"):
            wrong = {"username": username, "password": f"not {PASSWORD}"}
            assert client.post("/api/v1/auth", json=wrong).status_code == 401
        site = "/commonwatt/v1/sites/61dfc9a0eba4e3564021f36a"
        forged = {"Authorization": f"Bearer {PASSWORD}"}
        assert client.put(f"{site}/readings", headers=forged).status_code == 401
        assert client.post(f"{site}/edits%0Aforged", headers=forged).status_code == 404
        with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
            raw.sendall(b"G@T / HTTP/1.1\r\n\r\n")
            assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
        process.send_signal(signal.SIGTERM)
        lines = end(process).err.splitlines()

    assert all(LINE.fullmatch(line) for line in lines), lines
    told = [line.split(": ", 1)[1] for line in lines]
    for expected in (
        r"127\.0\.0\.1:\d+: sign-in of anna refused",
        r"127\.0\.0\.1:\d+: sign-in of an unknown account refused",
        rf"127\.0\.0\.1:\d+: PUT {site}/readings refused, not-signed-in",
        rf"127\.0\.0\.1:\d+: POST {site}/edits \| forged refused, no-such-path",
        r"127\.0\.0\.1:\d+: refused, broken-request",
    ):
        assert sum(1 for line in told if re.fullmatch(expected, line)) == 1, (expected, told)
    assert len(lines) == 5
    assert PASSWORD not in "".join(lines)


def children_of(process: int) -> list[int]:
    """The processes that serve for one; not what Python starts to look after resources."""
    return [
        int(child)
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


@pytest.fixture
def workers(cw: CommandLine) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """Give a server of two processes that answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start("serve", "--port", str(port), "--workers", "2", *cw.store, folder=cw.folder)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in eventually():
            with contextlib.suppress(httpx2.TransportError):
                if client.get("/health").status_code == 200:
                    break
        yield process, client
    end(process)


def test_a_worker_that_dies_is_replaced_and_told(
    workers: tuple[subprocess.Popen[str], httpx2.Client],
) -> None:
    process, _ = workers
    before: list[int] = []
    for _ in eventually():
        if len(before := children_of(process.pid)) == 2:
            break
    os.kill(before[0], signal.SIGKILL)
    for _ in eventually():
        now = children_of(process.pid)
        if len(now) == 2 and before[0] not in now:
            break

    lines = end(process).err.splitlines()

    assert all(LINE.fullmatch(line) for line in lines), lines
    (told,) = [line for line in lines if f"worker {before[0]} ended with " in line]
    assert told.endswith(" replaces it")


def test_workers_end_where_the_first_process_is_killed(
    workers: tuple[subprocess.Popen[str], httpx2.Client],
) -> None:
    process, client = workers
    children: list[int] = []
    for _ in eventually():
        if len(children := children_of(process.pid)) == 2:
            break
    process.kill()
    process.wait()

    for _ in eventually():
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
    with pytest.raises(httpx2.TransportError):
        client.get("/health")


def test_a_trace_is_on_the_line_of_its_event() -> None:
    with pytest.raises(ValueError, match="first") as raised:
        int("first\nsecond \x1b[31m")
    trace = (raised.type, raised.value, raised.tb)
    record = logging.LogRecord(
        "commonwatt.x", logging.ERROR, __file__, 1, "it\nfailed", None, trace
    )

    line = LogLine().format(record)

    assert LINE.fullmatch(line)
    assert " ERROR commonwatt.x: it | failed | Traceback (most recent call last): | " in line
    assert line.endswith(r"'first\nsecond \x1b[31m'")
