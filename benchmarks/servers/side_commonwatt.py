"""commonwatt: filled through its own surface, served, and asked as any client asks."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from benchmarks.expected import METER, check_first_read
from benchmarks.servers.processes import Server, free_port, start
from benchmarks.servers.raw_http import Answer, Connection, Request
from benchmarks.servers.side_b import period
from benchmarks.servers.subject import Requests
from benchmarks.site.building import METERS_A_BUILDING, Building
from benchmarks.site.declared_site import DeclaredSite
from benchmarks.site.incoming import METERS, ROWS_A_BATCH, day_span, day_start
from benchmarks.site.plan import DAY_S, Plan

ACCOUNT, PASSWORD = "bench", "only-for-this-run"
READ = DeclaredSite("b00000000000000000000001", "Read", 18)
SENT = DeclaredSite("b10000000000000000000001", "Sent", METERS - 2)
_TOKEN_USED_S = 300
JSON = {"Content-Type": "application/json"}


def command(*arguments: str) -> Sequence[str]:
    """A command line of the commonwatt that is installed beside this interpreter."""
    return [str(Path(sys.executable).parent / "commonwatt"), *arguments]


def run_command(*arguments: str, typed: str = "") -> str:
    """Run a command with `typed` on its standard input; RuntimeError when it fails."""
    done = subprocess.run(
        command(*arguments), check=False, input=typed, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"commonwatt {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Commonwatt:
    """The product, filled and running."""

    server: Server
    folder: Path
    data: Path
    plan: Plan
    incoming: Building
    readings: int
    name: str = "commonwatt"

    def stop(self) -> None:
        """End the server."""
        self.server.stop()

    def restarted(self, workers: int) -> "Commonwatt":
        """The same store behind a new server."""
        self.server.stop()
        return replace(self, server=serve(self.folder, self.data, workers, self.name))

    def over(self, data: Path, name: str, workers: int) -> "Commonwatt":
        """Another store with the same sites and account, served beside this one."""
        return replace(self, server=serve(self.folder, data, workers, name), data=data, name=name)

    def signed_in(self) -> dict[str, str]:
        """The headers of a request, with a token that lives ten minutes longer at least."""
        token = _token(self.server.port, int(time.monotonic()) // _TOKEN_USED_S)
        return {**JSON, "Authorization": f"Bearer {token}"}

    def reads(self) -> Requests:
        """A meter's year, day, local days and months, and a site's year with all its columns."""
        headers, plan = self.signed_in(), self.plan
        meter = f"/api/v1/meter_data/{READ.id}/{READ.meter_id(METER)}"
        site = f"/api/v1/site_data/{READ.id}/electricity"
        asked = {
            "year": (meter, period(*plan.year)),
            "day": (meter, period(*plan.day)),
            "days": (meter, period(*plan.year, "D")),
            "months": (meter, period(*plan.year, "M")),
            "site year": (site, {**period(*plan.year), "meters": True}),
        }
        plain = {
            figure: Request("POST", path, json.dumps(body).encode(), headers)
            for figure, (path, body) in asked.items()
        }
        zipped = {
            f"{figure} gzip": plain[figure].with_headers(Accept_Encoding="gzip")
            for figure in ("year", "day", "site year")
        }
        return {**plain, **zipped}

    def batch(self, day: int) -> Request:
        """100 meters x the 96 readings of one UTC day."""
        span = day_span(day)
        body = SENT.readings(self.incoming, span.start, span.stop - span.start)
        return Request("PUT", readings_path(SENT), body, self.signed_in())

    def first_read(self, day: int) -> Request:
        """The 96 quarter-hours that the batch completes, of one apartment: its share needs all."""
        start = day_start(self.incoming, day)
        path = f"/api/v1/meter_data/{SENT.id}/{SENT.meter_id(METER)}"
        # A reading is the end of a quarter-hour: the day's first one completes the day before.
        asked = period(start - 900, start + DAY_S - 900)
        return Request("POST", path, json.dumps(asked).encode(), self.signed_in())

    def check_first_read(self, day: int, answer: Answer) -> None:
        """Those 96 quarter-hours are right."""
        check_first_read(self.name, self.incoming, day_span(day).start - 1, answer)

    def put(self, site: DeclaredSite, bodies: Sequence[bytes]) -> None:
        """Deliver readings; RuntimeError if one of them was rejected."""
        headers = self.signed_in()
        with Connection(self.server.port) as connection:
            for body in bodies:
                answer = connection.ask(Request("PUT", readings_path(site), body, headers))
                receipt = json.loads(answer.expect().text())
                if receipt["rejected"]:
                    raise RuntimeError(f"rejected: {receipt['rejected'][:3]}")


@cache
def _token(port: int, _turn: int) -> str:
    """A token of a server, a new one each turn: an account may not sign in as often as it asks."""
    body = json.dumps({"username": ACCOUNT, "password": PASSWORD}).encode()
    with Connection(port) as connection:
        answer = connection.ask(Request("POST", "/api/v1/auth", body, JSON)).expect()
    return str(json.loads(answer.text())["access_token"])


def readings_path(site: DeclaredSite) -> str:
    """Where the readings of a site go."""
    return f"/commonwatt/v1/sites/{site.id}/readings"


def serve(folder: Path, data: Path, workers: int, name: str) -> Server:
    """Start the server over a store."""
    port = free_port()
    arguments = ["serve", "--data", str(data), "--port", str(port), "--workers", str(workers)]
    server = start(name.replace(" ", "-"), command(*arguments), port, folder, {})
    server.wait_until_open()
    return server


def prepare(data: Path, sites: Sequence[DeclaredSite]) -> None:
    """Make a store with sites and an account that may do all on them, as often as it likes."""
    data.mkdir(parents=True)
    granted = []
    for site in sites:
        file = data.parent / f"{site.name}.yaml"
        file.write_text(site.declaration())
        run_command("apply", "--data", str(data), str(file))
        granted += ["--site", site.id]
    rights = ["--role", "operator", "--rate-limit", "off", "--password-stdin", *granted]
    run_command("account", "add", "--data", str(data), ACCOUNT, *rights, typed=f"{PASSWORD}\n")


def start_commonwatt(
    folder: Path, plan: Plan, workers: int, building: Building, incoming: Building
) -> Commonwatt:
    """Make a store, serve it, fill it and let it settle."""
    data = folder / "commonwatt-data"
    prepare(data, [READ, SENT])
    server = serve(folder, data, workers, "commonwatt")
    readings = METERS_A_BUILDING * (building.quarters + 1) + ROWS_A_BATCH
    commonwatt = Commonwatt(server, folder, data, plan, incoming, readings)
    try:
        commonwatt.put(READ, list(READ.batches(building, ROWS_A_BATCH)))
        commonwatt.put(SENT, [commonwatt.batch(-1).body])
        server.wait_until_quiet(120)
    except BaseException:
        server.stop()
        raise
    return commonwatt
