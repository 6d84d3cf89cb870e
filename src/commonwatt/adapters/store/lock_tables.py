"""Locks in the store."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.day_columns import (
    BALANCE_COLUMNS,
    PROFILE_COLUMNS,
    StoredRun,
    balance_of,
    profile_of,
)
from commonwatt.adapters.store.locked_days import METER_DAYS, SITE_DAYS, LockedDays, StoredDays
from commonwatt.app.ports import LockStep
from commonwatt.domain.catalogue import Group, Medium
from commonwatt.domain.load_profile import LoadProfile, SiteBalance

_locks = schema.locks


class SqlLockTables:
    """`ports.LockTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, site: int) -> Sequence[LockStep]:
        """The steps of all groups that are in force, ascending by group and instant."""
        rows = self._connection.execute(
            select(_locks).where(_locks.c.site == site).order_by(_locks.c.group, _locks.c.until)
        )
        return [
            LockStep(
                group=Group(row.group),
                until_at=row.until,
                content_hash=row.content_hash,
                locked_us=row.locked_us,
                account=row.account,
            )
            for row in rows
        ]

    def locked_until(self, site: int, group: Group) -> int | None:
        """The instant [Unix seconds] before which a group is locked; None where it is not."""
        return self._connection.execute(
            select(func.max(_locks.c.until)).where(
                _locks.c.site == site, _locks.c.group == group.value
            )
        ).scalar()

    def add_step(self, site: int, step: LockStep) -> None:
        """Lock a group further."""
        self._connection.execute(
            insert(_locks).values(
                site=site,
                group=step.group.value,
                until=step.until_at,
                content_hash=step.content_hash,
                locked_us=step.locked_us,
                account=step.account,
            )
        )

    def take_back(self, site: int, group: Group, meters: Collection[int], until_at: int) -> None:
        """Drop the steps after an instant, and answer what would be answered from it on."""
        self._connection.execute(
            delete(_locks).where(
                _locks.c.site == site, _locks.c.group == group.value, _locks.c.until > until_at
            )
        )
        LockedDays(self._connection, site, group, meters).answer_from(until_at)

    def open_days(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> list[int]:
        """The days of [first, end) on which meters would answer otherwise without the lock."""
        table = schema.open_meter_days
        rows = self._connection.execute(
            select(table.c.day)
            .where(
                table.c.site == site,
                table.c.meter.in_(sorted(meters)),
                table.c.day >= first_day,
                table.c.day < end_day,
            )
            .distinct()
            .order_by(table.c.day)
        )
        return list(rows.scalars())

    def open_profile(self, site: int, meter: int, first_day: int, end_day: int) -> LoadProfile:
        """As `ResultTables.profile`, as it would be without the lock, with its methods."""
        names = (*PROFILE_COLUMNS, "method")
        rows = self._current_rows(METER_DAYS, names, site, meter, first_day, end_day)
        profile = profile_of(meter, first_day, end_day, [row[:-1] for row in rows])
        run = StoredRun(first_day, end_day, [row[0] for row in rows])
        return replace(profile, method=run.filled([row[-1] for row in rows], np.uint8))

    def open_balance(self, site: int, medium: Medium, first_day: int, end_day: int) -> SiteBalance:
        """As `ResultTables.balance`, as it would be without the lock."""
        names = ("quality", *BALANCE_COLUMNS)
        rows = self._current_rows(SITE_DAYS, names, site, medium.value, first_day, end_day)
        return balance_of(first_day, end_day, rows)

    def _current_rows(
        self,
        kind: StoredDays,
        names: Sequence[str],
        site: int,
        owner: int | str,
        first_day: int,
        end_day: int,
    ) -> list[tuple[Any, ...]]:
        """The rows (day, *names) of days, the open one where there is one, ascending."""
        by_day: dict[int, tuple[Any, ...]] = {}
        for table in (kind.answered, kind.open):
            rows = self._connection.execute(
                select(table.c.day, *(table.c[name] for name in names)).where(
                    table.c.site == site,
                    table.c[kind.owner] == owner,
                    table.c.day >= first_day,
                    table.c.day < end_day,
                )
            )
            by_day |= {row[0]: tuple(row) for row in rows}
        return [by_day[day] for day in sorted(by_day)]
