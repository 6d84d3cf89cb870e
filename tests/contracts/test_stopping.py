"""A store that is told to stop: what is under way ends at its next statement, and never was."""

import json

import pytest
from sqlalchemy import Connection, event, func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.errors import StoreStopping
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.readings import ReadingQuality, Receipt
from commonwatt.formats.readings.bodies import readings_from_body
from tests.api import building

pytestmark = pytest.mark.both_engines

NOW_US = (building.LAST_AT + 3600) * 1_000_000
TABLES = ("raw_readings", "deliveries", "dirty_marks", "settled_days", "meter_days", "site_days")


@pytest.fixture
def stored(store_url: str) -> str:
    """Give the address of a store with the building, without readings."""
    database = open_database(store_url)
    building.declare(SqlStore(database))
    database.close()
    return store_url


def deliver(store: SqlStore) -> Receipt:
    body = json.dumps(building.readings()).encode()
    rows = readings_from_body(body, "application/json", ReadingQuality.MEASURED)
    return ingest_readings(store, 1, rows, "gateway", "test", NOW_US)


def counts(store: SqlStore) -> dict[str, int]:
    with store.database.read() as connection:
        return {
            name: connection.execute(
                select(func.count()).select_from(schema.metadata.tables[name])
            ).scalar_one()
            for name in TABLES
        }


class StopAt:
    """Stops a store when so many statements were begun."""

    def __init__(self, store: SqlStore, statement: int) -> None:
        self.left = statement
        self._database = store.database
        event.listen(store.database.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Connection, *_statement: object) -> None:
        self.left -= 1
        if self.left == 0:
            self._database.stop()


@pytest.mark.parametrize("statement", [1, 5, 20])
def test_a_delivery_is_stored_wholly_or_not_at_all(stored: str, statement: int) -> None:
    store = SqlStore(open_database(stored))
    before = counts(store)
    stop = StopAt(store, statement)
    with pytest.raises(StoreStopping):
        deliver(store)
    assert stop.left == 0  # nothing was begun after it
    store.database.close()

    again = SqlStore(open_database(stored))
    assert counts(again) == before
    assert deliver(again).accepted > 0
    again.database.close()


def test_settling_ends_and_the_rest_stays_marked(stored: str) -> None:
    store = SqlStore(open_database(stored))
    deliver(store)
    before = counts(store)
    StopAt(store, 8)
    with pytest.raises(StoreStopping):
        settle_site(store, 1, Group.ELECTRICITY)
    store.database.close()

    again = SqlStore(open_database(stored))
    assert counts(again) == before
    assert settle_site(again, 1, Group.ELECTRICITY) > 0
    again.database.close()


def test_what_had_only_to_be_committed_is_not(stored: str) -> None:
    store = SqlStore(open_database(stored))

    def change_and_stop() -> None:
        with store.change(1) as change:
            change.audit(1, "anna", 1, "test", "", "")
            store.database.stop()

    with pytest.raises(StoreStopping):
        change_and_stop()
    store.database.close()

    again = SqlStore(open_database(stored))
    with again.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.audit)).scalar_one() == 0
    again.database.close()


def test_quick_queries_look_too(stored: str) -> None:
    store = SqlStore(open_database(stored))
    with store.snapshot() as snapshot:
        store.database.stop()
        with pytest.raises(StoreStopping):
            snapshot.results.dirty_days(1, Group.ELECTRICITY)
    store.database.close()
