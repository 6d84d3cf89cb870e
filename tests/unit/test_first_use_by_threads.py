"""What is made when it is first used is whole for all threads that use it first at once."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import JSON, Column, MetaData, String, Table, bindparam, insert, select

from commonwatt.adapters.rate_counters import MemoryCounters
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.engine.hot_query import HotQuery
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.adapters.tokens import JwtTokens
from commonwatt.api.services import Catalogues, SettledGroups
from commonwatt.app.accounts.authorize import AccountAccess, GrantedSite, Role
from commonwatt.climkit_v1 import text_tables
from commonwatt.domain.metering.catalogue import Group
from commonwatt.stores import open_store
from tests.api import building
from tests.api.conftest import account, add

THREADS = 8
ROUNDS = 40
NOW = 1_774_000_000.0

_kept = MetaData()
_listed = Table("listed", _kept, Column("name", String), Column("many", JSON))
_BY_NAME = select(_listed.c.name, _listed.c.many).where(_listed.c.name == bindparam("name"))


@pytest.fixture(autouse=True)
def often_switched() -> Iterator[None]:
    """Let threads take turns in the middle of whatever they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(use: Callable[[], object]) -> list[object]:
    """Let all threads do the same at the same moment; give what each got, or raise what one did."""
    start = threading.Barrier(THREADS)

    def run() -> object:
        start.wait()
        return use()

    with ThreadPoolExecutor(THREADS) as threads:
        return [each.result() for each in [threads.submit(run) for _ in range(THREADS)]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """Give a store with the building and one account."""
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    building.declare(opened)
    add(opened, account("reader", Role.DEVELOPER, building.SITE))
    yield opened
    opened.database.close()


def access(store: SqlStore) -> AccountAccess:
    with store.snapshot() as snapshot:
        found = snapshot.access("reader", building.SITE)
    assert found is not None
    return found


def granted(store: SqlStore) -> GrantedSite:
    site = access(store).site
    assert site is not None
    return site


def test_a_query_is_prepared_whole(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'lists.sqlite'}")
    with database.write() as connection:
        _kept.create_all(connection)
        connection.execute(insert(_listed), [{"name": "a", "many": ["x", "y"]}])

    def read(query: HotQuery) -> object:
        with database.read() as connection:
            return query.rows(connection, {"name": "a"})

    for _ in range(ROUNDS):
        query = HotQuery(_BY_NAME)
        assert at_once(partial(read, query)) == [[("a", ["x", "y"])]] * THREADS
        # And for ever after.
        assert read(query) == [("a", ["x", "y"])]
    database.close()


def test_connections_that_wait_are_each_taken_once(store: SqlStore) -> None:
    expected = access(store)

    def again_and_again() -> object:
        return {access(store) == expected for _ in range(500)}

    assert at_once(again_and_again) == [{True}] * THREADS


def test_what_a_rush_of_reads_opened_is_not_kept_for_ever(store: SqlStore) -> None:
    with store.snapshot() as first:
        opened = [store.snapshot() for _ in range(40)]
        for each in opened:
            each.__enter__()
        for each in opened:
            each.__exit__(None, None, None)
        assert first.granted_sites("reader")

    assert store.database.engine.pool.checkedout() <= 17  # type: ignore[attr-defined]


def test_a_catalogue_is_whole(store: SqlStore) -> None:
    site = granted(store)

    def read(kept: Catalogues) -> object:
        with store.snapshot() as snapshot:
            catalogue = kept.of(snapshot, site)
        return (
            sorted(catalogue.meter_by_id),
            sorted(catalogue.sensor_by_id),
            len(catalogue.meter_by_address),
            len(catalogue.meters_of(Group.ELECTRICITY)),
        )

    expected = read(Catalogues())
    for _ in range(ROUNDS):
        store._known_catalogues.clear()
        kept = Catalogues()
        assert at_once(partial(read, kept)) == [expected] * THREADS


def test_groups_are_seen_settled_alike(store: SqlStore) -> None:
    site = granted(store)

    def covered(settled: SettledGroups) -> object:
        with store.snapshot() as snapshot:
            return settled.covers(snapshot, site, Group.ELECTRICITY, (20_000, 20_001))

    for _ in range(ROUNDS):
        settled = SettledGroups()
        assert at_once(partial(covered, settled)) == [True] * THREADS


def test_tokens_are_remembered_whole() -> None:
    issuing = JwtTokens(b"only for this test, 32 bytes and more")
    token = issuing.issue("anna", 3, NOW).token
    expected = issuing.read(token, NOW)

    for _ in range(ROUNDS):
        reading = JwtTokens(b"only for this test, 32 bytes and more")
        assert at_once(partial(reading.read, token, NOW)) == [expected] * THREADS


def test_each_request_is_counted_once() -> None:
    for _ in range(ROUNDS):
        counters = MemoryCounters(lambda: NOW)
        assert set(at_once(partial(counters.incr, "key", 1))) == set(range(1, THREADS + 1))


@pytest.mark.parametrize(
    "table",
    [
        text_tables.small_thousandths,
        text_tables.signed_thousandths,
        text_tables.fraction,
        text_tables.fraction_end,
        text_tables._common_dates,
        text_tables._times_of_day,
    ],
)
def test_tables_of_texts_are_whole(table: Callable[[], text_tables.Texts]) -> None:
    expected = table().tobytes()

    for _ in range(3):
        table.cache_clear()  # type: ignore[attr-defined]
        assert [np.asarray(each).tobytes() for each in at_once(table)] == [expected] * THREADS
