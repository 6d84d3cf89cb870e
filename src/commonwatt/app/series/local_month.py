"""Months of a site's own calendar as spans of instants."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from commonwatt.domain.metering.zones import local_midnight

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class BadMonth(ValueError):
    """A text that names no month; it is written as 2026-03."""


def local_month(zone: str, text: str) -> tuple[int, int]:
    """Return the instants [start, end) [Unix seconds] of a month, ``YYYY-MM``. Raises BadMonth.

    >>> local_month("Europe/Zurich", "2026-03")
    (1772319600, 1774994400)
    """
    match = _MONTH.fullmatch(text)
    if match is None or not dt.MINYEAR < int(match[1]) < dt.MAXYEAR:
        raise BadMonth(f"{text[:40]!r} is no month; write it as 2026-03")
    return _month_of(zone, dt.date(int(match[1]), int(match[2]), 1))


def month_before(zone: str, instant_at: int) -> tuple[int, int]:
    """Return the instants [start, end) of the last month that is over at an instant."""
    today = dt.datetime.fromtimestamp(instant_at, dt.UTC).date()
    # The local date is a day off at most.
    for days in (1, 0, -1):
        first = (today + dt.timedelta(days)).replace(day=1)
        start_at = local_midnight(zone, first)
        if start_at <= instant_at:
            return _month_of(zone, (first - dt.timedelta(1)).replace(day=1))
    raise AssertionError("a local date is at most a day from that of UTC")


def months_within(zone: str, start_at: int, end_at: int) -> list[tuple[int, int]]:
    """Cut [start, end) [Unix seconds] where months of the zone begin.

    >>> months_within("UTC", 1_767_139_200, 1_767_312_000)  # 31 December to 2 January
    [(1767139200, 1767225600), (1767225600, 1767312000)]
    """
    parts: list[tuple[int, int]] = []
    while start_at < end_at:
        first = dt.datetime.fromtimestamp(start_at, ZoneInfo(zone)).date().replace(day=1)
        until_at = min(_month_of(zone, first)[1], end_at)
        parts.append((start_at, until_at))
        start_at = until_at
    return parts


def _month_of(zone: str, first: dt.date) -> tuple[int, int]:
    following = (first + dt.timedelta(31)).replace(day=1)
    return local_midnight(zone, first), local_midnight(zone, following)
