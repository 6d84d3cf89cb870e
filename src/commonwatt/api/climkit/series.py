"""What a Climkit client asks about a site's series: parse, one use case, render."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from commonwatt.api.climkit.columns import meter_rows, site_rows
from commonwatt.api.climkit.joined_rows import (
    NO_ROWS,
    NOTHING,
    PeriodRows,
    as_array,
    joined_rows,
    render,
    rows_of,
)
from commonwatt.api.endpoint.endpoint import Asked, Visit
from commonwatt.api.endpoint.long_answers import (
    is_long_period,
    known_part,
    require_answerable,
    spans_with_readings,
    steps,
)
from commonwatt.api.endpoint.meters import QUICK_VALUES, is_settled, open_meter
from commonwatt.api.endpoint.windows import QuarterWindow, instants_seen, is_seen, quarters_by_stamp
from commonwatt.api.http.json_answers import Streamed
from commonwatt.api.http.problems import UnknownSensor
from commonwatt.app.accounts.authorize import require_totals
from commonwatt.app.readings.sensors import read_sensor
from commonwatt.app.series.raw import RuleMeterHasNoReadings, read_raw
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.climkit_v1 import requests as wire
from commonwatt.climkit_v1.series_json import Column, render_rows, render_sensor_rows
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.metering.catalogue import Medium, Meter, Sensor
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.readings import NO_VALUE
from commonwatt.domain.metering.zones import utc_offsets

_SITE_COLUMNS = 9
_METER_COLUMNS = 3


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


def answer_meter_data(visit: Visit, query: MeterSeriesQuery) -> bytes | Streamed:
    """Answer /meter_data."""
    window, group, zone = query.window, query.meter.medium.group, visit.site.timezone
    if not window.length:
        return NOTHING
    settled = is_settled(visit, group, window)
    if window.length <= QUICK_VALUES:
        return render(_meter_rows(visit, query, window, settled), zone, query.frequency)
    window = known_part(visit, group, window)
    require_answerable(window, _METER_COLUMNS, "t_s")
    parts = list(steps(window, _METER_COLUMNS, settled))
    if len(parts) == 1 and query.frequency is not SamplingFrequency.QUARTER_HOUR:
        # Few rows; of many the first are sent while the others are still being written.
        return render(_meter_rows(visit, query, window, settled), zone, query.frequency)
    runs = (_meter_rows(visit, query, step, settled) for step in parts)
    return Streamed(joined_rows(runs, zone, query.frequency))


def _meter_rows(
    visit: Visit, query: MeterSeriesQuery, window: QuarterWindow, settled: bool
) -> PeriodRows:
    run = window.first, window.end
    series = read_meter_series(
        visit.snapshot, visit.catalogue, query.meter, *run, is_settled=settled
    )
    return meter_rows(series, visit.site.timezone, query.frequency)


def parse_site_data(visit: Visit, asked: Asked) -> SiteSeriesQuery:
    """Read a request for /site_data."""
    medium = Medium(wire.parse_meter_type(asked.path["meter_type"]).value)
    request = wire.parse_site_data_request(asked.body, int(visit.now))
    require_totals(visit.site, visit.catalogue, medium)
    period = request.period
    window = quarters_by_stamp(period.start_at, period.end_at, visit.site, visit.now)
    with_meters = request.meters or visit.access.reads_as_in_2022
    return SiteSeriesQuery(medium, window, request.sampling_frequency, with_meters)


def is_quick_site_data(visit: Visit, query: SiteSeriesQuery) -> bool:
    """Whether the window is short, also with the columns of the meters, and settled."""
    quick = not _is_long_site_data(visit, query)
    return quick and is_settled(visit, query.medium.group, query.window)


def _is_long_site_data(visit: Visit, query: SiteSeriesQuery) -> bool:
    return query.window.length * _site_columns(visit, query) > QUICK_VALUES * _SITE_COLUMNS


def _site_columns(visit: Visit, query: SiteSeriesQuery) -> int:
    if not query.with_meters:
        return _SITE_COLUMNS
    return _SITE_COLUMNS + _METER_COLUMNS * len(visit.catalogue.meters_of(query.medium.group))


def answer_site_data(visit: Visit, query: SiteSeriesQuery) -> bytes | Streamed:
    """Answer /site_data; a known type that the site lacks has no rows."""
    window, group, zone = query.window, query.medium.group, visit.site.timezone
    if not window.length:
        return NOTHING
    settled = is_settled(visit, group, window)
    if not _is_long_site_data(visit, query):
        return render(_site_rows(visit, query, window, settled), zone, query.frequency)
    columns = _site_columns(visit, query)
    window = known_part(visit, group, window)
    require_answerable(window, columns, "t_s")
    runs = (_site_rows(visit, query, step, settled) for step in steps(window, columns, settled))
    return Streamed(joined_rows(runs, zone, query.frequency))


def _site_rows(
    visit: Visit, query: SiteSeriesQuery, window: QuarterWindow, settled: bool
) -> PeriodRows:
    run = window.first, window.end
    series = read_site_series(
        *(visit.snapshot, visit.catalogue, query.medium, *run),
        is_settled=settled,
        with_meters=query.with_meters,
    )
    if series is None:
        return NO_ROWS
    return site_rows(series, query.medium, visit.site, query.frequency)


def parse_raw(visit: Visit, asked: Asked) -> RawQuery:
    """Read a request for /meter_data_raw. Raises RuleMeterHasNoReadings last of all."""
    period = wire.parse_raw_request(asked.body, int(visit.now))
    meter = open_meter(visit, asked.path["meter_id"])
    if meter.is_rule_meter:
        raise RuleMeterHasNoReadings(f"meter {meter.id} is computed by a rule")
    return RawQuery(meter, period)


def answer_raw(visit: Visit, query: RawQuery) -> bytes | Streamed:
    """Answer /meter_data_raw: the registers that each reading has, and its local time."""
    seen = _seen(visit, query.period)
    if seen is None:
        return NOTHING
    start_at, end_at = seen
    if start_at is None or not is_long_period(start_at, end_at):
        return _raw_rows(visit, query, start_at, end_at)
    days_after = partial(visit.snapshot.readings.days_after, visit.site.number, query.meter.number)
    spans = spans_with_readings(days_after, start_at, end_at)
    return Streamed(as_array(rows_of(_raw_rows(visit, query, *span)) for span in spans))


def _raw_rows(visit: Visit, query: RawQuery, start_at: int | None, end_at: int) -> bytes:
    raw = read_raw(visit.snapshot, visit.catalogue, query.meter, start_at, end_at)
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


def answer_sensor_data(visit: Visit, query: SensorQuery) -> bytes | Streamed:
    """Answer /sensor_data: whole Unix seconds and values as they came."""
    seen = _seen(visit, query.period)
    if seen is None:
        return NOTHING
    start_at, end_at = seen
    if start_at is None or not is_long_period(start_at, end_at):
        return _sensor_rows(visit, query, start_at, end_at)
    days_after = partial(visit.snapshot.sensors.days_after, visit.site.number, query.sensor.number)
    spans = spans_with_readings(days_after, start_at, end_at)
    return Streamed(as_array(rows_of(_sensor_rows(visit, query, *span)) for span in spans))


def _sensor_rows(visit: Visit, query: SensorQuery, start_at: int | None, end_at: int) -> bytes:
    site, sensor = visit.site.number, query.sensor.number
    series = read_sensor(visit.snapshot, site, sensor, start_at, end_at)
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
