"""Settled days and dirty marks in the store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from sqlalchemy import Connection, Table, bindparam, delete, func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.hot_query import HotQuery
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.packing.checksums import blob_columns, sealed, whole_rows
from commonwatt.adapters.store.packing.day_columns import (
    DayColumns,
    DayKey,
    StoredRun,
    balance_of,
    packed_balance,
    packed_profile,
    profile_of,
)
from commonwatt.adapters.store.tables.estimated_spans import EstimatedSpans, meeting_spans
from commonwatt.adapters.store.tables.locked_days import LockedDays
from commonwatt.app.ports import DayState
from commonwatt.domain.energy.register_gaps import EstimatedSpan
from commonwatt.domain.metering.catalogue import Group, Medium
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.load_profile import LoadProfile, Qualities, SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, day_of
from commonwatt.domain.settlement import Settlement

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

    def __init__(self, connection: Connection, damaged: set[tuple[int, Group, int]]) -> None:
        self._connection = connection
        self._damaged = damaged

    def report_damaged(self, site: int, group: Group, days: Collection[int]) -> None:
        """Remember days with damaged results for `Store.take_damaged`."""
        self._damaged.update((site, group, day) for day in days)

    def mark_dirty(
        self, site: int, group: Group, spans: Iterable[tuple[int, int]], generation: int
    ) -> None:
        """Mark the days of the spans [first, end)."""
        days = {day for first, end in spans for day in range(first, end)}
        rows = [
            {
                "site": site,
                "group": group.value,
                "day": day,
                "generation": generation,
                "since_generation": generation,
            }
            for day in sorted(days)
        ]
        if rows:
            marks = replacing(self._connection, schema.dirty_marks, keep="since_generation")
            self._connection.execute(marks, rows)

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

    def known_days(self, site: int, group: Group) -> tuple[int, int] | None:
        """The days [first, end) that changes ever concerned; None before any change."""
        ends = [
            select(end(table.c.day))
            .where(table.c.site == site, table.c.group == group.value)
            .scalar_subquery()
            for table in (schema.settled_days, schema.dirty_marks)
            for end in (func.min, func.max)
        ]
        days = [day for day in self._connection.execute(select(*ends)).one() if day is not None]
        return (min(days), max(days) + 1) if days else None

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
        estimated = EstimatedSpans(self._connection, site, group)
        overtaken = estimated.overtaken(settlement.estimated, generation)
        left = newer | overtaken
        days = [day for day in range(first_day, end_day) if day not in left]
        locked_days = LockedDays(self._connection, site, group, meters)
        free_from = locked_days.first_free_day()
        locked = [day for day in days if day < free_from]
        free = days[len(locked) :]
        if locked:
            by_rules = self._marked_by_rules_alone(site, group, locked, generation)
            locked_days.put(*_columns_of(settlement, first_day, locked), locked, by_rules)
        self._put_profiles(site, meters, settlement, first_day, free)
        self._put_balances(site, group, settlement, first_day, free)
        self._put_findings(site, meters, settlement, days)
        self._put_settled(site, group, first_day, end_day, days, generation)
        estimated.put(meters, first_day, end_day, settlement.estimated, generation)
        marks = schema.dirty_marks
        self._connection.execute(
            delete(marks).where(
                marks.c.site == site,
                marks.c.group == group.value,
                marks.c.day >= first_day,
                marks.c.day < end_day,
                marks.c.day.not_in(sorted(overtaken)),
                marks.c.generation <= generation,
            )
        )

    def put_rule_changes(
        self,
        site: int,
        group: Group,
        meters: Collection[int],
        settlement: Settlement,
        generation: int,
    ) -> None:
        """Store what an upgrade of the rules makes of locked days, and what it changed of them.

        ``settlement`` is of what was known at the upgrade; its marks stay, since more has come.
        """
        first_day = settlement.first_quarter // DAY_QUARTERS
        end_day = settlement.end_quarter // DAY_QUARTERS
        newer = self._newer_days(site, group, first_day, end_day, generation)
        locked_days = LockedDays(self._connection, site, group, meters)
        end_day = min(end_day, locked_days.first_free_day())
        days = [day for day in range(first_day, end_day) if day not in newer]
        if days:
            locked_days.put(*_columns_of(settlement, first_day, days), days, days)
            self._put_settled(site, group, first_day, end_day, days, generation)

    def _marked_by_rules_alone(
        self, site: int, group: Group, days: Sequence[int], generation: int
    ) -> set[int]:
        """The days that nothing but an upgrade has marked, as far as a generation knows."""
        marks, versions = schema.dirty_marks, schema.rule_versions
        rows = self._connection.execute(
            select(marks.c.day)
            .join(
                versions,
                (versions.c.site == marks.c.site)
                & (versions.c.generation == marks.c.since_generation),
            )
            .where(
                marks.c.site == site,
                marks.c.group == group.value,
                marks.c.day >= days[0],
                marks.c.day <= days[-1],
                (marks.c.generation == marks.c.since_generation)
                | (marks.c.since_generation == generation),
            )
        )
        return set(rows.scalars()) & set(days)

    def _put_settled(
        self,
        site: int,
        group: Group,
        first_day: int,
        end_day: int,
        days: Sequence[int],
        generation: int,
    ) -> None:
        """Remember what generation the days are of, and of days that are new since when."""
        marks = schema.dirty_marks
        marked = self._connection.execute(
            select(marks.c.day, marks.c.since_generation).where(
                marks.c.site == site,
                marks.c.group == group.value,
                marks.c.day >= first_day,
                marks.c.day < end_day,
            )
        )
        since = dict(iter(marked))
        rows = [
            {
                "site": site,
                "group": group.value,
                "day": day,
                "generation": generation,
                "since_generation": since.get(day, generation),
            }
            for day in days
        ]
        if rows:
            table = schema.settled_days
            statement = replacing(self._connection, table, keep="since_generation")
            self._connection.execute(statement, rows)

    def estimated_spans(self, site: int, first_day: int, end_day: int) -> list[EstimatedSpan]:
        """The gaps of the site's meters that meet the days [first, end)."""
        return meeting_spans(self._connection, site, first_day, end_day)

    def settled_days(self, site: int, group: Group, first_day: int, end_day: int) -> list[int]:
        """The days of [first, end) that were ever settled, ascending."""
        states = self.day_states(site, group, first_day, end_day)
        return [state.day for state in states if state.generation is not None]

    def day_states(self, site: int, group: Group, first_day: int, end_day: int) -> list[DayState]:
        """The days of [first, end) that a change ever concerned, ascending."""
        settled, dirty = (
            {
                day: (generation, since)
                for day, generation, since in self._connection.execute(
                    select(table.c.day, table.c.generation, table.c.since_generation).where(
                        table.c.site == site,
                        table.c.group == group.value,
                        table.c.day >= first_day,
                        table.c.day < end_day,
                    )
                )
            }
            for table in (schema.settled_days, schema.dirty_marks)
        )
        states = []
        for day in sorted(settled.keys() | dirty.keys()):
            generation, since = settled.get(day, (None, None))
            _, dirty_since = dirty.get(day, (None, None))
            first = min(each for each in (since, dirty_since) if each is not None)
            states.append(DayState(day, first, generation, dirty_since))
        return states

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
            columns = packed_profile(profile)
            for day in days:
                of_day = {name: packed[day - first_day] for name, packed in columns.items()}
                if of_day["quality_total"] is not None:
                    kept.add((profile.meter, day))
                    row = {"site": site, "meter": profile.meter, "day": day, **of_day}
                    rows.append(sealed(schema.meter_days, row))
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
            columns = packed_balance(balance)
            for day in days:
                of_day = {name: packed[day - first_day] for name, packed in columns.items()}
                if of_day["quality"] is None:
                    gone.append((medium.value, day))
                else:
                    row = {"site": site, "medium": medium.value, "day": day, **of_day}
                    rows.append(sealed(table, row))
        if rows:
            self._connection.execute(replacing(self._connection, table), rows)
        if gone:
            # One statement a medium: its days are gone in one run of the primary key.
            for name in sorted({name for name, _ in gone}):
                days_gone = [day for other, day in gone if other == name]
                self._connection.execute(
                    delete(table).where(
                        table.c.site == site, table.c.medium == name, table.c.day.in_(days_gone)
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

    def profile(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> LoadProfile:
        """The stored quarter-hours of the days [first, end), without their method.

        ABSENT where nothing is stored, and on the days ``apart_from``. Raises `DamagedDay`.
        """
        rows = _profile_rows().rows(
            self._connection,
            {"site": site, "meter": meter, "first_day": first_day, "end_day": end_day},
        )
        whole = whole_rows(self._connection, schema.meter_days, site, meter, rows, apart_from)
        return profile_of(meter, first_day, end_day, whole)

    def methods(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> Qualities:
        """How the stored quarter-hours of the days [first, end) were found: codes of `Method`.

        Apart from `profile`, whose answers do not tell it, and which tells whether they are
        damaged. NONE where nothing is stored.
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
        whole = [row for row in rows if row.day not in apart_from]
        run = StoredRun(first_day, end_day, [row.day for row in whole])
        return run.filled([row.method for row in whole], np.uint8)

    def balance(
        self,
        site: int,
        medium: Medium,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> SiteBalance:
        """The stored balance of the days [first, end).

        ABSENT where nothing is stored, and on the days ``apart_from``. Raises `DamagedDay`.
        """
        rows = _balance_rows().rows(
            self._connection,
            {"site": site, "medium": medium.value, "first_day": first_day, "end_day": end_day},
        )
        of_medium = self._connection, schema.site_days, site, medium.value
        return balance_of(first_day, end_day, whole_rows(*of_medium, rows, apart_from))

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


def columns_of(
    settlement: Settlement,
) -> tuple[dict[DayKey, DayColumns], dict[DayKey, DayColumns]]:
    """Return the columns of each meter-day and site-day of a settlement."""
    first_day = settlement.first_quarter // DAY_QUARTERS
    return _columns_of(
        settlement, first_day, range(first_day, settlement.end_quarter // DAY_QUARTERS)
    )


def _columns_of(
    settlement: Settlement, first_day: int, days: Sequence[int]
) -> tuple[dict[DayKey, DayColumns], dict[DayKey, DayColumns]]:
    """Return the columns of each meter-day and site-day that there is."""
    profiles: dict[DayKey, DayColumns] = {}
    balances: dict[DayKey, DayColumns] = {}
    for profile in settlement.profiles:
        packed = packed_profile(profile)
        profiles |= {(profile.meter, day): _day_of(packed, day - first_day) for day in days}
    for medium, balance in settlement.balances.items():
        packed = packed_balance(balance)
        balances |= {(medium.value, day): _day_of(packed, day - first_day) for day in days}
    return profiles, balances


def _day_of(packed: Mapping[str, Sequence[bytes | None]], position: int) -> DayColumns:
    return {name: column[position] for name, column in packed.items()}


@lru_cache(maxsize=1)
def _profile_rows() -> HotQuery:
    table = schema.meter_days
    names = ("day", *blob_columns(table), "checksum")
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
        select(*(table.c[name] for name in ("day", *blob_columns(table), "checksum")))
        .where(
            table.c.site == bindparam("site"),
            table.c.medium == bindparam("medium"),
            table.c.day >= bindparam("first_day"),
            table.c.day < bindparam("end_day"),
        )
        .order_by(table.c.day)
    )
    return HotQuery(statement)
