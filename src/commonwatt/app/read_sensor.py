"""Reading the values of a sensor as they came; of one instant, the last that was delivered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.domain.quarter_hours import day_of
from commonwatt.domain.readings import SensorValues


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
    series = counting_values(said, withdrawn)
    inside = (series.stamps >= start_at) & (series.stamps <= end_at)
    return SensorSeries(series.stamps[inside], series.values[inside])


def _latest(
    snapshot: Snapshot, site: int, sensor: int, end_at: int, withdrawn: frozenset[int]
) -> SensorSeries:
    """The latest value that counts and is not after an instant."""
    day = snapshot.sensors.latest_day(site, sensor, before=day_of(end_at) + 1)
    while day is not None:
        said = snapshot.sensors.sensor_values(site, sensor, day, day + 1)
        series = counting_values(said, withdrawn)
        until_end = series.stamps <= end_at
        if until_end.any():
            return SensorSeries(series.stamps[until_end][-1:], series.values[until_end][-1:])
        day = snapshot.sensors.latest_day(site, sensor, before=day)
    return SensorSeries(np.empty(0, np.int64), np.empty(0, np.float64))


def counting_values(said: SensorValues, withdrawn: frozenset[int]) -> SensorSeries:
    """Return the values that count: of an instant the one delivered last and not withdrawn."""
    kept = np.flatnonzero(~np.isin(said.deliveries, list(withdrawn)))
    order = kept[np.lexsort((kept, said.deliveries[kept], said.stamps[kept]))]
    stamps, values = said.stamps[order], said.values[order]
    last = np.ones(len(stamps), np.bool_)
    last[:-1] = stamps[1:] != stamps[:-1]
    return SensorSeries(stamps[last], values[last])
