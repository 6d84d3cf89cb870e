"""Processes beside the test on one store: writers that tell what was acknowledged, settlers.

What they write is the same whoever writes it: body ``n`` of a site holds the readings of two
meters at two quarter-hours, so a day of single bodies is more rows than a meter-day keeps.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.errors import StoreBusy
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.readings import Receipt
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import settle_everything
from tests.oracle import facts as oracle

FIRST_QUARTER = 19_076 * 96
HOME, GRID = "a" * 24, "b" * 24
BUILDING = oracle.Building(
    (oracle.Meter(HOME), oracle.Meter(GRID, facts=(oracle.Facts(mode="introduction"),)))
)
# Ready before a process is asked for: starting one takes milliseconds then.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def index_wh(quarter: int) -> int:
    """The index of the home at the start of a quarter-hour: no two of its steps are alike."""
    return quarter * (quarter + 7)


def write_body(store: SqlStore, catalogue: SiteCatalogue, number: int) -> Receipt:
    """Ingest body ``number`` of a site."""
    rows = []
    for quarter in (2 * number, 2 * number + 1):
        at = (FIRST_QUARTER + quarter) * 900
        rows.append(Said(at, index_wh(quarter) * 1000, meter=HOME))
        rows.append(Said(at, index_wh(quarter) * 900, en_ex=quarter * 50, meter=GRID))
    now_us = (FIRST_QUARTER + 2 * number + 2) * 900_000_000
    site = catalogue.site.number
    return ingest_readings(store, site, body(catalogue, rows), "gateway", "test", now_us)


def assert_read_right(store: SqlStore, catalogue: SiteCatalogue, last: int) -> None:
    """All that bodies 0 to ``last`` say is answered, whatever came after them."""
    quarters = 2 * last + 1
    with store.snapshot() as snapshot:
        series = read_meter_series(
            snapshot, catalogue, catalogue.meters[0], FIRST_QUARTER, FIRST_QUARTER + quarters
        )
    steps = [index_wh(quarter + 1) - index_wh(quarter) for quarter in range(quarters)]
    assert series.total.tolist() == steps


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    """Open a store for the length of a block."""
    database = open_database(url)
    try:
        yield SqlStore(database)
    finally:
        database.close()


def catalogue_of_site(store: SqlStore, site: int) -> SiteCatalogue:
    """What is declared of a site."""
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(site)


def keep_writing(told: Connection, url: str, site: int, numbers: range) -> None:
    """Write bodies one after the other and tell each as soon as it is acknowledged."""
    with opened(url) as store:
        catalogue = catalogue_of_site(store, site)
        for number in numbers:
            while True:
                try:
                    write_body(store, catalogue, number)
                    break
                except StoreBusy:
                    continue
            told.send(number)
    told.close()


def keep_settling(told: Connection, url: str, site: int) -> None:
    """Settle again and again until somebody speaks."""
    with opened(url) as store:
        told.send(0)
        while not told.poll(0.001):
            try:
                settle_everything(store, site)
            except StoreBusy:
                continue


def open_and_tell(told: Connection, url: str) -> None:
    """Open a store that may not exist yet and tell how many sites it has."""
    with opened(url) as store, store.snapshot() as snapshot:
        told.send(len(snapshot.catalogue.sites()))


def begin(work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """Start a process; give it and the test's end of the pipe to it."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def all_told(pipe: Connection) -> list[int]:
    """What a process told until it ended or was killed."""
    told: list[int] = []
    try:
        while True:
            told.append(pipe.recv())
    except (EOFError, ConnectionResetError):
        return told
