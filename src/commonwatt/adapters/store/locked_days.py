"""Days with locked quarter-hours: what is answered stays, what it would be is kept beside it.

Of such a day the answered row (`meter_days`, `site_days`) has the locked quarter-hours as they were
and the current ones after the lock. Where the current result differs in a locked quarter-hour, the
whole of it is in the open row of the day (`open_meter_days`, `open_site_days`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.day_columns import DayColumns, DayKey
from commonwatt.adapters.store.upsert import replacing
from commonwatt.domain.catalogue import Group, Medium
from commonwatt.domain.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

_NO_DAY = -(2**31)
_NOTHING = bytes(DAY_QUARTERS)
"""The quality of a day without anything."""


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The two tables of meter-days, or of site-days; ``owner`` names who has the days."""

    answered: Table
    open: Table
    owner: str
    quality: str

    def columns(self) -> list[str]:
        """The columns with values of quarter-hours."""
        return [c.name for c in self.answered.c if c.name not in ("site", self.owner, "day")]


METER_DAYS = StoredDays(schema.meter_days, schema.open_meter_days, "meter", "quality_total")
SITE_DAYS = StoredDays(schema.site_days, schema.open_site_days, "medium", "quality")


class LockedDays:
    """The days of a group before the instant until which it is locked."""

    def __init__(
        self, connection: Connection, site: int, group: Group, meters: Collection[int]
    ) -> None:
        self._connection = connection
        self._site = site
        self._group = group
        self._owners: Mapping[str, Sequence[int | str]] = {
            METER_DAYS.owner: sorted(meters),
            SITE_DAYS.owner: [each.value for each in Medium if each.group is group],
        }

    @cached_property
    def _until_at(self) -> int | None:
        locks = schema.locks
        return self._connection.execute(
            select(func.max(locks.c.until)).where(
                locks.c.site == self._site, locks.c.group == self._group.value
            )
        ).scalar()

    def first_free_day(self) -> int:
        """The first day without a locked quarter-hour."""
        return _NO_DAY if self._until_at is None else -(-self._until_at // DAY_S)

    def put(
        self,
        profiles: Mapping[DayKey, DayColumns],
        balances: Mapping[DayKey, DayColumns],
        days: Sequence[int],
    ) -> None:
        """Store the current results of days with locked quarter-hours; those not named are none."""
        assert self._until_at is not None, "only a lock makes days locked"
        for kind, current in ((METER_DAYS, profiles), (SITE_DAYS, balances)):
            here = (kind.open.c.day >= days[0], kind.open.c.day <= days[-1])
            opened = self._rows(kind, kind.open, *here)
            here = (kind.answered.c.day >= days[0], kind.answered.c.day <= days[-1])
            answered = self._rows(kind, kind.answered, *here)
            settled = set(days)
            keys = {key for key in (*current, *opened, *answered) if key[1] in settled}
            self._put(kind, keys, answered, current, self._until_at)

    def answer_from(self, until_at: int) -> None:
        """Let what is open become the answer from an instant [Unix seconds] on."""
        for kind in (METER_DAYS, SITE_DAYS):
            since = until_at // DAY_S
            opened = self._rows(kind, kind.open, kind.open.c.day >= since)
            answered = self._rows(kind, kind.answered, kind.answered.c.day >= since)
            self._put(kind, opened.keys(), answered, opened, until_at)

    def _put(
        self,
        kind: StoredDays,
        keys: Iterable[DayKey],
        answered: Mapping[DayKey, DayColumns],
        current: Mapping[DayKey, DayColumns],
        until_at: int,
    ) -> None:
        answers: dict[DayKey, DayColumns | None] = {}
        open_: dict[DayKey, DayColumns | None] = {}
        nothing = dict.fromkeys(kind.columns())
        for key in sorted(keys, key=str):
            cut = min(max(until_at // QUARTER_S - key[1] * DAY_QUARTERS, 0), DAY_QUARTERS)
            before = answered.get(key, nothing)
            now = {name: _or_none(blob) for name, blob in current.get(key, nothing).items()}
            answer = {name: _spliced(before[name], now[name], cut) for name in nothing}
            if answer != before:
                answers[key] = None if answer[kind.quality] is None else answer
            differs = answer != now
            open_[key] = {**now, kind.quality: now[kind.quality] or _NOTHING} if differs else None
        self._write(kind, kind.answered, answers)
        self._write(kind, kind.open, open_)

    def _rows(
        self, kind: StoredDays, table: Table, *where: ColumnElement[bool]
    ) -> dict[DayKey, DayColumns]:
        names = kind.columns()
        rows = self._connection.execute(
            select(table.c[kind.owner], table.c.day, *(table.c[name] for name in names)).where(
                table.c.site == self._site,
                table.c[kind.owner].in_(self._owners[kind.owner]),
                *where,
            )
        )
        return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in rows}

    def _write(
        self, kind: StoredDays, table: Table, rows: Mapping[DayKey, DayColumns | None]
    ) -> None:
        """Replace rows; None deletes one."""
        kept = [
            {"site": self._site, kind.owner: owner, "day": day, **columns}
            for (owner, day), columns in rows.items()
            if columns is not None
        ]
        gone = [
            {"gone_owner": owner, "gone_day": day}
            for (owner, day), columns in rows.items()
            if columns is None
        ]
        if kept:
            self._connection.execute(replacing(self._connection, table), kept)
        if gone:
            self._connection.execute(
                delete(table).where(
                    table.c.site == self._site,
                    table.c[kind.owner] == bindparam("gone_owner"),
                    table.c.day == bindparam("gone_day"),
                ),
                gone,
            )


def _spliced(before: bytes | None, after: bytes | None, cut: int) -> bytes | None:
    """Take the quarter-hours before ``cut`` of one column, the others of another."""
    if before is None and after is None:
        return None
    width = len(before or after or b"") // DAY_QUARTERS
    blank = bytes(width * DAY_QUARTERS)
    return _or_none((before or blank)[: cut * width] + (after or blank)[cut * width :])


def _or_none(blob: bytes | None) -> bytes | None:
    """The stored form of a column's day: None for zeros."""
    return blob if blob is not None and blob.count(0) < len(blob) else None
