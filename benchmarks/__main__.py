"""commonwatt beside its yardsticks, in one go; prints tables of ratios."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import stages
from benchmarks.bare_settling import bare_settling
from benchmarks.client.figures import client
from benchmarks.expected import Checker
from benchmarks.faults.tables import faults
from benchmarks.report import Line, table
from benchmarks.servers import load
from benchmarks.servers.raw_http import Connection
from benchmarks.servers.side_b import python_of_yardsticks, start_b
from benchmarks.servers.side_commonwatt import start_commonwatt
from benchmarks.servers.side_f import start_f
from benchmarks.site.building import APARTMENTS, make_building
from benchmarks.site.incoming import make_incoming
from benchmarks.site.plan import FULL, QUICK, Plan
from benchmarks.stages import Bench
from benchmarks.trickle import trickle

SERVED: dict[str, Callable[[Bench], Sequence[Line]]] = {
    "disk": stages.disk,  # first, while the store holds what was filled and no more
    "beside": stages.side_by_side,
    "large": stages.large_store,
    "memory": stages.memory_use,
    "settling": stages.settling,
    "trickle": trickle,
}
BARE, FAULTS, CLIENT = "bare", "faults", "client"
STAGES = (*SERVED, CLIENT, BARE, FAULTS)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines here as well")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument(
        "--only", nargs="+", choices=STAGES, default=list(STAGES), help="run these parts only"
    )
    return parser.parse_args()


def start_all(folder: Path, plan: Plan, workers: int, cleanup: ExitStack) -> Bench:
    """Fill and start commonwatt and B, then F with commonwatt's answers."""
    building = make_building(0, APARTMENTS, plan.first_day, plan.days)
    incoming = make_incoming(plan)
    say("filling commonwatt")
    commonwatt = start_commonwatt(folder, plan, workers, building, incoming)
    cleanup.callback(commonwatt.stop)
    say("filling B")
    b = start_b(folder, plan, workers, incoming)
    cleanup.callback(b.stop)
    with Connection(commonwatt.server.port) as connection:
        answers = {
            figure: connection.ask(request).expect()
            for figure, request in commonwatt.reads().items()
        }
    f = start_f(folder, workers, answers)
    cleanup.callback(f.stop)
    bench = Bench(plan, commonwatt, b, f, Checker(building, plan), workers)
    cleanup.callback(bench.stop_servers)
    return bench


def say(what: str, began: float = time.monotonic()) -> None:
    """Progress, on standard error, so that the table can be piped."""
    print(f"[{time.monotonic() - began:4.0f} s] {what}", file=sys.stderr, flush=True)


def circumstances(bench: Bench) -> str:
    """What the figures depend on."""
    plan = bench.plan
    cores = len(os.sched_getaffinity(0))
    pinned = ".venv-bench" in python_of_yardsticks()
    quick = "; QUICK SIZES, a year is a month: not to be compared" if plan is QUICK else ""
    return (
        f"Python {platform.python_version()}, {cores} cores shared by client, servers and database,"
        f" {bench.workers} workers each, load {os.getloadavg()[0]:.1f}; B on {bench.b.database},"
        f" its packages {'as pinned' if pinned else 'those of this environment'};"
        f" requests a second by {load.client_name()}{quick}"
    )


def served(plan: Plan, stages: Sequence[str], workers: int) -> tuple[list[Line], str]:
    """Run the stages that need the servers; return their lines, and the circumstances."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as cleanup:
        bench = start_all(Path(name), plan, workers, cleanup)
        told = circumstances(bench)
        for stage in stages:
            say(stage)
            lines += SERVED[stage](bench)
    return lines, told


def main() -> None:
    """Run the stages and print the tables."""
    asked = arguments()
    plan = QUICK if asked.quick else FULL
    texts: list[str] = []
    result: dict[str, object] = {}
    lines: list[Line] = []
    if BARE in asked.only:
        say(BARE)
        bare = bare_settling(plan)
        texts.append(table(bare))
        lines += bare
    if FAULTS in asked.only:
        say(FAULTS)
        tables, result["faults"] = faults(plan)
        texts += tables
    if CLIENT in asked.only:
        say(CLIENT)
        of_client = client(plan, asked.workers)
        texts.append(table(of_client))
        lines += of_client
    if of_servers := [stage for stage in SERVED if stage in asked.only]:
        more, told = served(plan, of_servers, asked.workers)
        texts += [table(more), told]
        lines += more
        result["circumstances"] = told
    say("done")
    print("\n\n".join(texts))
    if asked.json:
        result["lines"] = [line.as_json() for line in lines]
        asked.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
