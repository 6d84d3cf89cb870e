"""A demo in a process of its own, for tests."""

import os
import selectors
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from commonwatt.demo.simulated.building import SITE_ID
from commonwatt.stores import STORE_FILE

_COMMONWATT = "from commonwatt.cli.main import main; main()"
_LAST_LINE = "Ctrl-C ends it"
_PATIENCE_S = 120.0
_SOME_DELIVERIES = 8


@dataclass(frozen=True)
class RunningDemo:
    """A demo that answers: what it printed, and a signed-in client of it."""

    text: str
    client: httpx2.Client

    def said(self, word: str) -> str:
        """Return what the banner says of address, account or password."""
        lines = (line.split() for line in self.text.splitlines())
        return next(words[1] for words in lines if words[:1] == [word])

    def ask(self, path: str, **question: object) -> list[dict[str, object]]:
        """Return the answer of the published surface, asking again where it says too often."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            answer = self.client.post(f"/api/v1/{path}", json=question)
            if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
                answer.raise_for_status()
                rows: list[dict[str, object]] = answer.json()
                return rows
            time.sleep(float(answer.headers["Retry-After"]))
        raise TimeoutError(path)

    def latest_stamp(self, meter_id: str) -> str:
        """Return the stamp of a meter's latest reading."""
        (row,) = self.ask(f"meter_data_raw/{SITE_ID}/{meter_id}")
        return str(row["timestamp"])


@contextmanager
def running_demo(data: Path) -> Iterator[RunningDemo]:
    """Run a demo on a data folder and a free port; ended by SIGTERM."""
    with _signed_in(_start("--data", str(data))) as demo:
        yield demo


@contextmanager
def running_frozen_demo(folder: Path, **environment: str) -> Iterator[RunningDemo]:
    """Run a frozen demo in a folder and on a free port; ended by SIGTERM."""
    with _signed_in(_start("--frozen", cwd=folder, env={**os.environ, **environment})) as demo:
        yield demo


@contextmanager
def _signed_in(process: "subprocess.Popen[bytes]") -> Iterator[RunningDemo]:
    try:
        text = _banner(process)
        address = next(line.split()[1] for line in text.splitlines() if "address" in line)
        with httpx2.Client(base_url=address, timeout=60.0, trust_env=False) as client:
            demo = RunningDemo(text, client)
            credentials = {"username": demo.said("account"), "password": demo.said("password")}
            token = client.post("/api/v1/auth", json=credentials).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield demo
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        process.stdout.close()


def kill_while_setting_up(data: Path) -> None:
    """Start a demo on an empty folder and kill it (SIGKILL) when part of its history is stored."""
    process = _start("--data", str(data))
    deadline = time.monotonic() + _PATIENCE_S
    while _deliveries(data) < _SOME_DELIVERIES:
        assert process.poll() is None, "the demo ended by itself"
        assert time.monotonic() < deadline, "the demo stored nothing"
        time.sleep(0.05)
    process.kill()
    process.communicate()


def _deliveries(data: Path) -> int:
    """Count the deliveries stored so far, 0 before there is a store."""
    if not (data / STORE_FILE).exists():
        return 0
    with closing(sqlite3.connect(f"file:{data / STORE_FILE}?mode=ro", uri=True)) as connection:
        try:
            (count,) = connection.execute("SELECT count(*) FROM deliveries").fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(count)


def _start(
    *options: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", _COMMONWATT, "demo", "--port", "0", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=cwd, env=env)


def _banner(process: "subprocess.Popen[bytes]") -> str:
    """Wait for the text that the demo prints once it answers."""
    assert process.stdout is not None
    deadline = time.monotonic() + _PATIENCE_S
    lines: list[str] = []
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and process.poll() is None:
            if selector.select(timeout=1.0):
                lines.extend(os.read(process.stdout.fileno(), 65536).decode().splitlines())
            if any(line.startswith(_LAST_LINE) for line in lines):
                return "\n".join(lines)
    raise AssertionError(f"the demo did not start: {lines}")
