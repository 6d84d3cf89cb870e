"""A server in a process of its own, which tells what it was asked and when, until its input ends.

In the client's process the two would wait for each other's turn at the interpreter.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.client.scripted import METERS, Reply, ScriptedServer

ASKED = "/asked"
_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def counting_server() -> Iterator[str]:
    """Run one; give its address."""
    command = [sys.executable, "-m", "tests.client.counting"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def _serve() -> None:
    def told(_: object) -> Reply:
        return Reply([[asked.path, asked.at] for asked in server.asked])

    server = ScriptedServer({METERS: Reply([]), ASKED: told})
    with server.running() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve()
