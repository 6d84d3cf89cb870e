"""Sensor values: taking them in with a receipt, and reading them as they came."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Change, Delivery, Snapshot, Store
from commonwatt.app.readings.rejected_rows import Rejections
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.metering.readings import Receipt, SensorRows, SensorValues


def ingest_sensor_values(
    store: Store, site: int, rows: SensorRows, account: str, source: str, now_us: int
) -> Receipt:
    """Store the values of known sensors, in one transaction that is durable when this returns.

    A value that already counts at its instant is unchanged. ``now_us`` [Unix microseconds] becomes
    the delivery's instant. Raises the errors of a store.
    """
    with store.change(site) as change:
        sensors = {s.id: s.number for s in change.catalogue.catalogue(site).sensors}
        numbers = np.array([sensors.get(name, 0) for name in rows.sensors], np.int64)
        of_row = numbers[rows.sensor_codes] if len(rows.rows) else np.empty(0, np.int64)
        rejections = Rejections(rows.rows, rows.total, rows.rejected)
        rejections.reject(
            of_row == 0,
            lambda position: f"no sensor {rows.sensors[rows.sensor_codes[position]]} at this site",
        )
        number = change.catalogue.generation(site) + 1
        parts, superseding = _new_values(change, site, rows, of_row, number)
        accepted = sum(len(said.stamps) for _, _, said in parts)
        unchanged = int((of_row != 0).sum()) - accepted
        if accepted:
            change.catalogue.next_generation(site)
            change.sensors.add_sensor_values(site, number, parts)
            days = [day for _, day, _ in parts]
            change.readings.add_delivery(
                site,
                Delivery(
                    number=number,
                    recorded_us=now_us,
                    account=account,
                    source=source,
                    accepted=accepted,
                    unchanged=unchanged,
                    superseding=superseding,
                    rejected=rejections.count,
                    first_day=min(days),
                    last_day=max(days),
                    not_counting=0,
                ),
            )
    return Receipt(
        delivery=number if accepted else None,
        accepted=accepted,
        unchanged=unchanged,
        superseding=superseding,
        rejected=rejections.named(),
        rejected_rows=rejections.count,
    )


def _new_values(
    change: Change, site: int, rows: SensorRows, of_row: NDArray[np.int64], number: int
) -> tuple[list[tuple[int, int, SensorValues]], int]:
    """Return (sensor, day, values) of what is new, and how many replace another value."""
    parts: list[tuple[int, int, SensorValues]] = []
    superseding = 0
    withdrawn = change.readings.withdrawn(site)
    for sensor in sorted(set(of_row.tolist()) - {0}):
        positions = np.flatnonzero(of_row == sensor)
        # Of one instant the last row counts; the rows before it say nothing that stays.
        of_sensor = SensorValues(
            rows.stamps[positions], rows.values[positions], np.full(len(positions), number)
        )
        said = effective_values(of_sensor, frozenset())
        days = said.stamps // DAY_S
        for day in np.unique(days).tolist():
            stamps, values = said.stamps[days == day], said.values[days == day]
            stored = effective_values(
                change.sensors.sensor_values(site, sensor, day, day + 1), withdrawn
            )
            place = np.searchsorted(stored.stamps, stamps)
            known = np.isin(stamps, stored.stamps)
            same = np.zeros(len(stamps), np.bool_)
            same[known] = stored.values[place[known]] == values[known]
            superseding += int((known & ~same).sum())
            if not same.all():
                new = np.flatnonzero(~same)
                said_new = SensorValues(stamps[new], values[new], np.full(len(new), number))
                parts.append((sensor, day, said_new))
    return parts, superseding


@dataclass(frozen=True, slots=True)
class SensorSeries:
    """The values of a sensor in its own unit, ascending by ``stamps`` [Unix seconds]."""

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]


def read_sensor(
    snapshot: Snapshot, site: int, sensor: int, start_at: int | None, end_at: int
) -> SensorSeries:
    """Read the values with start <= stamp <= end [Unix seconds].

    Without a start: the latest one that is not after the end.
    """
    withdrawn = snapshot.readings.withdrawn(site)
    if start_at is None:
        return _latest(snapshot, site, sensor, end_at, withdrawn)
    said = snapshot.sensors.sensor_values(site, sensor, day_of(start_at), day_of(end_at) + 1)
    series = effective_values(said, withdrawn)
    inside = (series.stamps >= start_at) & (series.stamps <= end_at)
    return SensorSeries(series.stamps[inside], series.values[inside])


def _latest(
    snapshot: Snapshot, site: int, sensor: int, end_at: int, withdrawn: frozenset[int]
) -> SensorSeries:
    """The latest value that counts and is not after an instant."""
    day = snapshot.sensors.latest_day(site, sensor, before=day_of(end_at) + 1)
    while day is not None:
        said = snapshot.sensors.sensor_values(site, sensor, day, day + 1)
        series = effective_values(said, withdrawn)
        until_end = series.stamps <= end_at
        if until_end.any():
            return SensorSeries(series.stamps[until_end][-1:], series.values[until_end][-1:])
        day = snapshot.sensors.latest_day(site, sensor, before=day)
    return SensorSeries(np.empty(0, np.int64), np.empty(0, np.float64))


def effective_values(said: SensorValues, withdrawn: frozenset[int]) -> SensorSeries:
    """Return the values that count: of an instant the one delivered last and not withdrawn."""
    kept = np.flatnonzero(~np.isin(said.deliveries, list(withdrawn)))
    order = kept[np.lexsort((kept, said.deliveries[kept], said.stamps[kept]))]
    stamps, values = said.stamps[order], said.values[order]
    last = np.ones(len(stamps), np.bool_)
    last[:-1] = stamps[1:] != stamps[:-1]
    return SensorSeries(stamps[last], values[last])
