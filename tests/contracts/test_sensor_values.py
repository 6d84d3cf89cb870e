"""Sensor values come back as they were said, delivery by delivery, however many deliveries."""

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.adapters.store.tables.readings import MANY_ROWS
from commonwatt.app.readings.deliveries import reinstate_delivery, withdraw_delivery
from commonwatt.app.readings.sensors import ingest_sensor_values, read_sensor
from commonwatt.domain.metering.catalogue import Sensor, Site
from commonwatt.domain.metering.readings import Receipt, SensorRows

pytestmark = pytest.mark.both_engines

SENSOR = "5" * 24
NOON_AT = 19_900 * 86_400 + 43_200
NOW_US = NOON_AT * 1_000_000


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    store = SqlStore(open_database(store_url))
    sensor = Sensor(number=1, id=SENSOR, name="Hall", type="temperature", unit="°C", model="T1")
    with store.new_site() as (change, number):
        site = Site(number=number, id="6" * 24, name="House", timezone="Europe/Zurich")
        change.catalogue.add_site(site, ())
        change.catalogue.put_sensor(number, sensor)
    yield store
    store.database.close()


def put(store: SqlStore, *said: tuple[int, float], sensor: str = SENSOR) -> Receipt:
    rows = SensorRows(
        rows=np.arange(1, len(said) + 1),
        sensor_codes=np.zeros(len(said), np.int32),
        sensors=[sensor],
        stamps=np.array([NOON_AT + second for second, _ in said]),
        values=np.array([value for _, value in said]),
        total=len(said),
    )
    return ingest_sensor_values(store, 1, rows, "gateway", "test", NOW_US)


def values(store: SqlStore) -> list[tuple[int, float]]:
    with store.snapshot() as snapshot:
        series = read_sensor(snapshot, 1, 1, NOON_AT - 86_400, NOON_AT + 86_400)
    return list(zip((series.stamps - NOON_AT).tolist(), series.values.tolist(), strict=True))


def test_the_last_value_of_an_instant_counts_and_a_repeated_one_changes_nothing(
    store: SqlStore,
) -> None:
    first = put(store, (0, 20.5), (60, 20.75))
    again = put(store, (0, 20.5), (60, 20.75))
    other = put(store, (60, 21.0))

    assert (first.accepted, first.unchanged, first.superseding) == (2, 0, 0)
    assert (again.delivery, again.accepted, again.unchanged) == (None, 0, 2)
    assert (other.accepted, other.superseding) == (1, 1)
    assert values(store) == [(0, 20.5), (60, 21.0)]


def test_an_unknown_sensor_s_rows_are_rejected(store: SqlStore) -> None:
    receipt = put(store, (0, 20.5), sensor="7" * 24)

    assert [each.row for each in receipt.rejected] == [1]
    assert "no sensor 777" in receipt.rejected[0].reason
    assert receipt.delivery is None


def test_many_deliveries_of_a_day_are_merged_and_each_can_still_be_withdrawn(
    store: SqlStore,
) -> None:
    receipts = [put(store, (60 * n, float(n))) for n in range(3 * MANY_ROWS)]
    expected = [(60 * n, float(n)) for n in range(3 * MANY_ROWS)]
    with store.database.read() as connection:
        rows = connection.execute(
            select(func.count()).select_from(schema.sensor_readings)
        ).scalar_one()

    assert rows <= MANY_ROWS
    assert values(store) == expected

    number = receipts[5].delivery
    assert number is not None
    withdraw_delivery(store, 1, number, "broken", "operator", NOW_US)
    assert values(store) == [each for each in expected if each[0] != 300]
    reinstate_delivery(store, 1, number, "operator", NOW_US)
    assert values(store) == expected


def latest(store: SqlStore, end_second: int) -> list[tuple[int, float]]:
    with store.snapshot() as snapshot:
        series = read_sensor(snapshot, 1, 1, None, NOON_AT + end_second)
    return list(zip((series.stamps - NOON_AT).tolist(), series.values.tolist(), strict=True))


def test_the_latest_value_is_the_latest_up_to_an_instant(store: SqlStore) -> None:
    assert latest(store, 0) == []

    put(store, (0, 20.5), (400 * 86_400, 99.0))

    assert latest(store, 900) == [(0, 20.5)]
    assert latest(store, -1) == []
    assert latest(store, 400 * 86_400) == [(400 * 86_400, 99.0)]
