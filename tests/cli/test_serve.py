"""``serve`` starts, ends when told to, and starts again on the same store."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.cli.command import CommandLine, end, eventually, first_line, start


@pytest.mark.parametrize("words", [(), ("--workers", "2")])
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
        # The promise itself, not a measurement: a supervisor kills what takes longer.
        process.wait(timeout=5)
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
    process.wait(timeout=5)
    assert "Traceback" not in end(process).err
