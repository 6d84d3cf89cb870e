"""Dates as people write them, which begin when a site's own clock says so."""

import re
from datetime import UTC, date, datetime

from commonwatt.domain.metering.zones import local_midnight
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.stamps.instants import parse_instant
from commonwatt.formats.stamps.wall_clock import NoSingleInstant, instant_of_wall_time

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_date(text: str) -> date:
    """Return the date that a text such as 2026-01-31 writes. Raises `BadValue`."""
    if _DATE.fullmatch(text) is None:
        raise BadValue(f"must be a date such as 2026-01-31, not {shown(text)}")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"{text} does not exist ({error})") from error


def parse_data_day(text: str) -> date:
    """Return a date that metering data may be of. Raises `BadValue`."""
    day = parse_date(text)
    if not 1900 <= day.year <= 2200:
        raise BadValue(f"{text} is outside the years 1900 to 2200")
    return day


def local_instant(text: str, zone: str) -> int:
    """Return an instant [Unix seconds] as somebody at the site writes it.

    A date is its first instant in the zone; a time without ``Z`` or an offset is one on the zone's
    clock. Raises `BadValue`, also for a time that the clock shows twice or never.

    >>> local_instant("2026-01-01", "Europe/Zurich")
    1767222000
    >>> local_instant("2026-01-01T00:00", "Europe/Zurich")
    1767222000
    """
    if _DATE.fullmatch(text) is not None:
        return local_midnight(zone, parse_data_day(text))
    seconds, _, naive = parse_instant(text)
    if not naive:
        return seconds
    wall = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    try:
        return instant_of_wall_time(wall, zone)
    except NoSingleInstant as error:
        raise BadValue(str(error)) from error
