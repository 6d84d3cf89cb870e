"""B: its database, its server, and how it is asked."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.expected import METER, check_first_read
from benchmarks.servers.postgres import Cluster, start_cluster
from benchmarks.servers.processes import Server, free_port, run, start
from benchmarks.servers.raw_http import Answer, Request
from benchmarks.servers.subject import Requests
from benchmarks.site.building import Building, naive_utc
from benchmarks.site.incoming import day_span, day_start, stamps
from benchmarks.site.plan import DAY_S, Plan

SECRET = "the yardstick keeps no secret from anybody"
REPOSITORY = Path(__file__).parents[2]
PATH = f"/meter_data/1/{METER + 1}"


def python_of_yardsticks() -> str:
    """The interpreter with the pinned packages (`.venv-bench`), else the one that runs this."""
    pinned = REPOSITORY / ".venv-bench" / "bin" / "python"
    return str(pinned) if pinned.exists() else sys.executable


def uvicorn(app: str, port: int, workers: int) -> Sequence[str]:
    """The command that serves one of the yardsticks."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    quiet = ["--log-level", "warning", "--no-access-log", "--lifespan", "off"]
    return [python_of_yardsticks(), "-m", "uvicorn", app, *options, *quiet]


def yardstick_environment(**more: str) -> Mapping[str, str]:
    """An environment in which the yardsticks can be imported."""
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, **more}


def period(start: int, end: int, sampling: str = "15T") -> dict[str, object]:
    """The body of a reading request."""
    return {"t_s": naive_utc(start), "t_e": naive_utc(end), "sampling_frequency": sampling}


@dataclass(frozen=True, slots=True)
class B:
    """The row-table API, filled and running."""

    server: Server
    folder: Path
    cluster: Cluster | None
    url: str
    token: str
    plan: Plan
    incoming: Building
    name: str = "B"

    @property
    def database(self) -> str:
        """What its rows are kept in."""
        return "PostgreSQL" if self.cluster else "SQLite, as PostgreSQL is not installed"

    def stop(self) -> None:
        """End the server and its database."""
        self.server.stop()
        if self.cluster:
            self.cluster.stop()

    def restarted(self, workers: int) -> "B":
        """The same database behind a new server."""
        self.server.stop()
        return replace(self, server=_serve(self.folder, self.url, workers))

    def bytes_a_row(self) -> float:
        """Bytes of a row with its key, as the database counts them."""
        code = "import sys; from benchmarks.yardstick_b.fill import bytes_a_row as of"
        code += "; print(of(sys.argv[1]))"
        return float(run([python_of_yardsticks(), "-c", code, self.url], yardstick_environment()))

    def _post(self, path: str, body: object) -> Request:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return Request("POST", path, json.dumps(body).encode(), headers)

    def reads(self) -> Requests:
        """A meter's year, day, local days and months."""
        return {
            "year": self._post(PATH, period(*self.plan.year)),
            "day": self._post(PATH, period(*self.plan.day)),
            "days": self._post(PATH, period(*self.plan.year, "D")),
            "months": self._post(PATH, period(*self.plan.year, "M")),
        }

    def batch(self, day: int) -> Request:
        """100 meters x one UTC day of total, self and ext."""
        span, incoming = day_span(day), self.incoming
        starts = stamps(incoming.first_quarter + span.start, span.stop - span.start)
        totals = [*incoming.totals, incoming.sun, incoming.grid_import]
        shares = [*incoming.shares, 0 * incoming.sun, 0 * incoming.sun]
        rows = [
            {
                "meter_id": number,
                "start_at": start_at,
                "total": wh / 1000,
                "self": own / 1000,
                "ext": (wh - own) / 1000,
            }
            for number, (total, share) in enumerate(zip(totals, shares, strict=True), 1)
            for start_at, wh, own in zip(
                starts, total[span].tolist(), share[span].tolist(), strict=True
            )
        ]
        return self._post("/ingest", rows)

    def first_read(self, day: int) -> Request:
        """What the batch of that day said of one meter."""
        start = day_start(self.incoming, day)
        return self._post(PATH, period(start, start + DAY_S))

    def check_first_read(self, day: int, answer: Answer) -> None:
        """The 96 quarter-hours of the day are right."""
        check_first_read(self.name, self.incoming, day_span(day).start, answer)


def _serve(folder: Path, url: str, workers: int) -> Server:
    port = free_port()
    command = uvicorn("benchmarks.yardstick_b.app:app", port, workers)
    environment = yardstick_environment(B_DATABASE_URL=url, B_SECRET=SECRET)
    server = start("B", command, port, folder, environment)
    server.wait_until_open()
    return server


def start_b(folder: Path, plan: Plan, workers: int, incoming: Building) -> B:
    """Make the database, fill it and start the server."""
    cluster = start_cluster(folder)
    url = cluster.url if cluster else f"sqlite:///{folder / 'b.sqlite'}"
    numbers = {"B_FIRST_DAY": plan.first_day, "B_DAYS": plan.days, "B_BUILDINGS": plan.b_buildings}
    settings = {name: str(number) for name, number in numbers.items()}
    signing = "import jwt, sys; print(jwt.encode({'sub': 'bench'}, sys.argv[1]))"
    try:
        environment = yardstick_environment(B_DATABASE_URL=url, **settings)
        run([python_of_yardsticks(), "-m", "benchmarks.yardstick_b.fill"], environment)
        token = run([python_of_yardsticks(), "-c", signing, SECRET]).strip()
        server = _serve(folder, url, workers)
    except BaseException:
        if cluster:
            cluster.stop()
        raise
    return B(server, folder, cluster, url, token, plan, incoming)
