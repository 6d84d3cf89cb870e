"""Locks in the store."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.packing.checksums import blob_columns, whole_rows
from commonwatt.adapters.store.packing.day_columns import (
    PROFILE_COLUMNS,
    StoredRun,
    balance_of,
    profile_of,
    rule_change_of,
)
from commonwatt.adapters.store.tables.locked_days import (
    METER_DAYS,
    SITE_DAYS,
    LockedDays,
    StoredDays,
)
from commonwatt.app.ports import LockStep, RulesPending
from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.load_profile import LoadProfile, SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_S

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
                despite=row.despite,
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
                despite=step.despite,
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

    def open_profile(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> LoadProfile:
        """As `ResultTables.profile`, as it would be without the lock, with its methods."""
        rows = self._current_rows(METER_DAYS, site, meter, first_day, end_day, apart_from)
        profile = profile_of(meter, first_day, end_day, rows)
        run = StoredRun(first_day, end_day, [row[0] for row in rows])
        methods = [row[1 + len(PROFILE_COLUMNS)] for row in rows]
        return replace(profile, method=run.filled(methods, np.uint8))

    def open_balance(
        self,
        site: int,
        medium: Medium,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> SiteBalance:
        """As `ResultTables.balance`, as it would be without the lock."""
        rows = self._current_rows(SITE_DAYS, site, medium.value, first_day, end_day, apart_from)
        return balance_of(first_day, end_day, rows)

    def rule_change(self, site: int, meter: int, first_day: int, end_day: int) -> RuleChange:
        """What upgrades of the rules alone changed of the locked days [first, end) of a meter."""
        table = schema.rule_changes
        names = ("day", *blob_columns(table), "checksum")
        found = self._connection.execute(
            select(*(table.c[name] for name in names))
            .where(
                table.c.site == site,
                table.c.meter == meter,
                table.c.day >= first_day,
                table.c.day < end_day,
            )
            .order_by(table.c.day)
        )
        rows = [tuple(row) for row in found]
        return rule_change_of(
            first_day, end_day, whole_rows(self._connection, table, site, meter, rows)
        )

    def rules_pending(
        self, site: int, group: Group, days: tuple[int, int] | None = None
    ) -> list[RulesPending]:
        """The locked days of [first, end) that an upgrade marked and that were not settled since.

        Ascending; of days on which something was to be settled before already there is none.
        """
        locked_until_at = self.locked_until(site, group)
        if locked_until_at is None:
            return []
        marks, versions, settled = schema.dirty_marks, schema.rule_versions, schema.settled_days
        same_day = (
            (settled.c.site == marks.c.site)
            & (settled.c.group == marks.c.group)
            & (settled.c.day == marks.c.day)
        )
        of_upgrade = (versions.c.site == marks.c.site) & (
            versions.c.generation == marks.c.since_generation
        )
        statement = (
            select(marks.c.day, versions.c.generation, versions.c.at_us, marks.c.generation)
            .join(versions, of_upgrade)
            .join(settled, same_day)
            .where(
                marks.c.site == site,
                marks.c.group == group.value,
                marks.c.day < -(-locked_until_at // DAY_S),
                settled.c.generation < versions.c.generation,
            )
            .order_by(marks.c.day)
        )
        if days is not None:
            statement = statement.where(marks.c.day >= days[0], marks.c.day < days[1])
        return [
            RulesPending(day, generation, at_us, is_corrected=marked > generation)
            for day, generation, at_us, marked in self._connection.execute(statement)
        ]

    def _current_rows(
        self,
        kind: StoredDays,
        site: int,
        owner: int | str,
        first_day: int,
        end_day: int,
        apart_from: Collection[int],
    ) -> list[tuple[Any, ...]]:
        """The rows (day, *blob_columns, …) of days, the open one where there is one, ascending."""
        by_day: dict[int, tuple[Any, ...]] = {}
        for table in (kind.answered, kind.open):
            names = ("day", *blob_columns(table), "checksum")
            found = self._connection.execute(
                select(*(table.c[name] for name in names)).where(
                    table.c.site == site,
                    table.c[kind.owner] == owner,
                    table.c.day >= first_day,
                    table.c.day < end_day,
                )
            )
            rows = [tuple(row) for row in found]
            whole = whole_rows(self._connection, table, site, owner, rows, apart_from)
            by_day |= {row[0]: row for row in whole}
        return [by_day[day] for day in sorted(by_day)]
