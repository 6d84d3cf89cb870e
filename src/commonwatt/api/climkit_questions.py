"""What a Climkit client asks about a site's series: parse, one use case, render."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.api.asked_series import QUICK_VALUES, is_settled, open_meter
from commonwatt.api.climkit_columns import meter_rows, site_rows
from commonwatt.api.problems import UnknownSensor
from commonwatt.api.visits import Asked, Visit
from commonwatt.api.windows import QuarterWindow, instants_seen, is_seen, quarters_by_stamp
from commonwatt.app.read_raw import RuleMeterHasNoReadings, read_raw
from commonwatt.app.read_sensor import read_sensor
from commonwatt.app.read_series import read_meter_series, read_site_series
from commonwatt.climkit_v1 import requests as wire
from commonwatt.climkit_v1.series_json import Column, render_rows, render_sensor_rows
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.catalogue import Medium, Meter, Sensor
from commonwatt.domain.readings import NO_VALUE
from commonwatt.domain.vee.life import AHEAD_S
from commonwatt.domain.zones import utc_offsets

NOTHING = b"[]"
_SITE_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class MeterSeriesQuery:
    """The series of one meter over a window."""

    meter: Meter
    window: QuarterWindow
    frequency: SamplingFrequency


@dataclass(frozen=True, slots=True)
class SiteSeriesQuery:
    """The balance of one medium over a window, with the columns of its meters or without."""

    medium: Medium
    window: QuarterWindow
    frequency: SamplingFrequency
    with_meters: bool


@dataclass(frozen=True, slots=True)
class RawQuery:
    """The readings of a meter; no period: the latest."""

    meter: Meter
    period: wire.Period | None


@dataclass(frozen=True, slots=True)
class SensorQuery:
    """The values of a sensor; no period: the latest."""

    sensor: Sensor
    period: wire.Period | None


def parse_meter_data(visit: Visit, asked: Asked) -> MeterSeriesQuery:
    """Read a request for /meter_data."""
    request = wire.parse_meter_data_request(asked.body, int(visit.now))
    meter = open_meter(visit, asked.path["meter_id"])
    period = request.period
    window = quarters_by_stamp(period.start_at, period.end_at, visit.site, visit.now)
    return MeterSeriesQuery(meter, window, request.sampling_frequency)


def is_quick_meter_data(visit: Visit, query: MeterSeriesQuery) -> bool:
    """Whether the window is short and settled."""
    quick = query.window.length <= QUICK_VALUES
    return quick and is_settled(visit, query.meter.medium.group, query.window)


def answer_meter_data(visit: Visit, query: MeterSeriesQuery) -> bytes:
    """Answer /meter_data."""
    window = query.window
    if not window.length:
        return NOTHING
    series = read_meter_series(
        visit.snapshot,
        visit.catalogue,
        query.meter,
        window.first,
        window.end,
        is_settled=is_settled(visit, query.meter.medium.group, window),
    )
    return meter_rows(series, visit.site.timezone, query.frequency)


def parse_site_data(visit: Visit, asked: Asked) -> SiteSeriesQuery:
    """Read a request for /site_data."""
    medium = Medium(wire.parse_meter_type(asked.path["meter_type"]).value)
    request = wire.parse_site_data_request(asked.body, int(visit.now))
    period = request.period
    window = quarters_by_stamp(period.start_at, period.end_at, visit.site, visit.now)
    return SiteSeriesQuery(medium, window, request.sampling_frequency, request.meters)


def is_quick_site_data(visit: Visit, query: SiteSeriesQuery) -> bool:
    """Whether the window is short, also with the columns of the meters, and settled."""
    group = query.medium.group
    columns = _SITE_COLUMNS
    if query.with_meters:
        columns += 3 * len(visit.catalogue.meters_of(group))
    quick = query.window.length * columns <= QUICK_VALUES * _SITE_COLUMNS
    return quick and is_settled(visit, group, query.window)


def answer_site_data(visit: Visit, query: SiteSeriesQuery) -> bytes:
    """Answer /site_data; a known type that the site lacks has no rows."""
    window = query.window
    if not window.length:
        return NOTHING
    series = read_site_series(
        visit.snapshot,
        visit.catalogue,
        query.medium,
        window.first,
        window.end,
        with_meters=query.with_meters,
    )
    if series is None:
        return NOTHING
    closed = visit.site.closed_meters
    return site_rows(series, query.medium, visit.site.timezone, query.frequency, closed)


def parse_raw(visit: Visit, asked: Asked) -> RawQuery:
    """Read a request for /meter_data_raw. Raises RuleMeterHasNoReadings last of all."""
    period = wire.parse_raw_request(asked.body, int(visit.now))
    meter = open_meter(visit, asked.path["meter_id"])
    if meter.is_rule_meter:
        raise RuleMeterHasNoReadings(f"meter {meter.id} is computed by a rule")
    return RawQuery(meter, period)


def answer_raw(visit: Visit, query: RawQuery) -> bytes:
    """Answer /meter_data_raw: the registers that each reading has, and its local time."""
    seen = _seen(visit, query.period)
    if seen is None:
        return NOTHING
    raw = read_raw(visit.snapshot, visit.catalogue, query.meter, *seen)
    if _is_hidden(visit, raw.stamps):
        return NOTHING
    columns = [
        Column(register.value, column, decimals=6, present=column != NO_VALUE)
        for register, column in raw.values.items()
    ]
    return render_rows(columns, raw.stamps, utc_offsets(visit.site.timezone, raw.stamps))


def parse_sensor_data(visit: Visit, asked: Asked) -> SensorQuery:
    """Read a request for /sensor_data."""
    period = wire.parse_sensor_query(dict(asked.query), int(visit.now))
    sensor = visit.catalogue.sensor_by_id.get(asked.path["sensor_id"])
    if sensor is None:
        raise UnknownSensor(asked.path["sensor_id"])
    return SensorQuery(sensor, period)


def answer_sensor_data(visit: Visit, query: SensorQuery) -> bytes:
    """Answer /sensor_data: whole Unix seconds and values as they came."""
    seen = _seen(visit, query.period)
    if seen is None:
        return NOTHING
    series = read_sensor(visit.snapshot, visit.site.number, query.sensor.number, *seen)
    if _is_hidden(visit, series.stamps):
        return NOTHING
    return render_sensor_rows(series.stamps, series.values)


def _seen(visit: Visit, period: wire.Period | None) -> tuple[int | None, int] | None:
    """The instants to read; without a start for the latest, None for nothing at all.

    A stamp far ahead is a wrong clock, and would else be the latest for ever.
    """
    if period is None:
        return None, int(visit.now) + AHEAD_S
    return instants_seen(period.start_at, period.end_at, visit.site)


def _is_hidden(visit: Visit, stamps_at: NDArray[np.int64]) -> bool:
    """Whether the latest value is older than what the account may see."""
    return bool(len(stamps_at)) and not is_seen(int(stamps_at[0]), visit.site)
