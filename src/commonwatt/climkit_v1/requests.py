"""Requests of the API, from bodies and queries to whole Unix seconds.

What the published clients send is understood: no body, `null`, a date alone, `T` or a blank, no
zone (UTC), an offset or Z, and MongoDB's `{"$date": milliseconds}`. Unknown keys are ignored.
Everything else is a BadRequestField. The clock is passed in as `now_at`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

import orjson

from commonwatt.climkit_v1.words import MeterType, SamplingFrequency

DAY_S = 86_400

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?:Z|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):?(?P<offset_minute>[0-9]{2}))?)?",
    re.IGNORECASE,
)
_TIME_RULE = (
    "must be a time such as 2026-03-22T05:30:00 (UTC), with Z or an offset such as +01:00, "
    "or a date such as 2026-03-22"
)
_FIRST_AT = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_END_AT = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) + DAY_S


class BadRequestField(ValueError):
    """A field of a request cannot be understood; the message says what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Period:
    """What was asked for, `t_s` to `t_e`: start_at <= end_at [Unix seconds].

    Which bound belongs to it depends on the rows: quarter-hours are chosen by their stamp, the end,
    with start_at < stamp <= end_at; raw readings and sensors with start_at <= stamp <= end_at.
    """

    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """The body of a request for validated series.

    `meters`: whether the rows of a site are to have the columns of its meters.
    """

    period: Period
    sampling_frequency: SamplingFrequency
    meters: bool = False


def parse_meter_type(word: str) -> MeterType:
    """Return the meter type of a path.

    >>> parse_meter_type("electricty")
    Traceback (most recent call last):
    commonwatt.climkit_v1.requests.BadRequestField: meter_type must be one of electricity, \
heating, cooling, cold_water, hot_water, charge_point
    """
    try:
        return MeterType(word)
    except ValueError:
        raise BadRequestField("meter_type", f"must be one of {', '.join(MeterType)}") from None


def parse_meter_data_request(body: bytes, now_at: int) -> SeriesRequest:
    """Return what a body asks of a meter's series; without t_s the 24 hours before t_e.

    >>> parse_meter_data_request(b'{"t_s": "1970-01-01", "t_e": null}', now_at=900)
    SeriesRequest(period=Period(start_at=0, end_at=900), \
sampling_frequency=<SamplingFrequency.QUARTER_HOUR: '15T'>, meters=False)
    """
    fields = _object(body)
    return SeriesRequest(_default_period(fields, now_at), _sampling_frequency(fields))


def parse_site_data_request(body: bytes, now_at: int) -> SeriesRequest:
    """Return what a body asks of a site's series; it may ask for the columns of its meters too."""
    fields = _object(body)
    meters = fields.get("meters")
    if meters is not None and not isinstance(meters, bool):
        raise BadRequestField("meters", "must be true or false")
    return SeriesRequest(
        _default_period(fields, now_at), _sampling_frequency(fields), meters=bool(meters)
    )


def parse_raw_request(body: bytes, now_at: int) -> Period | None:
    """Return the period that a body asks of a meter's readings; None: the latest reading."""
    return _period(_object(body), now_at)


def parse_sensor_query(query: Mapping[str, str], now_at: int) -> Period | None:
    """Return the period that a query asks of a sensor; None: the latest value.

    A parameter without a value counts as absent.
    """
    return _period({name: text for name, text in query.items() if text}, now_at)


def parse_time(field: str, value: object) -> int:
    """Return a time of a request as Unix seconds, its fraction of a second cut.

    >>> parse_time("t_s", "2026-03-22 05:30:00.9"), parse_time("t_s", "2026-03-22T05:30:00+01:00")
    (1774157400, 1774153800)
    >>> parse_time("t_s", {"$date": 1774157400123})
    1774157400
    """
    if isinstance(value, Mapping):
        return _from_milliseconds(field, value.get("$date"))
    if not isinstance(value, str):
        raise BadRequestField(field, _TIME_RULE)
    match = _TIME.fullmatch(value)
    if match is None:
        hint = "; in a query + is written %2B" if re.search(r":\S* [0-9]{2}:", value) else ""
        raise BadRequestField(field, _TIME_RULE + hint)
    try:
        instant_at = _instant(match)
    except ValueError as error:
        raise BadRequestField(field, f"{_TIME_RULE}; {value} does not exist: {error}") from None
    return _within_calendar(field, instant_at)


def _instant(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(match[group] or 0) for group in range(1, 7))
    wall = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    east_s = 0
    if match["sign"]:
        offset = time(int(match["offset_hour"]), int(match["offset_minute"]))
        east_s = (offset.hour * 60 + offset.minute) * (-60 if match["sign"] == "-" else 60)
    return int(wall.timestamp()) - east_s


def _from_milliseconds(field: str, milliseconds: object) -> int:
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        raise BadRequestField(field, f'{_TIME_RULE}, or {{"$date": milliseconds since 1970}}')
    return _within_calendar(field, milliseconds // 1000)


def _within_calendar(field: str, instant_at: int) -> int:
    if not _FIRST_AT <= instant_at < _END_AT:
        raise BadRequestField(field, f"{_TIME_RULE}; it must lie in the years 1 to 9999 UTC")
    return instant_at


def _period(fields: Mapping[str, object], now_at: int) -> Period | None:
    """Return the period of t_s and t_e; None if neither is given."""
    t_s, t_e = fields.get("t_s"), fields.get("t_e")
    if t_s is None and t_e is None:
        return None
    start_at = None if t_s is None else parse_time("t_s", t_s)
    if t_e is not None:
        end_at = parse_time("t_e", t_e)
    else:
        # A period that begins in the future is empty, not wrong.
        end_at = now_at if start_at is None else max(now_at, start_at)
    if start_at is None:
        start_at = max(end_at - DAY_S, _FIRST_AT)
    if start_at > end_at:
        raise BadRequestField("t_s", "must not be after t_e")
    return Period(start_at, end_at)


def _default_period(fields: Mapping[str, object], now_at: int) -> Period:
    return _period(fields, now_at) or Period(now_at - DAY_S, now_at)


def _sampling_frequency(fields: Mapping[str, object]) -> SamplingFrequency:
    word = fields.get("sampling_frequency")
    if word is None:
        return SamplingFrequency.QUARTER_HOUR
    if not isinstance(word, str) or word not in set(SamplingFrequency):
        allowed = ", ".join(SamplingFrequency)
        raise BadRequestField("sampling_frequency", f"must be one of {allowed}")
    return SamplingFrequency(word)


def _object(body: bytes) -> dict[str, object]:
    if not body.strip():
        return {}
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestField("body", f"must be a JSON object: {error}") from None
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise BadRequestField("body", 'must be a JSON object such as {"t_s": "2026-03-22"}')
    return fields
