"""Hours, days, months and years of a site's local time, as instants."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_S = 86_400
MARGIN_S = 15 * 3600
"""A server that reads naive times as local ones is at most so far off, in any zone."""


def local_date(instant_at: int, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return datetime.fromtimestamp(instant_at, zone).date()


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day that exists.

    >>> day_start(date(2026, 3, 29), ZoneInfo("Europe/Zurich"))
    1774738800
    """
    return int(datetime.combine(day, time.min, tzinfo=zone).timestamp())


def utc_offset(instant_at: int, zone: ZoneInfo) -> int:
    """Local time minus UTC at an instant [s]."""
    offset = datetime.fromtimestamp(instant_at, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def is_switch_day(day: date, zone: ZoneInfo) -> bool:
    """Whether a local day is longer or shorter than 24 hours."""
    return day_start(day + timedelta(days=1), zone) - day_start(day, zone) != DAY_S


def switch_at(day: date, zone: ZoneInfo) -> int:
    """The instant of a switch day at which the offset changes.

    >>> switch_at(date(2026, 3, 29), ZoneInfo("Europe/Zurich"))
    1774746000
    """
    low, high = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    before = utc_offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if utc_offset(middle, zone) == before else (low, middle)
    return high


def period_of(instant_at: int, frequency: str, zone: ZoneInfo) -> tuple[int, int]:
    """The local hour, day, month or year that an instant lies in: [start, end)."""
    if frequency == "H":
        local = datetime.fromtimestamp(instant_at, zone)
        start_at = instant_at - local.minute * 60 - local.second
        return start_at, start_at + 3600
    first, following = calendar_period(local_date(instant_at, zone), frequency)
    return day_start(first, zone), day_start(following, zone)


def calendar_period(day: date, frequency: str) -> tuple[date, date]:
    """The day, month or year of a date, and the first day after it.

    >>> calendar_period(date(2026, 12, 5), "M")
    (datetime.date(2026, 12, 1), datetime.date(2027, 1, 1))
    """
    if frequency == "D":
        return day, day + timedelta(days=1)
    if frequency == "M":
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


def naive_utc(instant_at: int) -> str:
    """An instant as the page wants it: ISO, without a zone, in UTC.

    >>> naive_utc(0)
    '1970-01-01T00:00:00'
    """
    return datetime.fromtimestamp(instant_at, UTC).replace(tzinfo=None).isoformat()


def local_text(instant_at: int, zone: ZoneInfo) -> str:
    """An instant in a site's zone, for people."""
    return datetime.fromtimestamp(instant_at, zone).isoformat(" ")
