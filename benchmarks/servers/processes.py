"""Start and end the servers of the benchmark, and see what they use (Linux: /proc)."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MIB = 1 << 20


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Server:
    """A running server: its main process and its port."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                for pid in tree(self.process.pid):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait(10)

    def wait_until_open(self, seconds: float = 60) -> None:
        """Return when the port accepts connections; RuntimeError, with its log, if not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def wait_until_quiet(self, seconds: float = 20) -> None:
        """Return when the server has stopped working in the background (or the time is over)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = cpu_seconds(tree(self.process.pid))
            time.sleep(0.15)
            if cpu_seconds(tree(self.process.pid)) - before < 0.02:
                return


def start(
    name: str, command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]
) -> Server:
    """Start a server; what it writes goes to `folder`/NAME.log."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    return Server(name, process, port, log)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and give its output; RuntimeError with its errors when it fails."""
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += [child for child, stat in parents.items() if stat and int(stat[1]) == found[-1]]
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of the processes."""
    ticks = sum(int(stat[11]) + int(stat[12]) for pid in pids if (stat := _stat(pid)))
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident and proportional set size of a process tree, bytes."""

    rss: int
    pss: int


def memory(pids: Sequence[int]) -> Memory:
    """What the processes hold; PSS counts a page shared by n processes as 1/n in each."""
    sums = {"Rss:": 0, "Pss:": 0}
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            label, *rest = line.split()
            if label in sums:
                sums[label] += int(rest[0]) * 1024
    return Memory(sums["Rss:"], sums["Pss:"])


class PeakMemory:
    """Watches what a server's process tree holds (PSS, MiB) while its context lasts."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self.highest = 0.0

    def now(self) -> float:
        """What it is at this moment."""
        return memory(tree(self._server.process.pid)).pss / MIB

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.highest = max(self.highest, self.now())

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()
