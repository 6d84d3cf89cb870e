"""The server as a process: its end, its workers, what it believes of proxies."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import ValidationError

from commonwatt.settings import Settings
from tests.api.building import SITE, readings
from tests.api.conftest import PASSWORD, populate, token
from tests.api.serving import application_of, client_of, settings_of

SERVE = "from commonwatt.bootstrap import run_server; from commonwatt.settings import Settings; "


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(data: Path, **others: object) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a server in a process of its own; end it, with its workers, whatever happens."""
    port = free_port()
    settings = settings_of(data, None, port=port, **others)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE + "run_server(Settings())"],
        env=os.environ | settings.environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address)
        yield process, address
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(1000):
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{address}/ready").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the server is not ready")


def with_the_building(data: Path) -> Path:
    application = application_of(data)
    populate(application.store)
    application.store.database.close()
    return data


@pytest.fixture
def populated(data: Path) -> Path:
    """Give a data folder with the building."""
    return with_the_building(data)


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Give the data folder and the address of a server of two processes."""
    folder = with_the_building(tmp_path_factory.mktemp("two") / "data")
    with serving(folder, workers=2) as (_, address):
        yield folder, address


def test_files_are_for_their_owner_alone(two_workers: tuple[Path, str]) -> None:
    folder, _ = two_workers

    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}

    assert "commonwatt.sqlite" in modes
    assert set(modes.values()) == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700


# Of one process, `serve` is ended and started again among the tests of the command.
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_sigterm_ends_it_within_five_seconds(populated: Path, workers: int) -> None:
    with (
        serving(populated, workers=workers) as (process, address),
        client_of(address, token(address, "reader")) as reader,
    ):
        assert reader.get(f"/api/v1/meter_info/{SITE}").status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def test_workers_count_requests_together(two_workers: tuple[Path, str]) -> None:
    _, address = two_workers
    bearer = {"Authorization": f"Bearer {token(address, 'hasty')}"}
    # A new connection each time: the workers take turns.
    statuses = [
        httpx2.get(f"{address}/api/v1/meter_info/{SITE}", headers=bearer).status_code
        for _ in range(8)
    ]

    assert statuses.count(200) < len(statuses)
    assert set(statuses) == {200, 429}


@pytest.mark.parametrize(("proxy", "believed"), [("127.0.0.0/8", True), (None, False)])
def test_only_a_trusted_proxy_is_believed(
    populated: Path, proxy: str | None, believed: bool
) -> None:
    wrong = {"username": "reader", "password": "wrong"}
    with serving(populated, trusted_proxy=proxy) as (_, address):
        url = f"{address}/api/v1/auth"
        for count in range(5):
            forwarded = {"X-Forwarded-For": f"192.0.2.{count}"}
            assert httpx2.post(url, json=wrong, headers=forwarded).status_code == 401
        right = {"username": "reader", "password": PASSWORD}
        answer = httpx2.post(url, json=right, headers={"X-Forwarded-For": "192.0.2.99"})

    # Five failures from one address are too many, five from five are not.
    assert answer.status_code == (200 if believed else 429)


@pytest.mark.parametrize(
    ("given", "exposed"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0", "trusted_proxy": "10.0.0.0/8"}, False),
        ({"host": "0.0.0.0", "tls_cert": "c.pem", "tls_key": "k.pem"}, False),
    ],
)
def test_listening_to_everybody_needs_protection(
    tmp_path: Path, given: dict[str, str], exposed: bool
) -> None:
    assert settings_of(tmp_path, **given).is_exposed is exposed


def test_listening_to_everybody_is_warned_of(populated: Path) -> None:
    with serving(populated, host="0.0.0.0") as (process, _):
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert b"without TLS" in errors


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_proxy": "10.0.0.0/33"},
        {"trusted_proxy": "*"},
        {"tls_cert": "c.pem"},
        {"workers": 0},
        {"body_limit_mb": 0},
        {"signing_key": "short"},
        {"databse_url": "sqlite:///x"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_settings_survive_the_way_through_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, workers=2, signing_key="s" * 32, trusted_proxy="10.0.0.0/8")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


def put_when_read(address: str, bearer: str, body: bytes) -> http.client.HTTPConnection:
    """Begin a PUT, and send its body once the server asks for it: it is under way then."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.putrequest("PUT", f"/commonwatt/v1/sites/{SITE}/readings")
    connection.putheader("Authorization", f"Bearer {bearer}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(1000).startswith(b"HTTP/1.1 100 ")
    connection.send(body)
    return connection


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_who_is_cut_off_is_told_to_come_again_and_nothing_of_it_is_stored(
    populated: Path, workers: int
) -> None:
    others = sqlite3.connect(populated / "commonwatt.sqlite", isolation_level=None)
    with serving(populated, workers=workers) as (process, address):
        bearer = token(address, "gateway")
        others.execute("BEGIN IMMEDIATE")  # the delivery waits for longer than the server does
        put = put_when_read(address, bearer, json.dumps(readings()).encode())
        process.send_signal(signal.SIGTERM)
        answer = put.getresponse()
        told = json.loads(answer.read())
        process.wait(timeout=10)
        others.execute("ROLLBACK")

    assert (answer.status, told["type"]) == (503, "urn:commonwatt:problem:shutting-down")
    assert int(answer.headers["Retry-After"]) > 0
    assert others.execute("SELECT count(*) FROM raw_readings").fetchone() == (0,)
    others.close()
