"""What the demo's three sensors measure; each is read every quarter-hour."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.demo.simulated.building import SENSOR_IDS
from commonwatt.demo.simulated.noise import smooth
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.readings import SensorRows

_YEAR_S = 365.25 * DAY_S
_MID_JANUARY_S = 15 * DAY_S
_WARMEST_S = 15 * 3600
# The common room is used in the evening (UTC), by more or fewer people.
_EVENING_S = 18 * 3600 + 1800
_OFF_SECOND = (7, 11, 16)


def sensor_values(kind: str, instants_at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what a sensor of a kind of SENSOR_IDS shows at instants: °C, % and ppm."""
    season = -np.cos((instants_at - _MID_JANUARY_S) / _YEAR_S * 2 * np.pi)
    daily = np.cos((instants_at % DAY_S - _WARMEST_S) / DAY_S * 2 * np.pi)
    weather = smooth(f"{kind} weather", instants_at, 2 * DAY_S) - 0.5
    detail = smooth(f"{kind} detail", instants_at, 3 * 3600) - 0.5
    if kind == "temperature":
        return np.round(18.5 + 3.5 * season + 0.8 * daily + 2.0 * weather + 0.6 * detail, 1)
    if kind == "humidity":
        return np.round(61.0 + 9.0 * season - 1.5 * daily + 8.0 * weather + 2.0 * detail, 1)
    hours_off = (instants_at % DAY_S - _EVENING_S) / 3600.0
    people = 900.0 * (weather + 0.5) * np.exp(-(hours_off**2) / 4.0)
    return np.round(430.0 + people + 30.0 * detail)


def sensor_rows_due(after_at: int, until_at: int) -> SensorRows:
    """Return what the sensors send in (after_at, until_at] [Unix seconds]."""
    quarters = np.arange(after_at // QUARTER_S, until_at // QUARTER_S + 1, dtype=np.int64)
    per_sensor = []
    for second in _OFF_SECOND:
        stamps = quarters * QUARTER_S + second
        per_sensor.append(stamps[(stamps > after_at) & (stamps <= until_at)])
    return _rows(per_sensor)


def sensor_rows_now(instant_at: int) -> SensorRows:
    """Return what the sensors show at an instant [Unix seconds]."""
    return _rows([np.array([instant_at], np.int64) for _ in SENSOR_IDS])


def _rows(per_sensor: list[NDArray[np.int64]]) -> SensorRows:
    stamps = np.concatenate(per_sensor)
    values = [sensor_values(kind, at) for kind, at in zip(SENSOR_IDS, per_sensor, strict=True)]
    return SensorRows(
        rows=np.arange(1, len(stamps) + 1, dtype=np.int64),
        sensor_codes=np.repeat(np.arange(len(SENSOR_IDS), dtype=np.int32), [*map(len, per_sensor)]),
        sensors=list(SENSOR_IDS.values()),
        stamps=stamps,
        values=np.concatenate(values),
        total=len(stamps),
    )
