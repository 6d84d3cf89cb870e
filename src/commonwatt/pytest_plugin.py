"""The fixture `climkit_server`: a server of the Climkit Developer API v1 for others' tests.

    def test_my_client(climkit_server):
        client = MyClient(climkit_server.url, climkit_server.username, climkit_server.password)
        assert client.site_name(climkit_server.site) == "Lindenhof 8"

It is the frozen demo, in a process of its own on a free port of loopback. pytest loads this module
wherever commonwatt is installed; so it imports nothing of commonwatt and starts nothing until a
test asks for the fixture.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Timer

import pytest

_STARTS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 15.0
# Nothing is imported from the folder in which pytest runs, and no warning is an error.
_COMMAND = (sys.executable, "-P", "-W", "default", "-m", "commonwatt.demo.frozen.process")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimkitServer:
    """A running server, whose building is the same for ever.

    ``url`` is the address without a path, such as http://127.0.0.1:41234; the published API is
    below ``/api/v1``. ``site`` is the id of the only site, ``meters`` and ``sensors`` are ids by
    name. The readings are of [start, end), two weeks of 2024. The account is not rate limited.
    """

    url: str
    username: str
    password: str = field(repr=False)
    site: str
    timezone: str
    start: datetime
    end: datetime
    meters: Mapping[str, str]
    sensors: Mapping[str, str]


class CannotStart(Exception):
    """The server did not start; the message is what it said."""


@pytest.fixture(scope="session")
def climkit_server() -> Iterator[ClimkitServer]:
    """A server of the Climkit Developer API v1, with a building that is always the same."""
    try:
        with _running_server() as server:
            yield server
    except CannotStart as error:
        pytest.fail(f"climkit_server cannot start: {error}", pytrace=False)


@contextmanager
def _running_server() -> Iterator[ClimkitServer]:
    """Run the server until the end of the block, or of this process."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603  # our own module, by the interpreter that runs the tests
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        try:
            line = _first_line(process)
            if not line:
                said.seek(0)
                raise CannotStart(said.read().decode(errors="replace").strip() or "no answer")
            yield _server(line)
        finally:
            _end(process)


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return what the server says once it answers; nothing if it ended or took too long."""
    assert process.stdout is not None
    too_long = Timer(_STARTS_WITHIN_S, process.kill)
    too_long.start()
    try:
        return process.stdout.readline()
    finally:
        too_long.cancel()


def _server(line: bytes) -> ClimkitServer:
    facts = json.loads(line)
    for name in ("start", "end"):
        facts[name] = datetime.fromisoformat(facts[name])
    return ClimkitServer(**facts)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the server end: it does when its standard input does."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
