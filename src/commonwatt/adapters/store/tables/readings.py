"""Deliveries, raw readings and sensor values in the store."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import (
    Connection,
    Result,
    Table,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    update,
)

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.hot_query import HotQuery
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.packing.checksums import begin, begin_more, damage, is_whole, sealed
from commonwatt.adapters.store.packing.columns import (
    pack_readings,
    pack_sensor_values,
    unpack_by_meter,
    unpack_readings,
    unpack_sensor_values,
)
from commonwatt.app.ports import Delivery, RegisterSpan
from commonwatt.domain.metering.readings import SensorValues, StoredReadings
from commonwatt.domain.vee.ordinary import HighestDays
from commonwatt.domain.vee.plausible_days import PlausibleDays

MANY_ROWS = 32
"""A meter-day with more rows than this is merged into one."""
_raw = schema.raw_readings
_sensor = schema.sensor_readings
_waiting = schema.waiting_readings
_spans = schema.meter_registers
_ROWS_AT_ONCE = 4_096
_ROW = (_raw.c.meter, _raw.c.day, _raw.c.delivery, _raw.c.readings, _raw.c.checksum)
_SENSOR_ROW = (
    *(_sensor.c.sensor, _sensor.c.day, _sensor.c.delivery),
    *(_sensor.c.readings, _sensor.c.checksum),
)

# Asked by every write.
_OF_SITE = schema.deliveries.c.site == bindparam("site")
_WITHDRAWN = HotQuery(
    select(schema.deliveries.c.number).where(
        _OF_SITE, schema.deliveries.c.withdrawn_us.is_not(None)
    )
)
_SPANS = HotQuery(
    select(
        _spans.c.meter,
        _spans.c.register,
        _spans.c.first_day,
        _spans.c.last_day,
        _spans.c.first_positive_at,
        _spans.c.believed_from,
        _spans.c.believed_to,
        _spans.c.highest,
    )
    .where(
        _spans.c.site == bindparam("site"),
        _spans.c.meter.between(bindparam("first"), bindparam("last")),
    )
    # An order of its own: findings follow it, and results are the same bytes everywhere.
    .order_by(_spans.c.meter, _spans.c.register)
)
_LAST_RECORDED = HotQuery(
    select(schema.deliveries.c.number, schema.deliveries.c.recorded_us).where(
        _OF_SITE,
        schema.deliveries.c.number
        == select(func.max(schema.deliveries.c.number)).where(_OF_SITE).scalar_subquery(),
    )
)


class SqlReadingTables:
    """`ports.ReadingTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_delivery(self, site: int, delivery: Delivery) -> None:
        """Record a delivery."""
        self._connection.execute(
            insert(schema.deliveries),
            {
                "site": site,
                "number": delivery.number,
                "recorded_us": delivery.recorded_us,
                "account": delivery.account,
                "source": delivery.source,
                "accepted": delivery.accepted,
                "unchanged": delivery.unchanged,
                "superseding": delivery.superseding,
                "rejected": delivery.rejected,
                "first_day": delivery.first_day,
                "last_day": delivery.last_day,
                "not_counting": delivery.not_counting,
            },
        )

    def deliveries(self, site: int) -> Sequence[Delivery]:
        """The deliveries of a site, ascending."""
        table = schema.deliveries
        rows = self._connection.execute(
            select(*(column for column in table.c if column.name != "site"))
            .where(table.c.site == site)
            .order_by(table.c.number)
        )
        return [Delivery(**row) for row in rows.mappings()]

    def delivery(self, site: int, number: int) -> Delivery | None:
        """One delivery, None if there is none of that number."""
        table = schema.deliveries
        row = self._connection.execute(
            select(*(column for column in table.c if column.name != "site")).where(
                table.c.site == site, table.c.number == number
            )
        )
        found = row.mappings().first()
        return None if found is None else Delivery(**found)

    def set_withdrawn(self, site: int, number: int, at_us: int, reason: str | None) -> None:
        """Withdraw a delivery at an instant for a reason, or reinstate it (None)."""
        withdrawn = reason is not None
        self._connection.execute(
            update(schema.deliveries)
            .where(schema.deliveries.c.site == site, schema.deliveries.c.number == number)
            .values(withdrawn_us=at_us if withdrawn else None, withdrawn_reason=reason)
        )
        self._connection.execute(
            replacing(self._connection, schema.withdrawals),
            {"site": site, "delivery": number, "at_us": at_us, "withdrawn": withdrawn},
        )

    def withdrawn(self, site: int) -> frozenset[int]:
        """The numbers of the site's withdrawn deliveries."""
        rows = _WITHDRAWN.rows(self._connection, {"site": site})
        return frozenset(number for (number,) in rows)

    def register_spans(
        self, site: int, meters: Collection[int]
    ) -> dict[int, dict[str, RegisterSpan]]:
        """What was ever said of each register of the meters."""
        if not meters:
            return {}
        spans: dict[int, dict[str, RegisterSpan]] = {}
        within = {"site": site, "first": min(meters), "last": max(meters)}
        rows = _SPANS.rows(self._connection, within)
        wanted = set(meters)
        for meter, register, first_day, last_day, first_positive_at, *plausible, highest in rows:
            if meter in wanted:
                days = None if plausible[0] is None else PlausibleDays(*plausible)
                powers = None if highest is None else _highest_days(highest)
                span = RegisterSpan(first_day, last_day, first_positive_at, days, powers)
                spans.setdefault(meter, {})[register] = span
        return spans

    def put_register_spans(
        self, site: int, spans: Mapping[tuple[int, str], RegisterSpan], generation: int
    ) -> None:
        """Replace the spans of (meter, register) by those that a change of the site leaves."""
        if not spans:
            return
        self._connection.execute(
            replacing(self._connection, schema.meter_registers),
            [
                {
                    "site": site,
                    "meter": meter,
                    "register": register,
                    "first_day": span.first_day,
                    "last_day": span.last_day,
                    "first_positive_at": span.first_positive_at,
                    "believed_from": span.plausible and span.plausible.first_day,
                    "believed_to": span.plausible and span.plausible.last_day,
                    "generation": generation,
                    "highest": span.highest and _stored_days(span.highest),
                }
                for (meter, register), span in spans.items()
            ],
        )

    def readings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> dict[int, StoredReadings]:
        """All that was said of the meters on the days [first, end)."""
        rows = self._connection.execute(
            select(*_ROW)
            .where(
                _raw.c.site == site,
                _raw.c.meter.in_(sorted(meters)),
                _raw.c.day >= first_day,
                _raw.c.day < end_day,
            )
            .order_by(_raw.c.meter, _raw.c.day, _raw.c.delivery)
        )
        return _unpacked(_whole(self._connection, _raw, site, rows))

    def days_before(self, site: int, meter: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with readings before a day, the nearest first."""
        statement = (
            select(_raw.c.day)
            .where(_raw.c.site == site, _raw.c.meter == meter, _raw.c.day < day)
            .distinct()
            .order_by(_raw.c.day.desc())
            .limit(count)
        )
        return list(self._connection.execute(statement).scalars())

    def days_after(self, site: int, meter: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with readings from a day on, the nearest first."""
        statement = (
            select(_raw.c.day)
            .where(_raw.c.site == site, _raw.c.meter == meter, _raw.c.day >= day)
            .distinct()
            .order_by(_raw.c.day)
            .limit(count)
        )
        return list(self._connection.execute(statement).scalars())

    def delivered(self, site: int, delivery: Delivery) -> dict[int, StoredReadings]:
        """What one delivery said, by meter. A merged row may hold several deliveries."""
        rows = self._connection.execute(
            select(*_ROW)
            .where(
                _raw.c.site == site,
                _raw.c.day >= delivery.first_day,
                _raw.c.day <= delivery.last_day,
                _raw.c.delivery >= delivery.number,
            )
            .order_by(_raw.c.meter, _raw.c.day, _raw.c.delivery)
        )
        said: dict[int, StoredReadings] = {}
        whole = _whole(self._connection, _raw, site, rows)
        for meter, day_rows in groupby(whole, key=lambda row: row[0]):
            parts = [
                _of_delivery(unpack_readings([(day, blob)]), delivery.number)
                for _, day, blob in day_rows
            ]
            joined = StoredReadings.joined(parts)
            if len(joined.stamps):
                said[meter] = joined
        return said

    def add_readings(
        self, site: int, delivery: int, parts: Iterable[tuple[int, int, StoredReadings]]
    ) -> None:
        """Store (meter, day, readings of that day) of one delivery."""
        parts = list(parts)
        rows = [
            sealed(
                _raw,
                {
                    "site": site,
                    "meter": meter,
                    "day": day,
                    "delivery": delivery,
                    "readings": pack_readings(readings),
                },
            )
            for meter, day, readings in parts
        ]
        if rows:
            self._connection.execute(insert(_raw), rows)
        for meter, day, readings in parts:
            if readings.ahead.any():
                self._wait(site, meter, day, int(readings.stamps[readings.ahead].min()))

    def recorded_last(self, site: int, count: int) -> list[tuple[int, int]]:
        """When the last deliveries were recorded: (number, Unix microsecond), ascending."""
        table = schema.deliveries
        rows = self._connection.execute(
            select(table.c.number, table.c.recorded_us)
            .where(table.c.site == site)
            .order_by(table.c.number.desc())
            .limit(count)
        )
        return [(number, recorded_us) for number, recorded_us in rows][::-1]

    def last_recorded(self, site: int) -> tuple[int, int] | None:
        """When the last delivery was recorded: its number, Unix microsecond."""
        rows = _LAST_RECORDED.rows(self._connection, {"site": site})
        return (rows[0][0], rows[0][1]) if rows else None

    def unlearned(self) -> list[tuple[int, int]]:
        """The (site, meter) that were read before the store kept what is ordinary for them."""
        table = schema.meter_registers
        rows = self._connection.execute(
            select(table.c.site, table.c.meter)
            .where(table.c.highest.is_(null()))
            .distinct()
            .order_by(table.c.site, table.c.meter)
        )
        return [(site, meter) for site, meter in rows]

    def waiting(self, until_at: int) -> list[tuple[int, int, int]]:
        """The (site, meter, day) with readings ahead of their delivery up to an instant."""
        rows = self._connection.execute(
            select(_waiting.c.site, _waiting.c.meter, _waiting.c.day)
            .where(_waiting.c.first_at <= until_at)
            .order_by(_waiting.c.site, _waiting.c.meter, _waiting.c.day)
        )
        return [(site, meter, day) for site, meter, day in rows]

    def end_waiting(self, site: int, meter: int, day: int, until_at: int) -> None:
        """Let the waiting readings of a meter's day count, up to an instant."""
        conditions = (_raw.c.site == site, _raw.c.meter == meter, _raw.c.day == day)
        rows = self._connection.execute(select(*_ROW).where(*conditions)).all()
        left: list[int] = []
        for _, _, delivery, blob, stored in rows:
            if not is_whole(stored, begin(_raw, site, meter, delivery), day, (blob,)):
                raise damage(self._connection, _raw, site, meter, day)
            said = unpack_readings([(day, blob)])
            ahead = said.ahead & (said.stamps > until_at)
            left += said.stamps[ahead].tolist()
            if (ahead != said.ahead).any():
                key = {"site": site, "meter": meter, "day": day, "delivery": delivery}
                row = sealed(_raw, {**key, "readings": pack_readings(replace(said, ahead=ahead))})
                self._connection.execute(replacing(self._connection, _raw), row)
        self._connection.execute(
            delete(_waiting).where(
                _waiting.c.site == site, _waiting.c.meter == meter, _waiting.c.day == day
            )
        )
        if left:
            self._wait(site, meter, day, min(left))

    def _wait(self, site: int, meter: int, day: int, first_at: int) -> None:
        """Remember that a meter's day has a reading that is ahead of its delivery."""
        conditions = (_waiting.c.site == site, _waiting.c.meter == meter, _waiting.c.day == day)
        known_at = self._connection.execute(select(_waiting.c.first_at).where(*conditions)).scalar()
        row = {"site": site, "meter": meter, "day": day}
        row["first_at"] = first_at if known_at is None else min(first_at, known_at)
        self._connection.execute(replacing(self._connection, _waiting), row)

    def merge_rows(self, site: int, meters: Collection[int], first_day: int, end_day: int) -> None:
        """Merge the rows of each meter-day of [first, end) that has too many.

        What was said stays, in its order, under the greatest of the deliveries merged.
        """
        crowded = self._connection.execute(
            select(_raw.c.meter, _raw.c.day)
            .where(
                _raw.c.site == site,
                _raw.c.meter.in_(sorted(meters)),
                _raw.c.day >= first_day,
                _raw.c.day < end_day,
            )
            .group_by(_raw.c.meter, _raw.c.day)
            .having(func.count() > MANY_ROWS)
        ).all()
        for meter, day in crowded:
            self._merge(site, meter, day)

    def _merge(self, site: int, meter: int, day: int) -> None:
        conditions = (_raw.c.site == site, _raw.c.meter == meter, _raw.c.day == day)
        rows = self._connection.execute(select(*_ROW).where(*conditions).order_by(_raw.c.delivery))
        whole = _whole(self._connection, _raw, site, rows)
        merged = unpack_readings([(day, blob) for _, day, blob in whole])
        last = select(func.max(_raw.c.delivery)).where(*conditions)
        delivery = self._connection.execute(last).scalar_one()
        self._connection.execute(delete(_raw).where(*conditions))
        self.add_readings(site, delivery, [(meter, day, merged)])


class SqlSensorTables:
    """`ports.SensorTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sensor_values(self, site: int, sensor: int, first_day: int, end_day: int) -> SensorValues:
        """All that was said of a sensor on the days [first, end), by day and delivery."""
        rows = self._connection.execute(
            select(*_SENSOR_ROW)
            .where(
                _sensor.c.site == site,
                _sensor.c.sensor == sensor,
                _sensor.c.day >= first_day,
                _sensor.c.day < end_day,
            )
            .order_by(_sensor.c.day, _sensor.c.delivery)
        )
        whole = _whole(self._connection, _sensor, site, rows)
        return unpack_sensor_values([(day, blob) for _, day, blob in whole])

    def days_after(self, site: int, sensor: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with values from a day on, the nearest first."""
        statement = (
            select(_sensor.c.day)
            .where(_sensor.c.site == site, _sensor.c.sensor == sensor, _sensor.c.day >= day)
            .distinct()
            .order_by(_sensor.c.day)
            .limit(count)
        )
        return list(self._connection.execute(statement).scalars())

    def latest_day(self, site: int, sensor: int, before: int) -> int | None:
        """The last day with values of those before a day."""
        statement = select(func.max(_sensor.c.day)).where(
            _sensor.c.site == site, _sensor.c.sensor == sensor, _sensor.c.day < before
        )
        return self._connection.execute(statement).scalar()

    def add_sensor_values(
        self, site: int, delivery: int, parts: Iterable[tuple[int, int, SensorValues]]
    ) -> None:
        """Store (sensor, day, values of that day) of one delivery; merge rows if there are many."""
        for sensor, day, added in parts:
            said = added
            conditions = (_sensor.c.site == site, _sensor.c.sensor == sensor, _sensor.c.day == day)
            count = select(func.count()).select_from(_sensor).where(*conditions)
            if self._connection.execute(count).scalar_one() >= MANY_ROWS:
                said = _one_after_the_other(self.sensor_values(site, sensor, day, day + 1), added)
                self._connection.execute(delete(_sensor).where(*conditions))
            self._connection.execute(
                insert(_sensor),
                sealed(
                    _sensor,
                    {
                        "site": site,
                        "sensor": sensor,
                        "day": day,
                        "delivery": delivery,
                        "readings": pack_sensor_values(said),
                    },
                ),
            )


def _one_after_the_other(first: SensorValues, then: SensorValues) -> SensorValues:
    return SensorValues(
        np.concatenate((first.stamps, then.stamps)),
        np.concatenate((first.values, then.values)),
        np.concatenate((first.deliveries, then.deliveries)),
    )


def _whole(
    connection: Connection, table: Table, site: int, rows: Result[*tuple[Any, ...]]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield (meter or sensor, day, BLOB) of whole rows. Raises `DamagedDay` at one that is not."""
    # A statement that is left half read would keep its snapshot open.
    with closing(rows):
        begun = begin(table, site)
        for owner, day, delivery, blob, stored in rows:
            if not is_whole(stored, begin_more(begun, owner, delivery), day, (blob,)):
                raise damage(connection, table, site, owner, day)
            yield owner, day, blob


def _stored_days(highest: HighestDays) -> dict[str, Any]:
    return {"days": highest.days, "floor": highest.floor}


def _highest_days(stored: Mapping[str, Any]) -> HighestDays:
    return HighestDays(tuple((power, day) for power, day in stored["days"]), stored["floor"])


def _unpacked(rows: Iterable[tuple[int, int, bytes]]) -> dict[int, StoredReadings]:
    """Unpack the rows of many meters together, and of no more at once than fit some MB."""
    said: dict[int, StoredReadings] = {}
    waiting: list[tuple[int, int, bytes]] = []
    for row in rows:
        if len(waiting) >= _ROWS_AT_ONCE and row[0] != waiting[-1][0]:
            said |= unpack_by_meter(waiting)
            waiting = []
        waiting.append(row)
    return said | unpack_by_meter(waiting)


def _of_delivery(readings: StoredReadings, number: int) -> StoredReadings:
    return readings.take(np.flatnonzero(readings.deliveries == number))
