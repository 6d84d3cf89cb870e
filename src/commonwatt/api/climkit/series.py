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
from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
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


def parse_meter_data(context: RequestContext, sent: RequestData) -> MeterSeriesQuery:
    """Read a request for /meter_data."""
    request = wire.parse_meter_data_request(sent.body, int(context.now))
    meter = open_meter(context, sent.path["meter_id"])
    period = request.period
    window = quarters_by_stamp(period.start_at, period.end_at, context.site, context.now)
    return MeterSeriesQuery(meter, window, request.sampling_frequency)


def is_quick_meter_data(context: RequestContext, query: MeterSeriesQuery) -> bool:
    """Whether the window is short and settled."""
    quick = query.window.length <= QUICK_VALUES
    return quick and is_settled(context, query.meter.medium.group, query.window)


def answer_meter_data(context: RequestContext, query: MeterSeriesQuery) -> bytes | Streamed:
    """Answer /meter_data."""
    window, group, zone = query.window, query.meter.medium.group, context.site.timezone
    if not window.length:
        return NOTHING
    settled = is_settled(context, group, window)
    if window.length <= QUICK_VALUES:
        return render(_meter_rows(context, query, window, settled), zone, query.frequency)
    window = known_part(context, group, window)
    require_answerable(window, _METER_COLUMNS, "t_s")
    parts = list(steps(window, _METER_COLUMNS, settled))
    if len(parts) == 1 and query.frequency is not SamplingFrequency.QUARTER_HOUR:
        # Few rows; of many the first are sent while the others are still being written.
        return render(_meter_rows(context, query, window, settled), zone, query.frequency)
    runs = (_meter_rows(context, query, step, settled) for step in parts)
    return Streamed(joined_rows(runs, zone, query.frequency))


def _meter_rows(
    context: RequestContext, query: MeterSeriesQuery, window: QuarterWindow, settled: bool
) -> PeriodRows:
    run = window.first, window.end
    series = read_meter_series(
        context.snapshot, context.catalogue, query.meter, *run, is_settled=settled
    )
    return meter_rows(series, context.site.timezone, query.frequency)


def parse_site_data(context: RequestContext, sent: RequestData) -> SiteSeriesQuery:
    """Read a request for /site_data."""
    medium = Medium(wire.parse_meter_type(sent.path["meter_type"]).value)
    request = wire.parse_site_data_request(sent.body, int(context.now))
    require_totals(context.site, context.catalogue, medium)
    period = request.period
    window = quarters_by_stamp(period.start_at, period.end_at, context.site, context.now)
    with_meters = request.meters or context.access.reads_as_in_2022
    return SiteSeriesQuery(medium, window, request.sampling_frequency, with_meters)


def is_quick_site_data(context: RequestContext, query: SiteSeriesQuery) -> bool:
    """Whether the window is short, also with the columns of the meters, and settled."""
    quick = not _is_long_site_data(context, query)
    return quick and is_settled(context, query.medium.group, query.window)


def _is_long_site_data(context: RequestContext, query: SiteSeriesQuery) -> bool:
    return query.window.length * _site_columns(context, query) > QUICK_VALUES * _SITE_COLUMNS


def _site_columns(context: RequestContext, query: SiteSeriesQuery) -> int:
    if not query.with_meters:
        return _SITE_COLUMNS
    return _SITE_COLUMNS + _METER_COLUMNS * len(context.catalogue.meters_of(query.medium.group))


def answer_site_data(context: RequestContext, query: SiteSeriesQuery) -> bytes | Streamed:
    """Answer /site_data; a known type that the site lacks has no rows."""
    window, group, zone = query.window, query.medium.group, context.site.timezone
    if not window.length:
        return NOTHING
    settled = is_settled(context, group, window)
    if not _is_long_site_data(context, query):
        return render(_site_rows(context, query, window, settled), zone, query.frequency)
    columns = _site_columns(context, query)
    window = known_part(context, group, window)
    require_answerable(window, columns, "t_s")
    runs = (_site_rows(context, query, step, settled) for step in steps(window, columns, settled))
    return Streamed(joined_rows(runs, zone, query.frequency))


def _site_rows(
    context: RequestContext, query: SiteSeriesQuery, window: QuarterWindow, settled: bool
) -> PeriodRows:
    run = window.first, window.end
    series = read_site_series(
        *(context.snapshot, context.catalogue, query.medium, *run),
        is_settled=settled,
        with_meters=query.with_meters,
    )
    if series is None:
        return NO_ROWS
    return site_rows(series, query.medium, context.site, query.frequency)


def parse_raw(context: RequestContext, sent: RequestData) -> RawQuery:
    """Read a request for /meter_data_raw. Raises RuleMeterHasNoReadings last of all."""
    period = wire.parse_raw_request(sent.body, int(context.now))
    meter = open_meter(context, sent.path["meter_id"])
    if meter.is_rule_meter:
        raise RuleMeterHasNoReadings(f"meter {meter.id} is computed by a rule")
    return RawQuery(meter, period)


def answer_raw(context: RequestContext, query: RawQuery) -> bytes | Streamed:
    """Answer /meter_data_raw: the registers that each reading has, and its local time."""
    seen = _seen(context, query.period)
    if seen is None:
        return NOTHING
    start_at, end_at = seen
    if start_at is None or not is_long_period(start_at, end_at):
        return _raw_rows(context, query, start_at, end_at)
    days_after = partial(
        context.snapshot.readings.days_after, context.site.number, query.meter.number
    )
    spans = spans_with_readings(days_after, start_at, end_at)
    return Streamed(as_array(rows_of(_raw_rows(context, query, *span)) for span in spans))


def _raw_rows(context: RequestContext, query: RawQuery, start_at: int | None, end_at: int) -> bytes:
    raw = read_raw(context.snapshot, context.catalogue, query.meter, start_at, end_at)
    if _is_hidden(context, raw.stamps):
        return NOTHING
    columns = [
        Column(register.value, column, decimals=6, present=column != NO_VALUE)
        for register, column in raw.values.items()
    ]
    return render_rows(columns, raw.stamps, utc_offsets(context.site.timezone, raw.stamps))


def parse_sensor_data(context: RequestContext, sent: RequestData) -> SensorQuery:
    """Read a request for /sensor_data."""
    period = wire.parse_sensor_query(dict(sent.query), int(context.now))
    sensor = context.catalogue.sensor_by_id.get(sent.path["sensor_id"])
    if sensor is None:
        raise UnknownSensor(sent.path["sensor_id"])
    return SensorQuery(sensor, period)


def answer_sensor_data(context: RequestContext, query: SensorQuery) -> bytes | Streamed:
    """Answer /sensor_data: whole Unix seconds and values as they came."""
    seen = _seen(context, query.period)
    if seen is None:
        return NOTHING
    start_at, end_at = seen
    if start_at is None or not is_long_period(start_at, end_at):
        return _sensor_rows(context, query, start_at, end_at)
    days_after = partial(
        context.snapshot.sensors.days_after, context.site.number, query.sensor.number
    )
    spans = spans_with_readings(days_after, start_at, end_at)
    return Streamed(as_array(rows_of(_sensor_rows(context, query, *span)) for span in spans))


def _sensor_rows(
    context: RequestContext, query: SensorQuery, start_at: int | None, end_at: int
) -> bytes:
    site, sensor = context.site.number, query.sensor.number
    series = read_sensor(context.snapshot, site, sensor, start_at, end_at)
    if _is_hidden(context, series.stamps):
        return NOTHING
    return render_sensor_rows(series.stamps, series.values)


def _seen(context: RequestContext, period: wire.Period | None) -> tuple[int | None, int] | None:
    """The instants to read; without a start for the latest, None for nothing at all.

    A stamp far ahead is a wrong clock, and would else be the latest for ever.
    """
    if period is None:
        return None, int(context.now) + AHEAD_S
    return instants_seen(period.start_at, period.end_at, context.site)


def _is_hidden(context: RequestContext, stamps_at: NDArray[np.int64]) -> bool:
    """Whether the latest value is older than what the account may see."""
    return bool(len(stamps_at)) and not is_seen(int(stamps_at[0]), context.site)
