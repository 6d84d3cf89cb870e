"""A stored day that is not as it was stored is named and never answered; results come back."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from sqlalchemy import Table, select, update

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.packing.checksums import blob_columns
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.differences import read_differences
from commonwatt.app.billing.lock import lock_group, unlock_group
from commonwatt.app.billing.lock_hash import content_hash_of
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.errors import DamagedDay, DamagedResults
from commonwatt.app.readings.sensors import ingest_sensor_values, read_sensor
from commonwatt.app.reference.keep import keep_reference
from commonwatt.app.series.raw import read_raw
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.app.settling.damaged import mark_damaged
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.readings import SensorRows
from commonwatt.domain.reference.reference import ReferenceQuarters
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

DAY = 20_500  # 2026-02-16
DAYS = 4
START = DAY * 86_400
FIRST, END = DAY * 96, (DAY + DAYS) * 96
NOW_US = (START + 10 * 86_400) * 1_000_000
POWER = Group.ELECTRICITY
SITE = """
site: {site_ref: A, name: House, timezone: UTC}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10}
  - {name: Flat, type: electricity, mode: consumption, prim_ad: 11}
  - {name: Roof, type: electricity, mode: production, prim_ad: 101}
sensors:
  - {name: Cellar, type: temperature, unit: "°C", model: T1}
"""


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with a house whose meters counted evenly for four days, all of it settled."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    for prim_ad, register, rise in ((10, "en_im", 30), (11, "en_im", 40), (101, "en_ex", 10)):
        rows = tuple(
            oracle.Row(START + 900 * count, {register: (1000 + rise * count) * 1000})
            for count in range(96 * DAYS + 1)
        )
        deliver(store, 1, meter(store, prim_ad), rows, NOW_US)
    settle_everything(store, 1)
    yield store
    database.close()


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter(store: SqlStore, prim_ad: int) -> Meter:
    return catalogue(store).meter_by_address["electricity", prim_ad]


def totals(store: SqlStore, prim_ad: int, first: int = FIRST, end: int = END) -> list[int]:
    with store.snapshot() as snapshot:
        of = catalogue(store)
        series = read_meter_series(snapshot, of, meter(store, prim_ad), first, end)
    return [int(value) for value in series.total]


def conso(store: SqlStore, first: int = FIRST, end: int = END) -> list[int]:
    with store.snapshot() as snapshot:
        series = read_site_series(snapshot, catalogue(store), Medium.ELECTRICITY, first, end)
    assert series is not None
    return [int(value) for value in series.balance.conso_total]


def flip(store: SqlStore, table: Table, column: str, bit: int, **key: object) -> None:
    """Turn one bit of a stored BLOB."""
    here = [table.c[name] == value for name, value in key.items()]
    with store.database.write(1) as connection:
        blob = connection.execute(select(table.c[column]).where(*here)).scalars().first()
        assert blob is not None, "nothing is stored there"
        turned = bytearray(blob)
        turned[bit // 8 % len(turned)] ^= 1 << bit % 8
        done = connection.execute(update(table).where(*here).values({column: bytes(turned)}))
        assert done.rowcount == 1


def test_damaged_readings_are_named_and_not_answered(store: SqlStore) -> None:
    flat = meter(store, 11)
    flip(store, schema.raw_readings, "readings", 777, meter=flat.number, day=DAY + 1)
    with (
        store.snapshot() as snapshot,
        pytest.raises(DamagedDay, match="2026-02-17") as told,
    ):
        read_raw(snapshot, catalogue(store), flat, START, START + 3 * 86_400)
    for word in (catalogue(store).site.id, flat.id, "prim_ad:11", "backup", "readings"):
        assert word in str(told.value)
    with store.snapshot() as snapshot:
        assert len(read_raw(snapshot, catalogue(store), flat, START, START + 86_399).stamps) == 96
    # What was settled before is as right as it was.
    assert totals(store, 11) == [40] * 96 * DAYS


def test_days_that_rest_on_damaged_readings_are_not_settled_and_others_are(
    store: SqlStore,
) -> None:
    flat = meter(store, 11)
    with store.change(1) as change:
        generation = change.catalogue.next_generation(1)
        change.results.mark_dirty(1, POWER, [(DAY, DAY + DAYS)], generation)
    flip(store, schema.raw_readings, "readings", 9000, meter=flat.number, day=DAY + 2)
    with pytest.raises(DamagedDay, match="2026-02-18"):
        settle_site(store, 1, POWER)
    with store.snapshot() as snapshot:
        dirty = snapshot.results.dirty_days(1, POWER)
    assert DAY not in dirty
    assert DAY + 2 in dirty
    assert totals(store, 11, FIRST, FIRST + 96) == [40] * 96
    with pytest.raises(DamagedDay, match="2026-02-18"):
        totals(store, 11)


def test_readings_are_not_taken_in_beside_damaged_ones(store: SqlStore) -> None:
    flat = meter(store, 11)
    flip(store, schema.raw_readings, "readings", 50, meter=flat.number, day=DAY + 1)
    row = oracle.Row(START + 86_400 + 450, {"en_im": 4_860_000})
    with pytest.raises(DamagedDay, match="2026-02-17"):
        deliver(store, 1, flat, (row,), NOW_US)


@pytest.mark.parametrize("name", ["meter_days", "site_days"])
def test_damaged_results_are_answered_as_settled_again_and_stored_so(
    store: SqlStore, name: str
) -> None:
    table = schema.metadata.tables[name]
    before = stored_results(store, 1)
    owner: dict[str, object] = {"meter": meter(store, 11).number}
    if name == "site_days":
        owner = {"medium": "electricity"}
    for column in blob_columns(table):
        with store.database.read() as connection:
            key = [table.c[each] == value for each, value in owner.items()]
            blob = connection.execute(
                select(table.c[column]).where(*key, table.c.day == DAY + 1)
            ).scalar()
        if blob is None:
            continue
        flip(store, table, column, 1234, day=DAY + 1, **owner)
        assert totals(store, 11) == [40] * 96 * DAYS, column
        assert conso(store) == [40] * 96 * DAYS, column
        assert mark_damaged(store) == 1
        settle_everything(store, 1)
        assert stored_results(store, 1) == before, column
        assert mark_damaged(store) == 0


def test_a_row_at_another_rows_place_is_found(store: SqlStore) -> None:
    table = schema.meter_days
    flat, roof = meter(store, 11), meter(store, 101)
    with store.database.write(1) as connection:
        rows = {
            (row.meter, row.day): {"checksum": row.checksum, "im": row.im, "ex": row.ex}
            for row in connection.execute(select(table))
        }
        for number, day, other in (
            (flat.number, DAY, (flat.number, DAY + 1)),
            (flat.number, DAY + 1, (flat.number, DAY)),
            (roof.number, DAY, (flat.number, DAY)),
        ):
            here = (table.c.meter == number, table.c.day == day)
            connection.execute(update(table).where(*here).values(**rows[other]))
    with store.snapshot() as snapshot:
        for number in (flat.number, roof.number):
            with pytest.raises(DamagedResults):
                snapshot.results.profile(1, number, DAY, DAY + 1)
    assert totals(store, 101) == [10] * 96 * DAYS


def test_rows_of_before_there_were_checksums_are_read(store: SqlStore) -> None:
    for table in (schema.raw_readings, schema.meter_days, schema.site_days):
        with store.database.write(1) as connection:
            connection.execute(update(table).values(checksum=None))
    assert totals(store, 11) == [40] * 96 * DAYS
    row = oracle.Row(START + 450, {"en_im": 1_025_000})
    deliver(store, 1, meter(store, 11), (row,), NOW_US)
    settle_everything(store, 1)
    assert sum(totals(store, 11)) == 40 * 96 * DAYS


@pytest.mark.parametrize("name", ["meter_days", "site_days"])
def test_damaged_locked_answers_are_never_answered_nor_stored_as_whole(
    store: SqlStore, name: str
) -> None:
    lock_group(store, 1, POWER, START + 2 * 86_400, "anna", NOW_US)
    owner: dict[str, object] = {"meter": meter(store, 11).number}
    read: Callable[[SqlStore], object] = partial(totals, prim_ad=11)
    if name == "site_days":
        owner, read = {"medium": "electricity"}, conso
    table = schema.metadata.tables[name]
    flip(store, table, "self", 2000, day=DAY, **owner)
    with pytest.raises(DamagedDay, match="locked results") as told:
        read(store)
    assert not isinstance(told.value, DamagedResults)
    with store.snapshot() as snapshot, pytest.raises(DamagedDay, match="2026-02-16"):
        content_hash_of(snapshot, catalogue(store), POWER, START + 2 * 86_400)
    correction = oracle.Row(START + 900, {"en_im": 1_050_000})
    deliver(store, 1, meter(store, 11), (correction,), NOW_US + 1)
    with pytest.raises(DamagedDay, match="2026-02-16"):
        settle_site(store, 1, POWER)
    with pytest.raises(DamagedDay, match="2026-02-16"):
        read(store)


def test_a_damaged_open_row_is_settled_again_for_differences_and_stops_unlocking(
    store: SqlStore,
) -> None:
    lock_group(store, 1, POWER, START + 2 * 86_400, "anna", NOW_US)
    flat = meter(store, 11)
    deliver(store, 1, flat, (oracle.Row(START + 900, {"en_im": 1_050_000}),), NOW_US + 1)
    settle_everything(store, 1)

    def told() -> dict[str, list[int]]:
        with store.snapshot() as snapshot:
            found = read_differences(snapshot, catalogue(store), POWER)
        return {f"{each.meter.id} {each.column}": each.difference.tolist() for each in found}

    before = told()
    assert before[f"{flat.id} total"] == [10, -10]
    flip(store, schema.open_meter_days, "im", 11, day=DAY, meter=flat.number)
    assert told() == before
    assert totals(store, 11) == [40] * 96 * DAYS
    with pytest.raises(DamagedDay, match="2026-02-16"):
        unlock_group(store, 1, POWER, START, "test", "anna", NOW_US + 2)


def test_damaged_sensor_and_reference_values_are_named(store: SqlStore) -> None:
    sensor = catalogue(store).sensors[0]
    one = np.ones(1, np.int64)
    rows = SensorRows(
        rows=one,
        sensor_codes=np.zeros(1, np.int32),
        sensors=[sensor.id],
        stamps=one * (START + 60),
        values=np.array([12.5]),
        total=1,
    )
    ingest_sensor_values(store, 1, rows, "tester", "test", NOW_US)
    flat = meter(store, 11)
    kept = ReferenceQuarters(one * START, one * 1000, one * 400, one * 600)
    keep_reference(store, 1, flat.id, (START, START + 86_400), kept)
    flip(store, schema.sensor_readings, "readings", 70, day=DAY)
    flip(store, schema.reference_days, "total", 3, day=DAY)
    with store.snapshot() as snapshot:
        with pytest.raises(DamagedDay, match=f"sensor {sensor.id}, 2026-02-16"):
            read_sensor(snapshot, 1, sensor.number, START, START + 900)
        with pytest.raises(DamagedDay, match="reference values"):
            snapshot.reference.reference(1, flat.number, DAY, DAY + 1)
