"""One reading a body: rows are merged, and what was said stays as it was said."""

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.adapters.store.tables.readings import MANY_ROWS
from commonwatt.app.readings.deliveries import reinstate_delivery, withdraw_delivery
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.raw import RawSeries, read_raw
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.readings import Receipt, StoredReadings
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import (
    Rows,
    add_building,
    settle_everything,
    stored_results,
)
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

DAY = 19_076
START_AT = DAY * 86_400
BUILDING = oracle.Building((oracle.Meter("a" * 24),))
COLUMNS = ("stamps", "qualities", "issued_at", "issued", "ahead", "deliveries", "serials")


@pytest.fixture
def catalogue(store: SqlStore) -> SiteCatalogue:
    return add_building(store, BUILDING)


def put(store: SqlStore, catalogue: SiteCatalogue, *rows: Said) -> Receipt:
    now_us = (max(row.stamp for row in rows) + 30) * 1_000_000
    site = catalogue.site.number
    return ingest_readings(store, site, body(catalogue, rows), "gateway", "put", now_us)


def a_reading(minute: int) -> Said:
    """A reading a minute, some estimated, some corrected at the next, some issued otherwise."""
    return Said(
        START_AT + 60 * (minute - minute % 7 // 6),
        1_000_000 * minute + 50_000 * minute**2,
        en_ex=5 if minute % 4 == 0 else None,
        quality="estimated" if minute % 5 == 0 else "measured",
        issued_us=(START_AT + 60 * minute) * 1_000_000 - minute if minute % 3 == 0 else None,
    )


def rows_a_day(store: SqlStore, catalogue: SiteCatalogue) -> int:
    raw = schema.raw_readings
    with store.database.read() as connection:
        counted = select(func.count()).where(raw.c.site == catalogue.site.number, raw.c.day == DAY)
        return int(connection.execute(counted).scalar_one())


def said(store: SqlStore, catalogue: SiteCatalogue) -> list[object]:
    """Every column of what was said on the day, in its order."""
    with store.snapshot() as snapshot:
        stored = snapshot.readings.readings(catalogue.site.number, [1], DAY, DAY + 1)[1]
    return columns_of(stored)


def columns_of(stored: StoredReadings) -> list[object]:
    values = {name.value: column.tolist() for name, column in sorted(stored.values.items())}
    return [values, *(getattr(stored, name).tolist() for name in COLUMNS)]


def answered(store: SqlStore, catalogue: SiteCatalogue) -> tuple[list[int], object]:
    with store.snapshot() as snapshot:
        raw: RawSeries = read_raw(snapshot, catalogue, catalogue.meters[0], 0, 2**40)
    return raw.stamps.tolist(), {name.value: v.tolist() for name, v in raw.values.items()}


def results(store: SqlStore, catalogue: SiteCatalogue) -> dict[str, Rows]:
    settle_everything(store, catalogue.site.number)
    return stored_results(store, catalogue.site.number)


def trickled(store: SqlStore, catalogue: SiteCatalogue, minutes: Sequence[int]) -> list[int]:
    """Put single readings and return the deliveries that were made."""
    numbers = [put(store, catalogue, a_reading(minute)).delivery for minute in minutes]
    return [number for number in numbers if number is not None]


def test_more_rows_than_a_day_keeps_become_one_that_says_the_same(
    store: SqlStore, catalogue: SiteCatalogue
) -> None:
    trickled(store, catalogue, range(MANY_ROWS))
    settle_everything(store, catalogue.site.number)
    assert rows_a_day(store, catalogue) == MANY_ROWS, "not yet more than a day keeps"
    trickled(store, catalogue, range(MANY_ROWS, MANY_ROWS + 20))
    before, raw_before = said(store, catalogue), answered(store, catalogue)
    settled = results(store, catalogue)
    assert rows_a_day(store, catalogue) == 1
    assert said(store, catalogue) == before
    assert answered(store, catalogue) == raw_before
    trickled(store, catalogue, range(5))
    assert rows_a_day(store, catalogue) == 1, "what was said before the merge is still known"
    assert results(store, catalogue) == settled


def test_merged_rows_settle_as_those_of_one_body(store: SqlStore, catalogue: SiteCatalogue) -> None:
    at_once = add_building(store, BUILDING)
    plain = [Said(START_AT + 60 * minute, 1_000 * minute) for minute in range(120)]
    for minute, row in enumerate(plain):
        put(store, catalogue, row)
        if minute % 40 == 39:
            settle_everything(store, catalogue.site.number)
    put(store, at_once, *plain)
    assert rows_a_day(store, catalogue) == 1
    assert rows_a_day(store, at_once) == 1
    left, right = results(store, catalogue), results(store, at_once)
    assert left["meter_days"] == right["meter_days"]


def test_a_delivery_inside_a_merged_row_can_be_withdrawn_and_reinstated(
    store: SqlStore, catalogue: SiteCatalogue
) -> None:
    site = catalogue.site.number
    numbers = trickled(store, catalogue, range(60))
    with_all = results(store, catalogue)
    assert rows_a_day(store, catalogue) == 1
    never_put = add_building(store, BUILDING)
    trickled(store, never_put, [minute for minute in range(60) if minute != 30])
    withdraw_delivery(store, site, numbers[30], "wrong meter", "boss", START_AT * 1_000_000)
    assert answered(store, catalogue) == answered(store, never_put)
    without = results(store, catalogue)["meter_days"]
    assert without == results(store, never_put)["meter_days"] != with_all["meter_days"]
    reinstate_delivery(store, site, numbers[30], "boss", START_AT * 1_000_000)
    assert results(store, catalogue) == with_all


@pytest.mark.slow
def test_a_day_of_a_reading_a_minute(store: SqlStore, catalogue: SiteCatalogue) -> None:
    for hour in range(24):
        trickled(store, catalogue, range(60 * hour, 60 * hour + 60))
        settle_everything(store, catalogue.site.number)
        assert rows_a_day(store, catalogue) == 1
    assert len(said(store, catalogue)[1]) == 24 * 60  # type: ignore[arg-type]
