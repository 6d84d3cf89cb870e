"""What another platform says of meters in the store, and how far it has been copied."""

from collections.abc import Mapping
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, delete, insert, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.packing.checksums import sealed, whole_rows
from commonwatt.adapters.store.packing.columns import pack_reference_day, unpack_reference_day
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S
from commonwatt.domain.reference.reference import NO_VALUE, ReferenceQuarters

_days = schema.reference_days
_copied = schema.copied_series
_COLUMNS = ("total", "self", "ext")


class SqlReferenceTables:
    """`ports.ReferenceTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def days_with_reference_series(self, site: int) -> Mapping[int, list[int]]:
        """The days with anything kept of each meter that has any, ascending."""
        rows = self._connection.execute(
            select(_days.c.meter, _days.c.day)
            .where(_days.c.site == site)
            .order_by(_days.c.meter, _days.c.day)
        )
        return {
            meter: [day for _, day in of_meter]
            for meter, of_meter in groupby(rows, key=lambda row: row.meter)
        }

    def reference(self, site: int, meter: int, first_day: int, end_day: int) -> ReferenceQuarters:
        """What is kept of the days [first, end)."""
        found = self._connection.execute(
            select(_days.c.day, *(_days.c[name] for name in _COLUMNS), _days.c.checksum)
            .where(*_of_days(site, meter, first_day, end_day))
            .order_by(_days.c.day)
        )
        rows = whole_rows(self._connection, _days, site, meter, [tuple(row) for row in found])
        days = np.array([row[0] for row in rows], np.int64)
        starts_at = (days[:, None] * DAY_S + np.arange(DAY_QUARTERS) * QUARTER_S).ravel()
        total, own, ext = (_joined([row[place] for row in rows]) for place in (1, 2, 3))
        known = np.flatnonzero((total != NO_VALUE) | (own != NO_VALUE) | (ext != NO_VALUE))
        return ReferenceQuarters(starts_at[known], total[known], own[known], ext[known])

    def put_reference(
        self, site: int, meter: int, first_day: int, end_day: int, quarters: ReferenceQuarters
    ) -> None:
        """Replace all that is kept of the days [first, end), within which the quarter-hours lie."""
        self._connection.execute(delete(_days).where(*_of_days(site, meter, first_day, end_day)))
        columns = quarters.laid_out(first_day * DAY_QUARTERS, end_day * DAY_QUARTERS)
        packed = {
            name: [pack_reference_day(day) for day in column.reshape(-1, DAY_QUARTERS)]
            for name, column in columns.items()
        }
        rows = [
            sealed(
                _days,
                {"site": site, "meter": meter, "day": first_day + position}
                | {name: column[position] for name, column in packed.items()},
            )
            for position in range(end_day - first_day)
            if any(column[position] for column in packed.values())
        ]
        if rows:
            self._connection.execute(insert(_days), rows)

    def copied_until(self, site: int) -> Mapping[str, int]:
        """The instant [Unix seconds] up to which the series of meters and sensors are copied."""
        rows = self._connection.execute(
            select(_copied.c.item, _copied.c.until_at)
            .where(_copied.c.site == site)
            .order_by(_copied.c.item)
        )
        return {row.item: row.until_at for row in rows}

    def raise_copied_until(self, site: int, item: str, until_at: int) -> None:
        """Record until when the series of a meter or sensor is copied; never move it back."""
        before = self._connection.execute(
            select(_copied.c.until_at).where(_copied.c.site == site, _copied.c.item == item)
        ).scalar()
        if before is None or before < until_at:
            self._connection.execute(
                replacing(self._connection, _copied),
                {"site": site, "item": item, "until_at": until_at},
            )


def _of_days(site: int, meter: int, first_day: int, end_day: int) -> list[ColumnElement[bool]]:
    """What holds of the rows of a meter's days [first, end)."""
    day = _days.c.day
    return [_days.c.site == site, _days.c.meter == meter, day >= first_day, day < end_day]


def _joined(days: list[bytes | None]) -> NDArray[np.int64]:
    """One column of several days."""
    return np.concatenate([np.empty(0, np.int64), *map(unpack_reference_day, days)])
