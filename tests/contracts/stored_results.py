"""What a store holds of a site's results, byte for byte, and filling stores with buildings."""

from dataclasses import replace

import numpy as np
from sqlalchemy import select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.settling.marks import days_with_data
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingQuality,
    ReadingRows,
    Receipt,
)
from tests.oracle import facts as oracle
from tests.oracle.product import catalogue_of

Rows = list[tuple[object, ...]]
_FEW_DAYS = 900


def add_building(store: SqlStore, building: oracle.Building) -> SiteCatalogue:
    """Declare a building as a new site; the ids of its meters begin with the site's number."""
    declared = catalogue_of(building)
    with store.new_site() as (change, number):
        prefix = f"{number:08x}"
        site = replace(declared.site, number=number, id=f"{number:024x}")
        change.catalogue.add_site(site, declared.facts)
        for meter in declared.meters:
            change.catalogue.put_meter(number, _renamed(meter, prefix))
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(number)


def _renamed(meter: Meter, prefix: str) -> Meter:
    facts = tuple(
        replace(
            each,
            rule=None if each.rule is None else _rule(each.rule, prefix),
            producers={_rule(name, prefix): part for name, part in each.producers.items()},
        )
        for each in meter.facts
    )
    return replace(meter, id=prefix + meter.id[8:], facts=facts)


def _rule(rule: str, prefix: str) -> str:
    words = rule.split()
    return " ".join(prefix + word[8:] if len(word) >= 24 else word for word in words)


def deliver(
    store: SqlStore, site: int, meter: Meter, rows: tuple[oracle.Row, ...], now_us: int
) -> Receipt:
    """Ingest rows of one meter as one delivery."""
    registers = sorted({Register(name) for row in rows for name in row.values})
    serials = sorted({row.serial for row in rows if row.serial})
    columns = ReadingRows(
        rows=np.arange(1, len(rows) + 1),
        meter_codes=np.zeros(len(rows), np.int32),
        meters=[MeterName(id=meter.id)],
        stamps=np.array([row.stamp for row in rows], np.int64),
        values={
            register: np.array([row.values.get(register, NO_VALUE) for row in rows], np.int64)
            for register in registers
        },
        qualities=np.array([ReadingQuality[row.quality.upper()] for row in rows], np.uint8),
        issued_at=np.array(
            [NOT_ISSUED if row.issued_at_us is None else row.issued_at_us for row in rows],
            np.int64,
        ),
        serials=serials,
        serial_codes=np.array(
            [serials.index(row.serial) if row.serial else -1 for row in rows], np.int16
        ),
        replaces=np.array([row.replaces for row in rows], np.bool_),
        total=len(rows),
    )
    return ingest_readings(store, site, columns, "tester", "test", now_us)


def settle_everything(store: SqlStore, site: int) -> None:
    """Settle whatever is dirty of a site."""
    for group in Group:
        settle_site(store, site, group)


def all_stored(store: SqlStore, site: int) -> dict[str, Rows]:
    """As `stored_results`, with the evidence of findings, locks and what is beside them."""
    found: dict[str, Rows] = {}
    tables = (
        *(schema.meter_days, schema.site_days, schema.open_meter_days, schema.open_site_days),
        *(schema.findings, schema.locks, schema.estimated_spans),
    )
    with store.database.read() as connection:
        for table in tables:
            columns = [column for column in table.c if column.name not in ("site", "checksum")]
            rows = connection.execute(
                select(*columns).where(table.c.site == site).order_by(*table.primary_key.columns)
            )
            found[table.name] = [tuple(row) for row in rows]
    return found


def settle_from_scratch(store: SqlStore, site: int) -> None:
    """Settle anew all days of a site that have results or could have."""
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        generation = change.catalogue.next_generation(site)
        for group in Group:
            meters = catalogue.meters_of(group)
            days = set(change.results.settled_days(site, group, -(2**31), 2**31 - 1))
            first, end = days_with_data(change, meters, site) or (0, 0)
            # One stamp of a clock that was never set makes decades of nothing.
            days |= set(range(first, end)) if end - first < _FEW_DAYS else set()
            spans = [(day, day + 1) for day in days]
            change.results.mark_dirty(site, group, spans, generation)
    settle_everything(store, site)


def with_something(rows: Rows) -> Rows:
    """Leave out the days of which nothing is known: whether they are stored says nothing."""
    return [
        row
        for row in rows
        if max(max(column) for column in row if isinstance(column, bytes)) > Quality.MISSING
    ]


def stored_results(store: SqlStore, site: int) -> dict[str, Rows]:
    """Every stored result of a site, without its number and generations."""
    found: dict[str, Rows] = {}
    with store.database.read() as connection:
        for table in (schema.meter_days, schema.site_days, schema.findings):
            columns = [
                column for column in table.c if column.name not in ("site", "evidence", "checksum")
            ]
            rows = connection.execute(
                select(*columns).where(table.c.site == site).order_by(*table.primary_key.columns)
            )
            found[table.name] = [tuple(row) for row in rows]
    return found


def known_results(store: SqlStore, site: int) -> dict[str, Rows]:
    """As `stored_results`, without days of which nothing is known."""
    stored = stored_results(store, site)
    return stored | {table: with_something(stored[table]) for table in ("meter_days", "site_days")}
