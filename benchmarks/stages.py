"""The parts of a run, each giving its lines of the table."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.expected import Checker
from benchmarks.goals import GOALS, IDLE, LOADED, large_line, line, memory_line, plain_line
from benchmarks.ingest import ingest_rates
from benchmarks.report import Line
from benchmarks.servers import load
from benchmarks.servers.processes import PeakMemory
from benchmarks.servers.raw_http import Connection
from benchmarks.servers.side_b import B
from benchmarks.servers.side_commonwatt import READ, Commonwatt, run_command
from benchmarks.servers.side_f import F
from benchmarks.servers.sqlite_store import (
    copy_store,
    meter_days,
    multiply_site,
    table_bytes,
    unsettle,
)
from benchmarks.servers.subject import (
    Ingesting,
    Results,
    Samples,
    Subject,
    interleave,
    latency,
    throughput,
)
from benchmarks.site.building import METERS_A_BUILDING, QUARTERS_A_DAY
from benchmarks.site.incoming import METERS
from benchmarks.site.plan import DAY_S, Plan

LATENCIES = tuple(figure for figure in GOALS if GOALS[figure].unit == "ms")


@dataclass(slots=True)
class Bench:
    """What is running, and how much of it is measured."""

    plan: Plan
    commonwatt: Commonwatt
    b: B
    f: F
    check: Checker
    workers: int
    next_batch: int = 0

    def take_batches(self, count: int) -> int:
        """The first of so many days of batches that nobody has sent yet."""
        first, self.next_batch = self.next_batch, self.next_batch + count
        return first

    def stop_servers(self) -> None:
        """End the servers that the stages have started last."""
        self.commonwatt.server.stop()
        self.b.server.stop()


def counts(plan: Plan) -> Mapping[str, int]:
    """Requests a round: a site's year is large, a day is short."""
    small = dict.fromkeys(("day", "day gzip"), plan.small_requests)
    large = dict.fromkeys(("site year", "site year gzip"), max(2, plan.requests // 4))
    return {**dict.fromkeys(GOALS, plan.requests), **small, **large}


def measure_reads(subjects: Sequence[Subject], plan: Plan, check: Checker) -> Results:
    """Latencies of all reading figures, then the days a second over 8 connections."""
    results = interleave(subjects, LATENCIES, plan.rounds, latency(counts(plan), 2, check))
    load = interleave(subjects, ["day"], plan.rounds, throughput(plan.load_s))
    return {**results, "day load": load["day"]}


def measure_ingest(subjects: Sequence[Ingesting], bench: Bench) -> Results:
    """Batches without and with the first read."""
    rounds, puts = bench.plan.rounds, bench.plan.puts
    results = dict[str, dict[str, Samples]]()
    for figure, with_first_read in (("put", False), ("put and read", True)):
        first = bench.take_batches(rounds * puts)
        results[figure] = ingest_rates(subjects, rounds, puts, with_first_read, first)
    return results


def lines_of(results: Results) -> list[Line]:
    """The lines of the figures, in the table's order."""
    return [line(results, figure) for figure in GOALS if figure in results]


def side_by_side(bench: Bench) -> list[Line]:
    """Everything that B and F do too."""
    reads = measure_reads([bench.commonwatt, bench.b, bench.f], bench.plan, bench.check)
    return lines_of({**reads, **measure_ingest([bench.commonwatt, bench.b], bench)})


def disk(bench: Bench) -> list[Line]:
    """Bytes on disk of what was filled, keys included; to be called before anything is sent."""
    data = bench.commonwatt.data
    readings = table_bytes(data, "raw_readings") / bench.commonwatt.readings
    quarters = meter_days(data) * QUARTERS_A_DAY
    settled = table_bytes(data, "meter_days", "site_days", "settled_days") / quarters
    return [
        plain_line("disk: a reading, as sent", "bytes", commonwatt=readings),
        plain_line("disk: a quarter-hour of a meter, settled", "bytes", commonwatt=settled),
        plain_line(
            "disk: both (B: its row)",
            "bytes",
            commonwatt=readings + settled,
            B=bench.b.bytes_a_row(),
        ),
    ]


def memory_use(bench: Bench) -> list[Line]:
    """Memory of one worker, idle and under load (days, years, batches); B without PostgreSQL."""
    bench.commonwatt, bench.b = bench.commonwatt.restarted(1), bench.b.restarted(1)
    idle, loaded = dict[str, float](), dict[str, float]()
    first = bench.take_batches(bench.plan.puts)
    for subject in (bench.commonwatt, bench.b):
        idle[subject.name], loaded[subject.name] = _memory_of(subject, bench.plan, first)
    return [
        memory_line("memory of one worker: idle", idle, IDLE),
        memory_line("memory of one worker: under load", loaded, LOADED),
    ]


def _memory_of(subject: Ingesting, plan: Plan, first: int) -> tuple[float, float]:
    requests, port = subject.reads(), subject.server.port
    with Connection(port) as connection:
        connection.ask(requests["day"]).expect()
    subject.server.wait_until_quiet()
    with PeakMemory(subject.server) as peak:
        idle = peak.now()
        for figure in ("day", "year"):
            load.requests_per_second(port, requests[figure], plan.load_s)
        ingest_rates([subject], 1, plan.puts, True, first)
    return idle, peak.highest


def large_store(bench: Bench) -> list[Line]:
    """The same store beside one with as many meters as planned; commonwatt against itself."""
    plan, small = bench.plan, bench.commonwatt
    data = bench.commonwatt.folder / "large-data"
    copy_store(small.data, data)
    copies = (plan.large_meters - METERS) // METERS_A_BUILDING - 1
    multiply_site(data, READ.id, copies, plan.filled[1] // DAY_S - plan.large_days)
    large = small.over(data, "large", bench.workers)
    try:
        results = {
            **measure_reads([small, large], plan, bench.check),
            **measure_ingest([small, large], bench),
        }
    finally:
        large.stop()
    return [
        large_line(results, figure, small.name, large.name, plan.large_meters)
        for figure in GOALS
        if figure in results
    ]


def settling(bench: Bench) -> list[Line]:
    """Quarter-hours a second from stored readings to stored profiles, by the command line."""
    data = bench.commonwatt.folder / "settling-data"
    copy_store(bench.commonwatt.data, data)
    arguments = ["settle", "--data", str(data), "--site", READ.id]
    rates = []
    for _ in range(bench.plan.rounds):
        empty = _timed(*arguments)
        unsettle(data, READ.id)
        before = meter_days(data)
        seconds = _timed(*arguments) - empty
        rates.append((meter_days(data) - before) * QUARTERS_A_DAY / seconds)
    rate = statistics.median(rates)
    return [plain_line("settling, one site of 20 meters", "quarter-hours/s", commonwatt=rate)]


def _timed(*arguments: str) -> float:
    began = time.perf_counter()
    run_command(*arguments)
    return time.perf_counter() - began
