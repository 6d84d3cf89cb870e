"""The real command in processes of its own, on real stores."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.cli.forked_command import run_forked

_PATIENCE_S = 60.0
COMMAND = (sys.executable, "-m", "commonwatt")


def environment(**more: str) -> dict[str, str]:
    """Return this environment without settings of commonwatt, and more."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COMMONWATT_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True)
class CommandLine:
    """The command on one store."""

    folder: Path
    store: tuple[str, ...]

    def __call__(
        self, *words: str, stdin: str = "", more: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a command that opens the store."""
        return run(*words, *self.store, folder=self.folder, stdin=stdin, more=more)

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder of the test; return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    @contextmanager
    def serving(self, *words: str) -> Iterator[tuple["subprocess.Popen[str]", httpx2.Client]]:
        """Serve the store on a free port; give the process and a client of it."""
        process = start("serve", "--port", "0", *words, *self.store, folder=self.folder)
        try:
            address = first_line(process).split()[-1]
            with httpx2.Client(base_url=address, timeout=30.0, trust_env=False) as client:
                yield process, client
        finally:
            ended = end(process)
            # Shown with a test that fails: the trace of an answer that went wrong.
            sys.stderr.write(ended.err)


def run(*words: str, folder: Path, stdin: str = "", more: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end."""
    return Ended(*run_forked(words, folder, stdin, environment(**(more or {})), _PATIENCE_S))


def start(*words: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a command."""
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    """Wait for the first line that a command prints."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(timeout=_PATIENCE_S), "the command says nothing"
    return process.stdout.readline()


def end(process: "subprocess.Popen[str]", how: signal.Signals = signal.SIGTERM) -> Ended:
    """End a command by a signal, if it runs still; it has to obey."""
    if process.poll() is None:
        process.send_signal(how)
    out, err = process.communicate(timeout=_PATIENCE_S)
    return Ended(process.returncode, out, err)


def eventually(attempt_s: float = 0.05) -> Iterator[None]:
    """Yield again and again until the patience is over."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        yield
        time.sleep(attempt_s)
    raise TimeoutError
