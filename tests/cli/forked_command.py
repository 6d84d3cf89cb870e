"""The command in a process of its own, forked from one that has imported what commands import.

A process is a second of importing; several hundred of them would be most of the tests' time.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# Nothing that looks at the environment when it is imported, such as keyring or rich's consoles.
_IMPORTED = (
    "commonwatt.cli.main",
    "commonwatt.stores",
    "commonwatt.bootstrap",
    "commonwatt.client",
    "commonwatt.app.accounts.administer",
    "commonwatt.app.accounts.grants",
    "commonwatt.app.settling.settle_site",
    "commonwatt.export",
    "commonwatt.formats.declaration.yaml",
    "alembic.command",
    "anyio.streams.tls",
    "encodings.idna",
    "encodings.utf_8_sig",
    "httpcore2",
    "numpy.ma",
    "psycopg",
    "rich.progress",
    "rich.table",
    "stamina",
    "tests.cli.ready_command",
)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*_IMPORTED])


def run_forked(
    words: Sequence[str],
    folder: Path,
    stdin: str,
    variables: Mapping[str, str],
    patience_s: float,
) -> tuple[int, str, str]:
    """Run ``commonwatt`` to its end; return its exit code and what it wrote on stdout and stderr.

    Raises TimeoutError, and ends it, if it takes longer than the patience.
    """
    with TemporaryDirectory() as kept:
        streams = [Path(kept, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, encoding="utf-8")
        process = _context.Process(
            target=_command, args=(words, folder, dict(variables), [*map(str, streams)])
        )
        process.start()
        process.join(patience_s)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"commonwatt {' '.join(words)} takes longer than {patience_s} s")
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
        return process.exitcode, out, err


def _command(
    words: Sequence[str], folder: Path, variables: dict[str, str], streams: Sequence[str]
) -> None:
    how = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    for descriptor, (path, flags) in enumerate(zip(streams, how, strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # stays open
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["commonwatt", *words]
    runpy.run_module("commonwatt", run_name="__main__", alter_sys=True)
