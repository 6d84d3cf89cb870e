"""A store is checked against itself: each flipped bit is found, or changes no answer."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sqlalchemy import delete, select, text, update

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.packing.checksums import blob_columns, sealed
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.differences import read_differences
from commonwatt.app.billing.lock import lock_group
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.errors import StoreError
from commonwatt.app.operation.verify import Verified, repair_site, verify_site
from commonwatt.app.readings.sensors import ingest_sensor_values, read_sensor
from commonwatt.app.reference.keep import keep_reference
from commonwatt.app.series.raw import read_raw
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.readings import SensorRows
from commonwatt.domain.reference.reference import ReferenceQuarters
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import all_stored, deliver, settle_everything
from tests.contracts.test_damaged_days import DAY, DAYS, END, FIRST, NOW_US, SITE, START, flip
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

POWER = Group.ELECTRICITY
DATA_TABLES = [table for table in schema.metadata.sorted_tables if "checksum" in table.c]


def fill(store: SqlStore) -> None:
    """A house of four days: two of them locked, one corrected since, a sensor, a reference day."""
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(1)
    meters = catalogue.meter_by_address
    for prim_ad, register, rise in ((10, "en_im", 30), (11, "en_im", 40), (101, "en_ex", 10)):
        rows = tuple(
            oracle.Row(START + 900 * count, {register: (1000 + rise * count) * 1000})
            for count in range(96 * DAYS + 1)
        )
        deliver(store, 1, meters["electricity", prim_ad], rows, NOW_US)
    settle_everything(store, 1)
    lock_group(store, 1, POWER, START + 2 * 86_400, "anna", NOW_US)
    flat = meters["electricity", 11]
    deliver(store, 1, flat, (oracle.Row(START + 900, {"en_im": 1_050_000}),), NOW_US + 1)
    settle_everything(store, 1)
    one = np.ones(1, np.int64)
    values = SensorRows(
        rows=one,
        sensor_codes=np.zeros(1, np.int32),
        sensors=[catalogue.sensors[0].id],
        stamps=one * (START + 60),
        values=np.array([12.5]),
        total=1,
    )
    ingest_sensor_values(store, 1, values, "tester", "test", NOW_US)
    kept = ReferenceQuarters(one * START, one * 1000, one * 400, one * 600)
    keep_reference(store, 1, flat.id, (START, START + 86_400), kept)


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    fill(store)
    return store


def verified(store: SqlStore) -> Verified:
    with store.snapshot() as snapshot:
        (site,) = snapshot.catalogue.sites()
    seen: list[tuple[int, int]] = []
    found = verify_site(store, site, lambda done, total: seen.append((done, total)))
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] > 0
    return found


def test_a_sound_store_has_no_faults(filled: SqlStore) -> None:
    found = verified(filled)
    assert found.faults == []
    assert found.rows > 20
    assert (found.unchecked, found.unsettled) == (0, 0)


def test_each_table_is_looked_at_and_what_is_computed_is_repaired(filled: SqlStore) -> None:
    before = all_stored(filled, 1)
    for name, day, what in (
        ("meter_days", DAY + 3, "results"),
        ("site_days", DAY + 3, "results"),
        ("open_meter_days", DAY, "results"),
    ):
        table = schema.metadata.tables[name]
        owner = {"medium": "electricity"} if name == "site_days" else {"meter": 2}
        flip(filled, table, blob_columns(table)[0], 99, day=day, **owner)
        (fault,) = verified(filled).faults
        assert what in fault
        found = verified(filled)
        assert found.beyond_repair == 0
        repair_site(filled, 1, found)
        assert verified(filled).faults == []
        assert all_stored(filled, 1) == before


@pytest.mark.parametrize(
    ("name", "day", "word"),
    [
        ("meter_days", DAY, "locked results"),
        ("raw_readings", DAY + 1, "stored readings"),
        ("sensor_readings", DAY, "sensor"),
        ("reference_days", DAY, "reference"),
    ],
)
def test_what_only_a_backup_has_is_told_and_not_touched(
    filled: SqlStore, name: str, day: int, word: str
) -> None:
    table = schema.metadata.tables[name]
    own = {"sensor_readings": {}, "raw_readings": {"meter": 3}}.get(name, {"meter": 2})
    flip(filled, table, blob_columns(table)[0], 500, day=day, **own)
    with filled.database.read() as connection:
        before = connection.execute(select(table)).all()
    found = verified(filled)
    assert any(word in fault for fault in found.faults)
    assert found.beyond_repair == len(found.faults) == 1
    repair_site(filled, 1, found)
    with filled.database.read() as connection:
        assert connection.execute(select(table)).all() == before


def test_rows_that_are_gone_are_missed(filled: SqlStore) -> None:
    days = schema.meter_days
    with filled.database.write(1) as connection:
        connection.execute(delete(days).where(days.c.meter == 2, days.c.day == DAY + 3))
    (fault,) = verified(filled).faults
    assert "prim_ad:11" in fault
    assert "2026-02-19" in fault
    repair_site(filled, 1, verified(filled))
    assert verified(filled).faults == []
    raw = schema.raw_readings
    with filled.database.write(1) as connection:
        connection.execute(delete(raw).where(raw.c.meter == 1, raw.c.day == DAY + 3))
    faults = verified(filled).faults
    assert any("delivery 2: 289 of the 385 rows" in fault for fault in faults), faults


def test_a_locked_day_that_was_changed_with_its_checksum_is_told_by_the_hash(
    filled: SqlStore,
) -> None:
    table = schema.meter_days
    here = (table.c.meter == 2, table.c.day == DAY)
    with filled.database.write(1) as connection:
        row = dict(connection.execute(select(table).where(*here)).mappings().one())
        row["im"] = row["ex"] = bytes([1, 0, 0, 0]) * 96
        connection.execute(update(table).where(*here).values(sealed(table, row)))
    faults = verified(filled).faults
    assert any("what was locked" in fault for fault in faults), faults


def answers(store: SqlStore) -> list[object]:
    """All that a store answers of the house."""
    found: list[object] = []
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(1)
        for meter in catalogue.meters:
            series = read_meter_series(snapshot, catalogue, meter, FIRST, END, with_method=True)
            found += [series.total.tolist(), series.quality_total.tolist()]
            found += [None if series.self_energy is None else series.self_energy.tolist()]
            raw = read_raw(snapshot, catalogue, meter, START, START + DAYS * 86_400)
            found += [raw.stamps.tolist(), [column.tolist() for column in raw.values.values()]]
            reference = snapshot.reference.reference(1, meter.number, DAY, DAY + DAYS)
            found += [reference.starts_at.tolist(), reference.total.tolist()]
        site = read_site_series(snapshot, catalogue, Medium.ELECTRICITY, FIRST, END)
        assert site is not None
        found += [site.balance.conso_total.tolist(), site.balance.from_ext.tolist()]
        sensor = read_sensor(snapshot, 1, 1, START, START + 86_400)
        found += [sensor.stamps.tolist(), sensor.values.tolist()]
        for each in read_differences(snapshot, catalogue, POWER):
            found += [each.meter.id, each.column, each.quarters.tolist(), each.current.tolist()]
    return found


def places(content: bytes, store: SqlStore) -> list[tuple[int, int]]:
    """Where in the file the rows of each table lie: [from, until), their keys in front."""
    found = []
    with store.database.read() as connection:
        for table in DATA_TABLES:
            for row in connection.execute(select(*(table.c[name] for name in blob_columns(table)))):
                for blob in row:
                    at = -1 if blob is None else content.find(blob)
                    if at > 0:
                        found.append((at - 30, at + len(blob)))
    return found


def closed_copy(folder: Path) -> tuple[bytes, list[tuple[int, int]], list[object]]:
    """The bytes of a filled store, where its rows are, and its answers."""
    url = f"sqlite:///{folder / 'store.sqlite'}"
    database = open_database(url)
    store = SqlStore(database)
    fill(store)
    right = answers(store)
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
    database.close()
    content = (folder / "store.sqlite").read_bytes()
    store = SqlStore(open_database(url))
    where = places(content, store)
    store.database.close()
    return content, where, right


def is_found(path: Path, right: list[object], look: Callable[[SqlStore], list[object]]) -> bool:
    """Whether a damaged store says so, in an answer or when it is verified, or answers right."""
    try:
        database = open_database(f"sqlite:///{path}")
    except StoreError:
        return True
    try:
        store = SqlStore(database)
        if look(store) == right:
            return True
        with store.snapshot() as snapshot:
            if snapshot.integrity.file_faults():
                return True
        return bool(verified(store).faults)
    except StoreError:
        return True
    finally:
        database.close()


def test_each_flipped_bit_of_a_file_is_found_or_changes_no_answer(tmp_path: Path) -> None:
    content, where, right = closed_copy(tmp_path)
    chance = Random(7)
    assert len(where) > 40
    for number in range(60):
        start, end = chance.choice(where)
        # A third of them where the keys and the heads of the rows are.
        at = (
            chance.randrange(start, start + 34) if number % 3 == 0 else chance.randrange(start, end)
        )
        turned = bytearray(content)
        turned[at] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.sqlite"
        path.write_bytes(bytes(turned))
        assert is_found(path, right, answers), f"byte {at} of the file"
        path.unlink()
