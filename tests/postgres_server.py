"""A PostgreSQL server for the length of a test run: its own folder, its own port, loopback only."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DEBIAN_PROGRAMS = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"
IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3

# Durability is what the crash tests of the store are about, not the others: a test's server may
# lose everything when the machine stops, and is several times faster so.
SERVER_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class PostgresUnavailable(Exception):
    """This machine cannot run a PostgreSQL server; the message says what is missing."""


def find_programs() -> Path:
    """Return the folder of initdb and pg_ctl, the newest version if there are several."""
    versions = [path for path in DEBIAN_PROGRAMS.glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresUnavailable("no PostgreSQL here: initdb is not installed")
    return Path(on_path).resolve().parent


def server_account() -> str | None:
    """Return whom the server runs as: PostgreSQL refuses root, everybody else runs it himself."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SUPERUSER)
    except KeyError:
        raise PostgresUnavailable("running as root, and there is no user postgres") from None
    return SUPERUSER


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


# Waits until the pipe from the test run closes, be it in good order or because the run was killed.
UNTIL_THE_RUN_ENDS = (
    'read -r _; "$1" stop -D "$2/data" -w -m immediate; ended=$?; rm -rf "$2"; exit $ended'
)


@dataclass(frozen=True)
class Cluster:
    """A cluster in a folder of its own; the programs run as `account`, or as ourselves."""

    home: Path
    programs: Path
    account: str | None

    def spawn(
        self, command: Sequence[str], output: IO[bytes], stdin: int
    ) -> subprocess.Popen[bytes]:
        """Start a command in the cluster's folder, out of reach of the keyboard's interrupt."""
        return subprocess.Popen(
            command,
            cwd=self.home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=self.account,
            group=self.account,
            extra_groups=None if self.account is None else [],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the cluster; what it said goes into the error."""
        # A file, because the server would keep a pipe open after pg_ctl has ended.
        with (self.home / "output").open("a+b") as output:
            command = [f"{self.programs / program}", "-D", f"{self.home / 'data'}", *arguments]
            with self.spawn(command, output, subprocess.DEVNULL) as process:
                code = process.wait(timeout=120)
            output.seek(0)
            said = output.read().decode(errors="replace")
        if code != 0:
            raise RuntimeError(f"{program} failed with {code}:\n{said}")

    @contextmanager
    def stopped_at_the_end(self) -> Iterator[None]:
        """Stop the server when the block ends, and also when this process is killed in it."""
        names = [f"{self.programs / 'pg_ctl'}", f"{self.home}"]
        command = ["/bin/sh", "-c", UNTIL_THE_RUN_ENDS, "sh", *names]
        with (
            (self.home / "stop").open("wb") as output,
            self.spawn(command, output, subprocess.PIPE) as guardian,
        ):
            yield
        assert guardian.returncode == 0, f"the server at {self.home} did not stop"


def folder_in_memory() -> str | None:
    """Return a folder that lies in memory, if it has room: a database is some 300 new files there.

    From a template it is made in 15 ms, on a disk in 300 (ext4, 2026-12).
    """
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
    return str(IN_MEMORY) if roomy else None


@contextmanager
def running_server() -> Iterator[str]:
    """Run a fresh cluster and give the URL of its database `postgres`; stop and remove it after."""
    programs, account, port = find_programs(), server_account(), free_port()
    options = " ".join(f"-c {key}='{value}'" for key, value in SERVER_OPTIONS.items())
    with tempfile.TemporaryDirectory(prefix="commonwatt-postgres-", dir=folder_in_memory()) as home:
        if account is not None:
            shutil.chown(home, account, account)
        cluster = Cluster(Path(home), programs, account)
        cluster.run("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with cluster.stopped_at_the_end():
            cluster.run("pg_ctl", "start", "-w", "-o", f"-p {port} {options}")
            yield f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"
