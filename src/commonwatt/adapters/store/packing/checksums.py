"""Checksums of stored days: one a row, over its key and its BLOBs.

The 64-bit XXH3 of the BLOBs in the order of the table's columns, a ``-`` for each that is NULL,
without its highest bit, which no database's integer has room for. Its seed is that of the words
``TABLE SITE`` and then of those of the ``OWNER``, plus the day, so that a row that stands at
another row's place is found as well. A row of before there were checksums has none and is taken
as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, func, select
from xxhash import xxh3_64_intdigest

from commonwatt.adapters.store import schema
from commonwatt.app.errors import DamagedDay, DamagedResults
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.quarter_hours import DAY_S

_NONE = b"-"
_BITS = (1 << 63) - 1
_EVERYWHERE = ("site", "day")
_COMPUTED = ("meter_days", "site_days", "open_meter_days", "open_site_days")
"""What can be computed from the readings again; of the first two what is not locked."""


@cache
def blob_columns(table: Table) -> tuple[str, ...]:
    """The columns that a table's checksum covers, in their order."""
    return tuple(column.name for column in table.c if isinstance(column.type, LargeBinary))


def begin(table: Table, site: int, *owner: int | str) -> int:
    """Return the seed of the checksums of an owner's rows; a row adds its day.

    ``owner`` is what the table's key has beside site and day: a meter, a sensor or a medium, and
    the delivery where there is one.
    """
    begun = _hash(f"{table.name} {site}".encode())
    return begin_more(begun, *owner) if owner else begun


def begin_more(begun: int, *owner: int | str) -> int:
    """Return what `begin` says of an owner; ``begun`` is that of the site alone."""
    return _hash(" ".join(map(str, owner)).encode(), begun)


_begun = lru_cache(maxsize=4096)(begin)


def checksum(begun: int, day: int, blobs: Sequence[bytes | None]) -> int:
    """Return the checksum of a day's BLOBs."""
    content = b"".join([_NONE if blob is None else blob for blob in blobs])
    return _hash(content, begun + day)


def _hash(content: bytes, seed: int = 0) -> int:
    return xxh3_64_intdigest(content, seed) & _BITS


def sealed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row that is about to be stored with its checksum."""
    owner = [row[column.name] for column in table.primary_key if column.name not in _EVERYWHERE]
    begun = begin(table, row["site"], *owner)
    blobs = [row[name] for name in blob_columns(table)]
    return {**row, "checksum": checksum(begun, row["day"], blobs)}


def is_whole(stored: int | None, begun: int, day: int, blobs: Sequence[bytes | None]) -> bool:
    """Whether a row is as it was stored, as far as its checksum tells."""
    if stored is None:
        return True
    try:
        return checksum(begun, day, blobs) == stored
    except TypeError:  # a flipped bit made another type of a BLOB
        return False


def whole_rows(
    connection: Connection,
    table: Table,
    site: int,
    owner: int | str,
    rows: Sequence[tuple[Any, ...]],
    apart_from: Collection[int] = (),
) -> Sequence[tuple[Any, ...]]:
    """Return an owner's rows (day, *blob_columns, checksum), none of the days ``apart_from``.

    Raises `DamagedDay` where one is damaged, `DamagedResults` where all that are can be computed.
    """
    if apart_from:
        rows = [row for row in rows if row[0] not in apart_from]
    if not rows:
        return rows
    begun = _begun(table, site, owner)
    days, *blobs, checksums = zip(*rows, strict=True)
    try:
        # On the way of every answer: `is_whole`, column by column.
        said = [[blob or _NONE for blob in each] if None in each else each for each in blobs]
        contents = zip(days, zip(*said, strict=True), strict=True)
        if checksums == tuple(
            [xxh3_64_intdigest(b"".join(each), begun + day) & _BITS for day, each in contents]
        ):
            return rows
    except TypeError:  # a flipped bit made another type of a BLOB
        pass
    damaged = [row[0] for row in rows if not is_whole(row[-1], begun, row[0], row[1:-1])]
    if not damaged:  # some are of before there were checksums
        return rows
    errors = [damage(connection, table, site, owner, day) for day in damaged]
    for error in errors:
        if not isinstance(error, DamagedResults):
            raise error
    first = errors[0]
    assert isinstance(first, DamagedResults), "the others are raised"
    raise DamagedResults(str(first), site, first.group, damaged)


def damage(
    connection: Connection, table: Table, site: int, owner: int | str, day: int
) -> DamagedDay:
    """Return the error that names a damaged row: its site, meter and day, and what to do."""
    sites = schema.sites
    site_id = connection.execute(select(sites.c.id).where(sites.c.no == site)).scalar()
    group, name = _owner(connection, table, site, owner)
    date = datetime.fromtimestamp(day * DAY_S, UTC).date()
    where = f"site {site_id or site}, {name}, {date} (UTC)"
    computed = table.name in _COMPUTED
    is_open = table.name.startswith("open_")
    if computed and group is not None and (is_open or not _is_locked(connection, site, group, day)):
        text = (
            f"{where}: the stored results are damaged; they are settled again from the readings, "
            "and commonwatt verify --repair does it now"
        )
        return DamagedResults(text, site, group, (day,))
    what = "locked results" if computed else _SAID[table.name]
    return DamagedDay(
        f"{where}: the stored {what} are damaged and are not answered; restore the store from a "
        "backup (commonwatt verify lists all that is damaged)"
    )


_SAID = {
    "raw_readings": "readings",
    "sensor_readings": "sensor values",
    "reference_days": "reference values",
    "rule_changes": "changes by rules",
}


def _owner(
    connection: Connection, table: Table, site: int, owner: int | str
) -> tuple[Group | None, str]:
    if "medium" in table.c:
        return Medium(str(owner)).group, f"balance of {owner}"
    if "sensor" in table.c:
        sensors = schema.sensors
        id_ = connection.execute(
            select(sensors.c.id).where(sensors.c.site == site, sensors.c.no == owner)
        ).scalar()
        return None, f"sensor {id_ or owner}"
    meters = schema.meters
    row = connection.execute(
        select(meters.c.id, meters.c.type, meters.c.prim_ad).where(
            meters.c.site == site, meters.c.no == owner
        )
    ).first()
    if row is None:
        return None, f"meter number {owner}"
    return Medium(row.type).group, f"meter {row.id} ({row.type} prim_ad:{row.prim_ad})"


def _is_locked(connection: Connection, site: int, group: Group, day: int) -> bool:
    """Whether a day of a group has locked quarter-hours."""
    locks = schema.locks
    until_at = connection.execute(
        select(func.max(locks.c.until)).where(locks.c.site == site, locks.c.group == group.value)
    ).scalar()
    return until_at is not None and day * DAY_S < until_at
