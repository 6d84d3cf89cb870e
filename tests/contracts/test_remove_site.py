"""A removed site leaves nothing, also while others work on it."""

import pytest
from sqlalchemy import func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.errors import SiteRemoved
from commonwatt.app.operation.remove_site import remove_site
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.settling import settle_site as settling
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.settlement import Settlement
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.bodies import Said, body

pytestmark = pytest.mark.both_engines

DAY_S = 86_400
NOW_AT = 20_600 * DAY_S
HOUSE = b"""
site: {site_ref: A, name: House, timezone: Europe/Zurich}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10, id: aaaaaaaaaaaaaaaaaaaaaaaa}
"""
READINGS = [Said(NOW_AT - DAY_S + 900 * n, en_im=1_000_000 * n) for n in range(9)]


def house(store: SqlStore) -> int:
    return apply_declaration(store, declaration_from_yaml(HOUSE), "a", NOW_AT).site.number


def deliver(store: SqlStore, site: int) -> None:
    with store.snapshot() as snapshot:
        rows = body(snapshot.catalogue.catalogue(site), READINGS)
    ingest_readings(store, site, rows, "a", "test", NOW_AT * 1_000_000)


def rows_of(store: SqlStore, site: int) -> dict[str, int]:
    with store.database.read() as connection:
        counts = {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.site == site)
            ).scalar_one()
            for table in schema.metadata.sorted_tables
            if "site" in table.c and table is not schema.audit
        }
    return {name: count for name, count in counts.items() if count}


def test_another_site_stays_as_it_was(store: SqlStore) -> None:
    first = house(store)
    other = HOUSE.replace(b"site_ref: A", b"site_ref: B").replace(b"a" * 24, b"b" * 24)
    second = apply_declaration(store, declaration_from_yaml(other), "a", NOW_AT).site.number
    deliver(store, first)
    settling.settle_site(store, first, Group.ELECTRICITY)
    kept = rows_of(store, second)

    remove_site(store, first, None, "a", NOW_AT)

    assert rows_of(store, first) == {}
    assert rows_of(store, second) == kept != {}


def test_what_was_settled_while_the_site_went_is_not_stored(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = house(store)
    deliver(store, site)
    settle_days = settling.settle_days

    def settled_too_late(*args: object) -> Settlement:
        settlement = settle_days(*args)  # type: ignore[arg-type]
        remove_site(store, site, None, "a", NOW_AT)
        return settlement

    monkeypatch.setattr(settling, "settle_days", settled_too_late)

    with pytest.raises(SiteRemoved):
        settling.settle_site(store, site, Group.ELECTRICITY)

    assert rows_of(store, site) == {}


def test_readings_of_a_removed_site_are_refused(store: SqlStore) -> None:
    site = house(store)
    with store.snapshot() as snapshot:
        rows = body(snapshot.catalogue.catalogue(site), READINGS)
    remove_site(store, site, None, "a", NOW_AT)

    with pytest.raises(SiteRemoved):
        ingest_readings(store, site, rows, "a", "test", NOW_AT * 1_000_000)

    assert rows_of(store, site) == {}
