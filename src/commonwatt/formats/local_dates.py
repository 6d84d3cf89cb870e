"""Dates as people write them, which begin when a site's own clock says so."""

import re
from datetime import date

from commonwatt.domain.zones import local_midnight
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.instants import parse_instant

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


def instant_or_local_date(text: str, zone: str) -> int:
    """Return an instant [Unix seconds]: a date is its first one in the zone, naive stamps are UTC.

    Raises `BadValue`.

    >>> instant_or_local_date("2026-01-01", "Europe/Zurich")
    1767222000
    """
    if _DATE.fullmatch(text) is not None:
        return local_midnight(zone, parse_data_day(text))
    seconds, _, _ = parse_instant(text)
    return seconds
