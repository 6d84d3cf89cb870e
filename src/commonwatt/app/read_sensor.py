"""Reading the values of a sensor as they came; of one instant, the last that was delivered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.domain.quarter_hours import day_of


@dataclass(frozen=True, slots=True)
class SensorSeries:
    """The values of a sensor in its own unit, ascending by ``stamps`` [Unix seconds]."""

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]


def read_sensor(
    snapshot: Snapshot, site: int, sensor: int, start_at: int | None, end_at: int | None
) -> SensorSeries:
    """Read the values with start <= stamp <= end [Unix seconds]; without both bounds the latest."""
    withdrawn = snapshot.readings.withdrawn(site)
    if start_at is None or end_at is None:
        return _latest(snapshot, site, sensor, withdrawn)
    parts = snapshot.sensors.sensor_values(site, sensor, day_of(start_at), day_of(end_at) + 1)
    series = counting_values(parts, withdrawn)
    inside = (series.stamps >= start_at) & (series.stamps <= end_at)
    return SensorSeries(series.stamps[inside], series.values[inside])


def _latest(snapshot: Snapshot, site: int, sensor: int, withdrawn: frozenset[int]) -> SensorSeries:
    """The latest value that counts; what was said last may be withdrawn."""
    day = snapshot.sensors.latest_day(site, sensor)
    while day is not None:
        parts = snapshot.sensors.sensor_values(site, sensor, day, day + 1)
        series = counting_values(parts, withdrawn)
        if len(series.stamps):
            return SensorSeries(series.stamps[-1:], series.values[-1:])
        day = snapshot.sensors.latest_day(site, sensor, before=day)
    return counting_values([], withdrawn)


def counting_values(
    parts: Sequence[tuple[int, NDArray[np.int64], NDArray[np.float64]]],
    withdrawn: frozenset[int],
) -> SensorSeries:
    """Join (delivery, stamps, values), ascending by delivery within a day; the last counts."""
    kept = [(stamps, values) for number, stamps, values in parts if number not in withdrawn]
    if not kept:
        return SensorSeries(np.empty(0, np.int64), np.empty(0, np.float64))
    stamps = np.concatenate([stamps for stamps, _ in kept])
    values = np.concatenate([values for _, values in kept])
    order = np.argsort(stamps, kind="stable")
    stamps, values = stamps[order], values[order]
    last = np.append(stamps[1:] != stamps[:-1], True)
    return SensorSeries(stamps[last], values[last])
