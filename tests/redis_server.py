"""A Redis server for the length of a test run: in memory only, its own port, loopback only."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres_server import free_port

PATIENCE_S = 10


class RedisUnavailable(Exception):
    """This machine cannot run a Redis server; the message says what is missing."""


def _await_answer(port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(7) == b"+PONG\r\n":
                    return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise RuntimeError(f"redis-server does not answer:\n{log.read_text()}")


@contextmanager
def running_redis(home: Path) -> Iterator[str]:
    """Run an empty server that works in the folder `home`, and give its URL; stop it after."""
    program = shutil.which("redis-server")
    if program is None:
        raise RedisUnavailable("no Redis here: redis-server is not installed")
    port, log = free_port(), home / "log"
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": home}
    arguments = [text for name, value in options.items() for text in (f"--{name}", f"{value}")]
    with (
        log.open("wb") as output,
        subprocess.Popen([program, *arguments], stdout=output, stderr=subprocess.STDOUT) as server,
    ):
        try:
            _await_answer(port, log)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
