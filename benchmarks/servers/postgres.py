"""A PostgreSQL cluster of the benchmark's own: own folder, own port, loopback only."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers.processes import free_port, run

SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = 2GB
effective_cache_size = 8GB
work_mem = 64MB
maintenance_work_mem = 512MB
max_wal_size = 8GB
random_page_cost = 1.1
"""


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl of the newest version installed, if any."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _version(path: Path) -> float:
    return float(path.parent.parent.name)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster."""

    bin: Path
    data: Path
    port: int

    @property
    def url(self) -> str:
        """What SQLAlchemy connects to."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        """Shut it down, without waiting for clients."""
        _as_owner(self.bin / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")


def start_cluster(folder: Path) -> Cluster | None:
    """Make and start a cluster under `folder`; None where PostgreSQL is not installed."""
    found = binaries()
    if found is None:
        return None
    data, port = folder / "postgres", free_port()
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
        folder.chmod(0o755)
    initdb = ["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"]
    _as_owner(found / "initdb", "-D", data, *initdb)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{SETTINGS}port = {port}\nunix_socket_directories = '{data}'\n")
    _as_owner(found / "pg_ctl", "-D", data, "-l", data / "log", "-w", "start")
    return Cluster(found, data, port)


def _as_owner(*command: str | Path) -> None:
    """PostgreSQL refuses to run as root: then as user postgres."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    run([*user, *map(str, command)])
