"""Days with locked quarter-hours: what is answered stays, what it would be is kept beside it.

Of such a day the answered row (`meter_days`, `site_days`) has the locked quarter-hours as they were
and the current ones after the lock. Where the current result differs in a locked quarter-hour, the
whole of it is in the open row of the day (`open_meter_days`, `open_site_days`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.packing.checksums import blob_columns, sealed, whole_rows
from commonwatt.adapters.store.packing.day_columns import (
    PROFILE_COLUMNS,
    DayColumns,
    DayKey,
    packed_rule_change,
    profile_of,
    rule_change_of,
)
from commonwatt.app.errors import DamagedResults
from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.load_profile import LoadProfile
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

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
        return list(blob_columns(self.answered))


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
        by_rules: Collection[int] = (),
    ) -> None:
        """Store the current results of days with locked quarter-hours; those not named are none.

        On the days ``by_rules`` nothing but the rules has changed since they were settled last.
        """
        assert self._until_at is not None, "only a lock makes days locked"
        if by_rules:
            self._file_rule_changes(profiles, sorted(by_rules), self._until_at)
        for kind, current in ((METER_DAYS, profiles), (SITE_DAYS, balances)):
            conditions = (kind.open.c.day >= days[0], kind.open.c.day <= days[-1])
            opened = self._keys(kind, kind.open, *conditions)
            conditions = (kind.answered.c.day >= days[0], kind.answered.c.day <= days[-1])
            answered = self._rows(kind, kind.answered, *conditions)
            settled = set(days)
            keys = {key for key in (*current, *opened, *answered) if key[1] in settled}
            self._put(kind, keys, answered, current, self._until_at)

    def differing(
        self,
        profiles: Mapping[DayKey, DayColumns],
        balances: Mapping[DayKey, DayColumns],
        first_day: int,
        last_day: int,
    ) -> list[DayKey]:
        """The keys of which other current results are stored than these; ascending by day.

        ``profiles`` and ``balances`` are all that there are of the days, the last one included.
        """
        found: list[DayKey] = []
        for kind, current in ((METER_DAYS, profiles), (SITE_DAYS, balances)):
            stored = self._between(kind, kind.answered, first_day, last_day)
            stored |= self._between(kind, kind.open, first_day, last_day)
            nothing = dict.fromkeys(kind.columns())
            found += [
                key
                for key in {*stored, *current}
                if _plain(stored.get(key, nothing), kind.quality)
                != _plain(current.get(key, nothing), kind.quality)
            ]
        return sorted(found, key=lambda key: (key[1], str(key[0])))

    def _file_rule_changes(
        self, current: Mapping[DayKey, DayColumns], days: Sequence[int], until_at: int
    ) -> None:
        """Add what the rules change of locked quarter-hours to what they changed before."""
        within = days[0], days[-1]
        before = self._between(METER_DAYS, METER_DAYS.answered, *within)
        try:
            before |= self._between(METER_DAYS, METER_DAYS.open, *within)
        except DamagedResults:
            # What it was is lost, and the whole of it is told as a correction.
            return
        filed = self._between(METER_DAYS, schema.rule_changes, *within)
        changes: dict[DayKey, DayColumns | None] = {}
        nothing = dict.fromkeys(METER_DAYS.columns())
        for key in {key for key in (*before, *current) if key[1] in days}:
            change = RuleChange.between(
                _profile(key, before.get(key, nothing)), _profile(key, current.get(key, nothing))
            ).until(_cut(until_at, key[1]))
            if change.changed.any():
                if key in filed:
                    change = _rule_change(filed[key]).then(change)
                changes[key] = packed_rule_change(change)
        self._write(METER_DAYS, schema.rule_changes, changes)

    def _between(
        self, kind: StoredDays, table: Table, first_day: int, last_day: int
    ) -> dict[DayKey, DayColumns]:
        return self._rows(kind, table, table.c.day >= first_day, table.c.day <= last_day)

    def _cut_rule_changes(self, until_at: int) -> None:
        """Forget what rules changed from an instant [Unix seconds] on, where the lock ends."""
        table = schema.rule_changes
        kept: dict[DayKey, DayColumns | None] = {}
        for key, columns in self._rows(METER_DAYS, table, table.c.day >= until_at // DAY_S).items():
            change = _rule_change(columns).until(_cut(until_at, key[1]))
            kept[key] = packed_rule_change(change) if change.changed.any() else None
        self._write(METER_DAYS, table, kept)

    def answer_from(self, until_at: int) -> None:
        """Let what is open become the answer from an instant [Unix seconds] on."""
        self._cut_rule_changes(until_at)
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
            cut = _cut(until_at, key[1])
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
        """The rows of a table. Raises `DamagedDay`: what is damaged is not stored as if whole."""
        columns = blob_columns(table)
        names = ("day", *columns, "checksum")
        rows = self._connection.execute(
            select(table.c[kind.owner], *(table.c[name] for name in names)).where(
                table.c.site == self._site,
                table.c[kind.owner].in_(self._owners[kind.owner]),
                *where,
            )
        )
        by_owner: dict[int | str, list[tuple[Any, ...]]] = {}
        for owner, *row in rows:
            by_owner.setdefault(owner, []).append(tuple(row))
        return {
            (owner, row[0]): dict(zip(columns, row[1:-1], strict=True))
            for owner, of_owner in by_owner.items()
            for row in whole_rows(self._connection, table, self._site, owner, of_owner)
        }

    def _keys(self, kind: StoredDays, table: Table, *where: ColumnElement[bool]) -> set[DayKey]:
        """The keys of a table's rows, which are about to be replaced."""
        rows = self._connection.execute(
            select(table.c[kind.owner], table.c.day).where(
                table.c.site == self._site,
                table.c[kind.owner].in_(self._owners[kind.owner]),
                *where,
            )
        )
        return {(owner, day) for owner, day in rows}

    def _write(
        self, kind: StoredDays, table: Table, rows: Mapping[DayKey, DayColumns | None]
    ) -> None:
        """Replace rows; None deletes one."""
        kept = [
            sealed(table, {"site": self._site, kind.owner: owner, "day": day, **columns})
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


def _cut(until_at: int, day: int) -> int:
    """How many quarter-hours of a day lie before an instant [Unix seconds]."""
    return min(max(until_at // QUARTER_S - day * DAY_QUARTERS, 0), DAY_QUARTERS)


def _profile(key: DayKey, columns: DayColumns) -> LoadProfile:
    meter, day = key
    row = (day, *(columns[name] for name in PROFILE_COLUMNS))
    return profile_of(int(meter), day, day + 1, [row] if columns["quality_total"] else [])


def _rule_change(columns: DayColumns) -> RuleChange:
    return rule_change_of(0, 1, [(0, *columns.values())])


def _spliced(before: bytes | None, after: bytes | None, cut: int) -> bytes | None:
    """Take the quarter-hours before ``cut`` of one column, the others of another."""
    if before is None and after is None:
        return None
    width = len(before or after or b"") // DAY_QUARTERS
    blank = bytes(width * DAY_QUARTERS)
    return _or_none((before or blank)[: cut * width] + (after or blank)[cut * width :])


def _plain(columns: DayColumns, quality: str) -> DayColumns:
    """A day's columns with None for zeros, and for all of a day without its quality."""
    plain = {name: _or_none(blob) for name, blob in columns.items()}
    return plain if plain[quality] is not None else dict.fromkeys(plain)


def _or_none(blob: bytes | None) -> bytes | None:
    """The stored form of a column's day: None for zeros."""
    return blob if blob is not None and blob.count(0) < len(blob) else None
