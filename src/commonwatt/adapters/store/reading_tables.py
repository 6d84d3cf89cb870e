"""Deliveries, raw readings and sensor values in the store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, update

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.packing import (
    pack_readings,
    pack_sensor_values,
    unpack_readings,
    unpack_sensor_values,
)
from commonwatt.adapters.store.upsert import replacing
from commonwatt.app.ports import Delivery, RegisterSpan
from commonwatt.domain.readings import SensorValues, StoredReadings

MANY_ROWS = 32
"""A meter-day with more rows than this is merged into one."""
_raw = schema.raw_readings
_sensor = schema.sensor_readings


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
        rows = self._connection.execute(
            select(schema.deliveries.c.number).where(
                schema.deliveries.c.site == site, schema.deliveries.c.withdrawn_us.is_not(None)
            )
        )
        return frozenset(rows.scalars())

    def register_spans(
        self, site: int, meters: Collection[int]
    ) -> dict[int, dict[str, RegisterSpan]]:
        """What was ever said of each register of the meters."""
        table = schema.meter_registers
        spans: dict[int, dict[str, RegisterSpan]] = {}
        rows = self._connection.execute(
            select(
                table.c.meter,
                table.c.register,
                table.c.first_day,
                table.c.last_day,
                table.c.first_positive_at,
            )
            .where(table.c.site == site)
            # An order of its own: findings follow it, and results are the same bytes everywhere.
            .order_by(table.c.meter, table.c.register)
        )
        wanted = set(meters)
        for meter, register, first_day, last_day, first_positive_at in rows:
            if meter in wanted:
                span = RegisterSpan(first_day, last_day, first_positive_at)
                spans.setdefault(meter, {})[register] = span
        return spans

    def put_register_spans(self, site: int, spans: Mapping[tuple[int, str], RegisterSpan]) -> None:
        """Replace the spans of (meter, register)."""
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
                }
                for (meter, register), span in spans.items()
            ],
        )

    def readings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> dict[int, StoredReadings]:
        """All that was said of the meters on the days [first, end)."""
        rows = self._connection.execute(
            select(_raw.c.meter, _raw.c.day, _raw.c.readings)
            .where(
                _raw.c.site == site,
                _raw.c.meter.in_(sorted(meters)),
                _raw.c.day >= first_day,
                _raw.c.day < end_day,
            )
            .order_by(_raw.c.meter, _raw.c.day, _raw.c.delivery)
        )
        return _unpacked(rows)

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
            select(_raw.c.meter, _raw.c.day, _raw.c.readings)
            .where(
                _raw.c.site == site,
                _raw.c.day >= delivery.first_day,
                _raw.c.day <= delivery.last_day,
                _raw.c.delivery >= delivery.number,
            )
            .order_by(_raw.c.meter, _raw.c.day, _raw.c.delivery)
        )
        said: dict[int, StoredReadings] = {}
        for meter, day_rows in groupby(rows, key=lambda row: row[0]):
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
        rows = [
            {
                "site": site,
                "meter": meter,
                "day": day,
                "delivery": delivery,
                "readings": pack_readings(readings),
            }
            for meter, day, readings in parts
        ]
        if rows:
            self._connection.execute(insert(_raw), rows)

    def merge_rows(self, site: int, meters: Collection[int], first_day: int, end_day: int) -> None:
        """Merge the rows of each meter-day of [first, end) that has become many.

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
        here = (_raw.c.site == site, _raw.c.meter == meter, _raw.c.day == day)
        rows = self._connection.execute(
            select(_raw.c.delivery, _raw.c.readings).where(*here).order_by(_raw.c.delivery)
        ).all()
        merged = unpack_readings([(day, row.readings) for row in rows])
        self._connection.execute(delete(_raw).where(*here))
        self.add_readings(site, rows[-1].delivery, [(meter, day, merged)])


class SqlSensorTables:
    """`ports.SensorTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sensor_values(self, site: int, sensor: int, first_day: int, end_day: int) -> SensorValues:
        """All that was said of a sensor on the days [first, end), by day and delivery."""
        rows = self._connection.execute(
            select(_sensor.c.day, _sensor.c.readings)
            .where(
                _sensor.c.site == site,
                _sensor.c.sensor == sensor,
                _sensor.c.day >= first_day,
                _sensor.c.day < end_day,
            )
            .order_by(_sensor.c.day, _sensor.c.delivery)
        )
        return unpack_sensor_values([(day, blob) for day, blob in rows])

    def latest_day(self, site: int, sensor: int, before: int) -> int | None:
        """The last day with values of those before a day."""
        statement = select(func.max(_sensor.c.day)).where(
            _sensor.c.site == site, _sensor.c.sensor == sensor, _sensor.c.day < before
        )
        return self._connection.execute(statement).scalar()

    def add_sensor_values(
        self, site: int, delivery: int, parts: Iterable[tuple[int, int, SensorValues]]
    ) -> None:
        """Store (sensor, day, values of that day) of one delivery; merge rows that become many."""
        for sensor, day, added in parts:
            said = added
            here = (_sensor.c.site == site, _sensor.c.sensor == sensor, _sensor.c.day == day)
            count = select(func.count()).select_from(_sensor).where(*here)
            if self._connection.execute(count).scalar_one() >= MANY_ROWS:
                said = _one_after_the_other(self.sensor_values(site, sensor, day, day + 1), added)
                self._connection.execute(delete(_sensor).where(*here))
            self._connection.execute(
                insert(_sensor),
                {
                    "site": site,
                    "sensor": sensor,
                    "day": day,
                    "delivery": delivery,
                    "readings": pack_sensor_values(said),
                },
            )


def _one_after_the_other(first: SensorValues, then: SensorValues) -> SensorValues:
    return SensorValues(
        np.concatenate((first.stamps, then.stamps)),
        np.concatenate((first.values, then.values)),
        np.concatenate((first.deliveries, then.deliveries)),
    )


def _unpacked(rows: Iterable[tuple[int, int, bytes]]) -> dict[int, StoredReadings]:
    return {
        meter: unpack_readings([(day, blob) for _, day, blob in of_meter])
        for meter, of_meter in groupby(rows, key=lambda row: row[0])
    }


def _of_delivery(readings: StoredReadings, number: int) -> StoredReadings:
    return readings.at(np.flatnonzero(readings.deliveries == number))
