"""Settled days and dirty marks in the store."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, bindparam, delete, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.hot_query import HotQuery
from commonwatt.adapters.store.upsert import replacing
from commonwatt.domain.catalogue import Group, Medium
from commonwatt.domain.findings import Finding, FindingRule
from commonwatt.domain.load_profile import LoadProfile, Qualities, SiteBalance
from commonwatt.domain.quarter_hours import DAY_QUARTERS, day_of
from commonwatt.domain.settlement import Settlement

_T = TypeVar("_T", bound=np.generic)
_BALANCE_COLUMNS = {
    "conso_total": "conso_total",
    "from_ext": "from_ext",
    "self": "self_energy",
    "to_ext": "to_ext",
    "storage_charging": "storage_charging",
    "storage_discharging": "storage_discharging",
    "storage_charging_self": "storage_charging_self",
    "allocated": "allocated",
    "unmetered": "unmetered",
}
"""Columns of a stored site-day and the fields of a `SiteBalance` they hold."""

_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1
# Asked by every read: built once.
_DIRTY_DAYS = HotQuery(
    select(schema.dirty_marks.c.day)
    .where(
        schema.dirty_marks.c.site == bindparam("site"),
        schema.dirty_marks.c.group == bindparam("group"),
        schema.dirty_marks.c.day >= bindparam("first_day"),
        schema.dirty_marks.c.day < bindparam("end_day"),
    )
    .order_by(schema.dirty_marks.c.day)
)


class SqlResultTables:
    """`ports.ResultTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mark_dirty(
        self, site: int, group: Group, spans: Iterable[tuple[int, int]], generation: int
    ) -> None:
        """Mark the days of the spans [first, end)."""
        days = {day for first, end in spans for day in range(first, end)}
        rows = [
            {"site": site, "group": group.value, "day": day, "generation": generation}
            for day in sorted(days)
        ]
        if rows:
            self._connection.execute(replacing(self._connection, schema.dirty_marks), rows)

    def dirty_days(
        self, site: int, group: Group, first_day: int | None = None, end_day: int | None = None
    ) -> list[int]:
        """The marked days of [first, end), ascending; without bounds all."""
        query = {
            "site": site,
            "group": group.value,
            "first_day": _FIRST_DAY if first_day is None else first_day,
            "end_day": _END_DAY if end_day is None else end_day,
        }
        return [day for (day,) in _DIRTY_DAYS.rows(self._connection, query)]

    def dirty_groups(self) -> list[tuple[int, Group]]:
        """The (site, group) that have marked days."""
        marks = schema.dirty_marks
        statement = select(marks.c.site, marks.c.group).distinct()
        return [(site, Group(group)) for site, group in self._connection.execute(statement)]

    def put_settlement(
        self,
        site: int,
        group: Group,
        meters: Collection[int],
        settlement: Settlement,
        generation: int,
    ) -> None:
        """Store the settled UTC days of a run and clear their marks."""
        first_day = settlement.first_quarter // DAY_QUARTERS
        end_day = settlement.end_quarter // DAY_QUARTERS
        newer = self._newer_days(site, group, first_day, end_day, generation)
        days = [day for day in range(first_day, end_day) if day not in newer]
        self._put_profiles(site, meters, settlement, first_day, days)
        self._put_balances(site, group, settlement, first_day, days)
        self._put_findings(site, meters, settlement, days)
        if days:
            self._connection.execute(
                replacing(self._connection, schema.settled_days),
                [
                    {"site": site, "group": group.value, "day": day, "generation": generation}
                    for day in days
                ],
            )
        marks = schema.dirty_marks
        self._connection.execute(
            delete(marks).where(
                marks.c.site == site,
                marks.c.group == group.value,
                marks.c.day >= first_day,
                marks.c.day < end_day,
                marks.c.generation <= generation,
            )
        )

    def _newer_days(
        self, site: int, group: Group, first_day: int, end_day: int, generation: int
    ) -> set[int]:
        settled = schema.settled_days
        statement = select(settled.c.day).where(
            settled.c.site == site,
            settled.c.group == group.value,
            settled.c.day >= first_day,
            settled.c.day < end_day,
            settled.c.generation > generation,
        )
        return set(self._connection.execute(statement).scalars())

    def _put_profiles(
        self,
        site: int,
        meters: Collection[int],
        settlement: Settlement,
        first_day: int,
        days: Sequence[int],
    ) -> None:
        rows: list[dict[str, object]] = []
        kept: set[tuple[int, int]] = set()
        for profile in settlement.profiles:
            columns = _packed_profile(profile)
            for day in days:
                of_day = {name: packed[day - first_day] for name, packed in columns.items()}
                if of_day["quality_total"] is not None:
                    kept.add((profile.meter, day))
                    rows.append({"site": site, "meter": profile.meter, "day": day, **of_day})
        if rows:
            self._connection.execute(replacing(self._connection, schema.meter_days), rows)
        self._delete_days(schema.meter_days, site, meters, days, kept)

    def _delete_days(
        self,
        table: Table,
        site: int,
        meters: Collection[int],
        days: Sequence[int],
        kept: set[tuple[int, int]],
    ) -> None:
        """Delete what earlier results stored of meter-days that now have none."""
        if not days:
            return
        stored = self._connection.execute(
            select(table.c.meter, table.c.day).where(
                table.c.site == site,
                table.c.meter.in_(sorted(meters)),
                table.c.day >= days[0],
                table.c.day <= days[-1],
            )
        )
        settled = set(days)
        for meter, day in stored:
            if day in settled and (meter, day) not in kept:
                self._connection.execute(
                    delete(table).where(
                        table.c.site == site, table.c.meter == meter, table.c.day == day
                    )
                )

    def _put_balances(
        self, site: int, group: Group, settlement: Settlement, first_day: int, days: Sequence[int]
    ) -> None:
        table = schema.site_days
        rows: list[dict[str, object]] = []
        gone: list[tuple[str, int]] = []
        for medium in Medium:
            if medium.group is not group:
                continue
            balance = settlement.balances.get(medium)
            if balance is None:
                gone.extend((medium.value, day) for day in days)
                continue
            columns = _packed_balance(balance)
            for day in days:
                of_day = {name: packed[day - first_day] for name, packed in columns.items()}
                if of_day["quality"] is None:
                    gone.append((medium.value, day))
                else:
                    rows.append({"site": site, "medium": medium.value, "day": day, **of_day})
        if rows:
            self._connection.execute(replacing(self._connection, table), rows)
        if gone:
            # One statement a medium: its days are gone in one run of the primary key.
            for name in sorted({name for name, _ in gone}):
                here = [day for other, day in gone if other == name]
                self._connection.execute(
                    delete(table).where(
                        table.c.site == site, table.c.medium == name, table.c.day.in_(here)
                    )
                )

    def _put_findings(
        self, site: int, meters: Collection[int], settlement: Settlement, days: Sequence[int]
    ) -> None:
        table = schema.findings
        if not days:
            return
        settled = set(days)
        self._connection.execute(
            delete(table).where(
                table.c.site == site,
                table.c.meter.in_(sorted(meters)),
                table.c.day.in_(days),
            )
        )
        positions: dict[tuple[int, int], int] = {}
        rows = []
        for finding in settlement.findings:
            day = day_of(finding.belongs_at)
            if day not in settled:
                continue
            key = (finding.meter, day)
            positions[key] = positions.get(key, -1) + 1
            rows.append(
                {
                    "site": site,
                    "meter": finding.meter,
                    "day": day,
                    "position": positions[key],
                    "rule": finding.rule.value,
                    "register": finding.register,
                    "start_at": finding.start_at,
                    "end_at": finding.end_at,
                    "evidence": dict(finding.evidence),
                }
            )
        if rows:
            self._connection.execute(table.insert(), rows)

    def profile(self, site: int, meter: int, first_day: int, end_day: int) -> LoadProfile:
        """The stored quarter-hours of the days [first, end), without their method.

        ABSENT where nothing is stored.
        """
        rows = _profile_rows().rows(
            self._connection,
            {"site": site, "meter": meter, "first_day": first_day, "end_day": end_day},
        )
        columns = list(zip(*rows, strict=True)) if rows else [()] * 6
        run = _Run(first_day, end_day, columns[0])
        return LoadProfile(
            meter=meter,
            im=run.energy(columns[1]),
            ex=run.energy(columns[2]),
            self_energy=run.energy(columns[3]),
            quality_total=run.filled(columns[4], np.uint8),
            quality_self=None if not any(columns[5]) else run.filled(columns[5], np.uint8),
            method=None,
        )

    def methods(self, site: int, meter: int, first_day: int, end_day: int) -> Qualities:
        """How the stored quarter-hours of the days [first, end) were found: codes of `Method`.

        Apart from `profile`, whose answers do not tell it. NONE where nothing is stored.
        """
        table = schema.meter_days
        rows = self._connection.execute(
            select(table.c.day, table.c.method)
            .where(
                table.c.site == site,
                table.c.meter == meter,
                table.c.day >= first_day,
                table.c.day < end_day,
            )
            .order_by(table.c.day)
        ).all()
        run = _Run(first_day, end_day, [row.day for row in rows])
        return run.filled([row.method for row in rows], np.uint8)

    def balance(self, site: int, medium: Medium, first_day: int, end_day: int) -> SiteBalance:
        """The stored balance of the days [first, end); ABSENT where nothing is stored."""
        rows = _balance_rows().rows(
            self._connection,
            {"site": site, "medium": medium.value, "first_day": first_day, "end_day": end_day},
        )
        width = 2 + len(_BALANCE_COLUMNS)
        columns = list(zip(*rows, strict=True)) if rows else [()] * width
        run = _Run(first_day, end_day, columns[0])
        fields = {
            field: run.filled(column, np.int64)
            for field, column in zip(_BALANCE_COLUMNS.values(), columns[2:], strict=True)
        }
        return SiteBalance(quality=run.filled(columns[1], np.uint8), **fields)

    def findings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> list[Finding]:
        """The stored findings of the days [first, end), ascending by meter and instant."""
        table = schema.findings
        rows = self._connection.execute(
            select(table)
            .where(
                table.c.site == site,
                table.c.meter.in_(sorted(meters)),
                table.c.day >= first_day,
                table.c.day < end_day,
            )
            .order_by(table.c.meter, table.c.day, table.c.position)
        )
        return [
            Finding(
                FindingRule(row.rule),
                row.meter,
                row.register,
                row.start_at,
                row.end_at,
                row.evidence,
            )
            for row in rows
        ]


class _Run:
    """Joins the columns of stored days into arrays over the days [first, end)."""

    def __init__(self, first_day: int, end_day: int, stored_days: Sequence[int]) -> None:
        self._length = end_day - first_day
        self._whole = len(stored_days) == self._length
        self._positions = [day - first_day for day in stored_days]

    def filled(self, blobs: Sequence[bytes | None], kind: type[_T]) -> NDArray[_T]:
        """Join a column; zeros where a day or its value is not stored."""
        if self._whole and None not in blobs:
            return np.frombuffer(b"".join(blobs), kind)  # type: ignore[arg-type]
        blank = bytes(DAY_QUARTERS * np.dtype(kind).itemsize)
        days: list[bytes] = [blank] * self._length
        for position, blob in zip(self._positions, blobs, strict=True):
            days[position] = blob or blank
        return np.frombuffer(b"".join(days), kind)

    def energy(self, blobs: Sequence[bytes | None]) -> NDArray[np.int64] | None:
        """Join a column of stored int32; None if no day has it."""
        if blobs.count(None) == len(blobs):
            return None
        return self.filled(blobs, np.int32).astype(np.int64)


def _packed(
    column: NDArray[np.generic] | None, kind: type[np.generic], days: int
) -> list[bytes | None]:
    """Cut a column over whole days into the stored form of each day; None for a day of zeros."""
    if column is None:
        return [None] * days
    stored = np.ascontiguousarray(column, np.dtype(kind).newbyteorder("<")).reshape(days, -1)
    set_days: list[bool] = np.any(stored, axis=1).tolist()
    return [row.tobytes() if is_set else None for row, is_set in zip(stored, set_days, strict=True)]


def _packed_profile(profile: LoadProfile) -> dict[str, list[bytes | None]]:
    days = len(profile.quality_total) // DAY_QUARTERS
    return {
        "im": _packed(profile.im, np.int32, days),
        "ex": _packed(profile.ex, np.int32, days),
        "self": _packed(profile.self_energy, np.int32, days),
        "quality_total": _packed(profile.quality_total, np.uint8, days),
        "quality_self": _packed(profile.quality_self, np.uint8, days),
        "method": _packed(profile.method, np.uint8, days),
    }


def _packed_balance(balance: SiteBalance) -> dict[str, list[bytes | None]]:
    days = len(balance.quality) // DAY_QUARTERS
    columns = {"quality": _packed(balance.quality, np.uint8, days)}
    for name, field in _BALANCE_COLUMNS.items():
        columns[name] = _packed(getattr(balance, field), np.int64, days)
    return columns


@lru_cache(maxsize=1)
def _profile_rows() -> HotQuery:
    table = schema.meter_days
    names = ("day", "im", "ex", "self", "quality_total", "quality_self")
    statement = (
        select(*(table.c[name] for name in names))
        .where(
            table.c.site == bindparam("site"),
            table.c.meter == bindparam("meter"),
            table.c.day >= bindparam("first_day"),
            table.c.day < bindparam("end_day"),
        )
        .order_by(table.c.day)
    )
    return HotQuery(statement)


@lru_cache(maxsize=1)
def _balance_rows() -> HotQuery:
    table = schema.site_days
    statement = (
        select(*(table.c[name] for name in ("day", "quality", *_BALANCE_COLUMNS)))
        .where(
            table.c.site == bindparam("site"),
            table.c.medium == bindparam("medium"),
            table.c.day >= bindparam("first_day"),
            table.c.day < bindparam("end_day"),
        )
        .order_by(table.c.day)
    )
    return HotQuery(statement)
