"""A PostgreSQL server for the length of a test run: its own folder, its own port, loopback only."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEBIAN_PROGRAMS = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"

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


@dataclass(frozen=True)
class Cluster:
    """A cluster in a folder of its own; the programs run as `account`, or as ourselves."""

    home: Path
    programs: Path
    account: str | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the cluster; its output goes into the error."""
        # A file, because the server would keep a pipe open after pg_ctl has ended.
        with (self.home / "output").open("a+b") as output:
            outcome = subprocess.run(
                [self.programs / program, "-D", self.home / "data", *arguments],
                cwd=self.home,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                user=self.account,
                group=self.account,
                extra_groups=None if self.account is None else [],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=120,
                check=False,
            )
            output.seek(0)
            said = output.read().decode(errors="replace")
        if outcome.returncode != 0:
            raise RuntimeError(f"{program} failed with {outcome.returncode}:\n{said}")


@contextmanager
def running_server() -> Iterator[str]:
    """Run a fresh cluster and give the URL of its database `postgres`; stop and remove it after."""
    programs, account, port = find_programs(), server_account(), free_port()
    options = " ".join(f"-c {key}='{value}'" for key, value in SERVER_OPTIONS.items())
    with tempfile.TemporaryDirectory(prefix="commonwatt-postgres-") as home:
        if account is not None:
            shutil.chown(home, account, account)
        cluster = Cluster(Path(home), programs, account)
        cluster.run("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        cluster.run("pg_ctl", "start", "-w", "-o", f"-p {port} {options}")
        try:
            yield f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"
        finally:
            cluster.run("pg_ctl", "stop", "-w", "-m", "immediate")
