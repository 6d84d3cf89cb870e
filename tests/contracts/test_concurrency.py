"""Several processes on one store: nobody spoils another's work, and reads wait for nobody."""

import resource
from multiprocessing.connection import Connection

import pytest

from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.errors import StoreBusy, StoreFull
from commonwatt.app.settling.settle_site import settle_days
from commonwatt.domain.metering.catalogue import Group
from tests.contracts.processes import (
    BUILDING,
    FIRST_QUARTER,
    all_told,
    assert_read_right,
    begin,
    catalogue_of_site,
    keep_settling,
    keep_writing,
    open_and_tell,
    opened,
    write_body,
)
from tests.contracts.stored_results import add_building, settle_everything, stored_results

pytestmark = pytest.mark.both_engines

BODIES = 120


def test_two_settlers_and_two_writers_end_with_the_bytes_of_one_settler(
    store: SqlStore, store_url: str
) -> None:
    busy, quiet = add_building(store, BUILDING), add_building(store, BUILDING)
    site = busy.site.number
    settlers = [begin(keep_settling, store_url, site) for _ in range(2)]
    writers = [begin(keep_writing, store_url, site, range(first, BODIES, 2)) for first in range(2)]
    told = sorted(number for _, pipe in writers for number in all_told(pipe))
    assert told == list(range(BODIES)), "no writer failed but for a busy store"
    for _, pipe in settlers:
        pipe.send("enough")
    for process, pipe in (*settlers, *writers):
        process.join()
        pipe.close()
        assert process.exitcode == 0
    settle_everything(store, site)
    for number in (*range(0, BODIES, 2), *range(1, BODIES, 2)):
        write_body(store, quiet, number)
    settle_everything(store, quiet.site.number)
    assert stored_results(store, site) == stored_results(store, quiet.site.number)
    assert_read_right(store, busy, BODIES - 1)


def test_an_older_settlement_replaces_no_newer_one_and_clears_no_newer_mark(
    store: SqlStore,
) -> None:
    catalogue = add_building(store, BUILDING)
    site, day = catalogue.site.number, FIRST_QUARTER // 96
    meters = [meter.number for meter in catalogue.meters]
    write_body(store, catalogue, 0)
    with store.snapshot() as snapshot:
        generation = snapshot.catalogue.generation(site)
        older = settle_days(snapshot, catalogue, Group.ELECTRICITY, day, day + 1)
    write_body(store, catalogue, 1)
    settle_everything(store, site)
    newer = stored_results(store, site)
    write_body(store, catalogue, 2)
    with store.change(site) as change:
        change.results.put_settlement(site, Group.ELECTRICITY, meters, older, generation)
    assert stored_results(store, site) == newer
    with store.snapshot() as snapshot:
        assert day in snapshot.results.dirty_days(site, Group.ELECTRICITY)


def test_a_steady_writer_holds_no_read_up_and_no_read_is_stale(
    store: SqlStore, store_url: str
) -> None:
    catalogue = add_building(store, BUILDING)
    writer, acknowledged = begin(keep_writing, store_url, catalogue.site.number, range(BODIES))
    last = acknowledged.recv()
    reads = 0
    while last < BODIES - 1:
        while acknowledged.poll():
            try:
                last = acknowledged.recv()
            except EOFError:
                break
        assert_read_right(store, catalogue, last)
        reads += 1
    writer.join()
    acknowledged.close()
    assert reads > 1, "some reads began and ended amid the writing"


def test_two_processes_open_a_new_store_at_once(empty_store_url: str) -> None:
    openers = [begin(open_and_tell, empty_store_url) for _ in range(4)]
    assert [all_told(pipe) for _, pipe in openers] == [[0]] * 4
    for process, pipe in openers:
        process.join()
        pipe.close()


@pytest.mark.slow
def test_a_store_that_stays_locked_is_busy(store: SqlStore, store_url: str) -> None:
    catalogue = add_building(store, BUILDING)
    site = catalogue.site.number
    write_body(store, catalogue, 0)
    beside = Database(store_url)
    with beside.write(site):
        with pytest.raises(StoreBusy):
            write_body(store, catalogue, 1)
        assert_read_right(store, catalogue, 0)
    beside.close()
    assert write_body(store, catalogue, 1).accepted == 4


def until_full(told: Connection, url: str, site: int) -> None:
    """Write until no file may grow any more, read, and go on when files may grow again."""
    with opened(url) as store:
        catalogue = catalogue_of_site(store, site)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        number = 0
        try:
            while True:
                write_body(store, catalogue, number)
                number += 1
        except StoreFull:
            told.send(number)
        assert_read_right(store, catalogue, number - 1)
        with pytest.raises(StoreFull):
            write_body(store, catalogue, number)
        assert_read_right(store, catalogue, number - 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        write_body(store, catalogue, number)
        told.send(number)
    told.close()


def test_a_full_disk_refuses_writes_and_serves_reads(sqlite_url: str) -> None:
    with opened(sqlite_url) as store:
        catalogue = add_building(store, BUILDING)
    process, pipe = begin(until_full, sqlite_url, catalogue.site.number)
    told = all_told(pipe)
    process.join()
    pipe.close()
    assert process.exitcode == 0
    assert len(told) == 2
    with opened(sqlite_url) as store:
        assert_read_right(store, catalogue, told[-1])
