"""The cost of a trickle: every meter sends a reading a minute, each alone in its PUT.

Over HTTP for some minutes of 100 meters; and in process, durably and settled every quarter-hour as
the background settler would, for a simulated week of a small building. Its last hours are not
settled, so that one sees what the rows of single readings cost before they are merged.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.expected import WrongAnswer
from benchmarks.goals import plain_line
from benchmarks.report import Line
from benchmarks.servers.raw_http import Connection, Request
from benchmarks.servers.side_commonwatt import SENT, prepare, readings_path
from benchmarks.servers.sqlite_store import store_file, table_bytes
from benchmarks.site.building import QUARTER_S, QUARTERS_A_DAY, Building, Column, make_building
from benchmarks.site.declared_site import DeclaredSite, registers_of
from benchmarks.site.plan import Plan
from benchmarks.stages import Bench
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group, Register
from commonwatt.domain.metering.readings import NOT_ISSUED, MeterName, ReadingRows

HOME = DeclaredSite("b20000000000000000000001", "Home", 1)
MINUTES_A_QUARTER = 15


def trickle(bench: Bench) -> list[Line]:
    """PUTs a second over HTTP and in process, bytes a reading before and after merging."""
    return [*_over_http(bench), *_in_process(bench.commonwatt.folder / "trickle", bench.plan)]


def _over_http(bench: Bench) -> list[Line]:
    first = bench.take_batches(1)
    bench.commonwatt.put(SENT, [bench.commonwatt.batch(first).body])
    bench.commonwatt.server.wait_until_quiet()
    headers = bench.commonwatt.signed_in()
    minutes = _minutes(bench.commonwatt.incoming, first + 2, bench.plan.trickle_minutes)
    seconds = []
    with Connection(bench.commonwatt.server.port) as connection:
        for at, position, values in minutes:
            registers = ",".join(f'"{name}":{mwh / 1e6:.6f}' for name, mwh in values.items())
            body = f'[{{"meter":"{SENT.meter_id(position)}","timestamp":{_text(at)},{registers}}}]'
            request = Request("PUT", readings_path(SENT), body.encode(), headers)
            seconds.append(connection.ask(request).expect().seconds)
    rate = 1 / statistics.fmean(seconds)
    slow = 1e3 * float(np.quantile(seconds, 0.99))
    return [
        plain_line("trickle: one reading a PUT, 100 meters", "PUT/s", commonwatt=rate),
        plain_line("trickle: slowest hundredth of these PUTs", "ms", commonwatt=slow),
    ]


def _text(at: int) -> str:
    return f'"{np.datetime64(at, "s")}Z"'


def _minutes(
    building: Building, first_day: int, minutes: int
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """(instant, meter's position, index by register in mWh) of every meter, minute by minute."""
    registers = [
        {name: np.concatenate(([0], energy.cumsum())) * 1000 for name, energy in of_meter}
        for of_meter in registers_of(building)
    ]
    for minute in range(minutes):
        quarter, within = divmod(first_day * QUARTERS_A_DAY * MINUTES_A_QUARTER + minute, 15)
        at = (building.first_quarter + quarter) * QUARTER_S + within * 60
        for position, of_meter in enumerate(registers):
            yield at, position, {n: _between(i, quarter, within) for n, i in of_meter.items()}


def _between(index: Column, quarter: int, minute: int) -> int:
    start, end = int(index[quarter]), int(index[quarter + 1])
    return start + (end - start) * minute // MINUTES_A_QUARTER


@dataclass(slots=True)
class _Home:
    """The small building in a store of its own, without a server."""

    data: Path
    store: SqlStore
    site: int

    def send(self, at: int, position: int, values: dict[str, int]) -> None:
        """One PUT, durable when this returns."""
        one = np.ones(1, np.int64)
        rows = ReadingRows(
            rows=one,
            meter_codes=np.zeros(1, np.int32),
            meters=[MeterName(id=HOME.meter_id(position))],
            stamps=one * at,
            values={Register(name): one * mwh for name, mwh in values.items()},
            qualities=np.zeros(1, np.uint8),
            issued_at=one * NOT_ISSUED,
            total=1,
        )
        ingest_readings(self.store, self.site, rows, "bench", "trickle", (at + 2) * 1_000_000)

    def settle(self) -> None:
        """What the background settler does."""
        settle_site(self.store, self.site, Group.ELECTRICITY)

    def answer(self, first_quarter: int, end_quarter: int) -> list[list[int]]:
        """Totals, shares and qualities of every meter, and what was said of them."""
        with self.store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(self.site)
            columns: list[list[int]] = []
            for meter in catalogue.meters:
                series = read_meter_series(snapshot, catalogue, meter, first_quarter, end_quarter)
                columns += [series.total.tolist(), series.quality_total.tolist()]
                columns += [[] if series.self_energy is None else series.self_energy.tolist()]
            numbers = [meter.number for meter in catalogue.meters]
            days = first_quarter // QUARTERS_A_DAY, -(-end_quarter // QUARTERS_A_DAY)
            for said in snapshot.readings.readings(self.site, numbers, *days).values():
                order = np.argsort(said.stamps, kind="stable")
                columns += [
                    said.values[register][order].tolist() for register in sorted(said.values)
                ]
        return columns


def _in_process(data: Path, plan: Plan) -> list[Line]:
    prepare(data, [HOME])
    database = Database(f"sqlite:///{store_file(data)}")
    with closing(database):
        store = SqlStore(database)
        with store.snapshot() as snapshot:
            site = next(site.number for site in snapshot.catalogue.sites())
        return _week(_Home(data, store, site), plan)


def _week(home: _Home, plan: Plan) -> list[Line]:
    building = make_building(7, HOME.consumers, plan.first_day, plan.week_minutes // 1440 + 1)
    minutes = plan.week_minutes
    steps = list(_minutes(building, 0, minutes))
    last = len(steps) - plan.unsettled_minutes * (HOME.consumers + 2)

    settled_s = _send(home, steps[:last], settling=True)
    bytes_settled = table_bytes(home.data, "raw_readings")
    unsettled_s = _send(home, steps[last:], settling=False)
    bytes_unmerged = table_bytes(home.data, "raw_readings")
    quarters = building.first_quarter, building.first_quarter + minutes // MINUTES_A_QUARTER
    before = home.answer(*quarters)
    home.settle()
    if home.answer(*quarters) != before:
        raise WrongAnswer("commonwatt, trickle: merging has changed the answers")
    bytes_merged = table_bytes(home.data, "raw_readings")

    unmerged = (bytes_unmerged - bytes_settled) / (len(steps) - last)
    return [
        plain_line("trickle, in process: PUTs and settling", "PUT/s", commonwatt=last / settled_s),
        plain_line(
            f"trickle, in process: {plan.unsettled_minutes} min not settled",
            "PUT/s",
            commonwatt=(len(steps) - last) / unsettled_s,
        ),
        plain_line("trickle: disk before merging", "bytes/reading", commonwatt=unmerged),
        plain_line(
            "trickle: disk after merging", "bytes/reading", commonwatt=bytes_merged / len(steps)
        ),
    ]


def _send(home: _Home, steps: list[tuple[int, int, dict[str, int]]], settling: bool) -> float:
    """Seconds that the PUTs take, and the settling at every quarter-hour if that is wanted."""
    began = time.perf_counter()
    for at, position, values in steps:
        if settling and position == 0 and at % QUARTER_S == 0:
            home.settle()
        home.send(at, position, values)
    if settling:
        home.settle()
    return time.perf_counter() - began
