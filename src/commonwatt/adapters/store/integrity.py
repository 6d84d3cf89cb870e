"""Looking through a store for what is not as it was stored."""

import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, select, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.packing.checksums import begin, blob_columns, damage, is_whole
from commonwatt.adapters.store.packing.columns import unpack_readings, unpack_sensor_values
from commonwatt.adapters.store.tables.locked_days import LockedDays
from commonwatt.adapters.store.tables.results import columns_of
from commonwatt.app.ports import StoredScan
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS
from commonwatt.domain.settlement import Settlement

_TABLES = tuple(table for table in schema.metadata.sorted_tables if "checksum" in table.c)
_AT_ONCE = 500
"""Rows that are fetched and counted together."""


class SqlIntegrity:
    """`ports.IntegrityTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file_faults(self) -> list[str]:
        """What SQLite itself finds in its file; nothing of PostgreSQL, which has its own tools."""
        if self._connection.dialect.name != "sqlite":
            return []
        found = self._connection.execute(text("PRAGMA integrity_check")).scalars().all()
        return [line for line in found if line != "ok"]

    def count(self, site: int) -> int:
        """How many rows with a checksum a site has."""
        return sum(
            self._connection.execute(
                select(func.count()).select_from(table).where(table.c.site == site)
            ).scalar_one()
            for table in _TABLES
        )

    def scan(self, site: int, looked: Callable[[int], None]) -> StoredScan:
        """Check every row of a site; ``looked`` is called with how many more were checked."""
        damaged: list[tuple[Table, int | str, int]] = []
        readings: Counter[int] = Counter()
        unchecked = 0
        for table in _TABLES:
            for rows in self._rows(table, site):
                for owner, day, delivery, blobs, stored in rows:
                    key = (owner,) if delivery is None else (owner, delivery)
                    said = _deliveries(table, day, blobs[0]) if delivery is not None else {}
                    if said is None or not is_whole(stored, begin(table, site, *key), day, blobs):
                        damaged.append((table, owner, day))
                    else:
                        readings.update(said)
                    unchecked += stored is None
                looked(len(rows))
        return StoredScan(
            damaged=[damage(self._connection, *_key(each, site)) for each in damaged],
            damaged_days=frozenset(
                day for table, _, day in damaged if "delivery" in table.primary_key.columns
            ),
            readings=readings,
            unchecked=unchecked,
        )

    def _rows(
        self, table: Table, site: int
    ) -> Iterator[list[tuple[Any, int, int | None, tuple[bytes | None, ...], int | None]]]:
        """Yield (owner, day, delivery, BLOBs, checksum) in parts, ascending."""
        keys = [column for column in table.primary_key if column.name != "site"]
        names = blob_columns(table)
        statement = (
            select(*keys, *(table.c[name] for name in names), table.c.checksum)
            .where(table.c.site == site)
            .order_by(*keys)
            .execution_options(yield_per=_AT_ONCE)
        )
        for part in self._connection.execute(statement).partitions():
            yield [
                (
                    row[0],
                    row[1],
                    row[2] if len(keys) > 2 else None,
                    tuple(row[len(keys) : -1]),
                    row[-1],
                )
                for row in part
            ]

    def differing(
        self, site: int, group: Group, meters: Collection[int], settlement: Settlement
    ) -> list[tuple[int | str, int]]:
        """The (meter or medium, day) whose stored results differ from a settlement's.

        Of locked days those that would be answered without the lock. Raises `DamagedDay`.
        """
        days = LockedDays(self._connection, site, group, meters)
        first_day = settlement.first_quarter // DAY_QUARTERS
        last_day = settlement.end_quarter // DAY_QUARTERS - 1
        return days.differing(*columns_of(settlement), first_day, last_day)


def _key(found: tuple[Table, int | str, int], site: int) -> tuple[Table, int, int | str, int]:
    table, owner, day = found
    return table, site, owner, day


def _deliveries(table: Table, day: int, blob: bytes | None) -> dict[int, int] | None:
    """How many rows of each delivery a BLOB has; None where it cannot be unpacked."""
    assert blob is not None, "a row of readings has them"
    unpack = unpack_readings if table is schema.raw_readings else unpack_sensor_values
    try:
        numbers, counts = np.unique(unpack([(day, blob)]).deliveries, return_counts=True)
    except (ValueError, IndexError, TypeError, struct.error):
        return None
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
