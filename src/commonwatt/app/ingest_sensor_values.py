"""Taking sensor values in, with the same receipt as readings."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Change, Delivery, Store
from commonwatt.app.read_sensor import counting_values
from commonwatt.app.rejections import Rejections
from commonwatt.domain.quarter_hours import DAY_S
from commonwatt.domain.readings import Receipt, SensorRows, SensorValues


def ingest_sensor_values(
    store: Store, site: int, rows: SensorRows, account: str, source: str, now_us: int
) -> Receipt:
    """Store the values of known sensors, in one transaction that is durable when this returns.

    A value that already counts at its instant is unchanged. ``now_us`` [Unix microseconds] becomes
    the delivery's instant. Raises the errors of `store_errors`.
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
        here = np.flatnonzero(of_row == sensor)
        # Of one instant the last row counts; the rows before it say nothing that stays.
        of_sensor = SensorValues(rows.stamps[here], rows.values[here], np.full(len(here), number))
        said = counting_values(of_sensor, frozenset())
        days = said.stamps // DAY_S
        for day in np.unique(days).tolist():
            stamps, values = said.stamps[days == day], said.values[days == day]
            stored = counting_values(
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
