"""Hours, days, months and years of a zone, and the cutting of long windows at month ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from commonwatt.climkit_v1.words import SamplingFrequency

QUARTER_S = 900
HOUR_S = 3600
DAY_S = 86_400

Window = tuple[int, int]
"""The instants [start, end) in Unix seconds."""


def period_end(start_at: int, zone: ZoneInfo, sampling: SamplingFrequency) -> int:
    """Return the end of the period that an instant lies in.

    Hours break at each full hour of the zone's clock and at each change of its offset; days,
    months and years are those of its calendar.

    >>> zurich = ZoneInfo("Europe/Zurich")
    >>> start_at = 1_792_879_200  # 2026-10-25 00:00+02:00: the clock goes back
    >>> period_end(start_at, zurich, SamplingFrequency.DAY) - start_at
    90000
    """
    match sampling:
        case SamplingFrequency.QUARTER_HOUR:
            return (start_at // QUARTER_S + 1) * QUARTER_S
        case SamplingFrequency.HOUR:
            return _hour_end(start_at, zone)
    wall = datetime.fromtimestamp(start_at, zone).replace(hour=0, minute=0, second=0, fold=0)
    end_at = start_at
    while end_at <= start_at:  # a zone may have left a day out
        wall = _next(wall, sampling)
        end_at = int(wall.timestamp())
    return end_at


def period_start(instant_at: int, zone: ZoneInfo, sampling: SamplingFrequency) -> int:
    """Return the first instant of the period that an instant lies in.

    >>> period_start(1_774_153_800, ZoneInfo("UTC"), SamplingFrequency.YEAR)
    1767225600
    """
    if sampling is SamplingFrequency.QUARTER_HOUR:
        return instant_at // QUARTER_S * QUARTER_S
    if sampling is SamplingFrequency.HOUR:
        start_at = instant_at - HOUR_S
    else:
        wall = datetime.fromtimestamp(instant_at, zone).replace(
            hour=0, minute=0, second=0, microsecond=0, fold=0
        )
        if sampling is not SamplingFrequency.DAY:
            wall = wall.replace(day=1)
        if sampling is SamplingFrequency.YEAR:
            wall = wall.replace(month=1)
        start_at = int(wall.timestamp())
    while (end_at := period_end(start_at, zone, sampling)) <= instant_at:
        start_at = end_at
    return start_at


def period_starts(window: Window, zone: ZoneInfo, sampling: SamplingFrequency) -> Iterator[int]:
    """Yield the first instants of the periods that begin in a window."""
    start_at, end_at = window
    if start_at < end_at:
        start_at = period_start(start_at, zone, sampling)
    if start_at < window[0]:
        start_at = period_end(start_at, zone, sampling)
    while start_at < end_at:
        yield start_at
        start_at = period_end(start_at, zone, sampling)


def parts(window: Window, zone: ZoneInfo, sampling: SamplingFrequency | None) -> list[Window]:
    """Return a window cut at local month ends; days at year ends; months and years not at all.

    >>> march_to_may = (1_772_000_000, 1_778_000_000)
    >>> for part in parts(march_to_may, ZoneInfo("Europe/Zurich"), None):
    ...     print(part)
    (1772000000, 1772319600)
    (1772319600, 1774994400)
    (1774994400, 1777586400)
    (1777586400, 1778000000)
    """
    if sampling in {SamplingFrequency.MONTH, SamplingFrequency.YEAR}:
        return [window]
    unit = SamplingFrequency.MONTH
    if sampling is SamplingFrequency.DAY:
        unit = SamplingFrequency.YEAR
    start_at, end_at = window
    found: list[Window] = []
    while start_at < end_at:
        part_end_at = min(period_end(start_at, zone, unit), end_at)
        found.append((start_at, part_end_at))
        start_at = part_end_at
    return found


def _next(wall: datetime, sampling: SamplingFrequency) -> datetime:
    if sampling is SamplingFrequency.DAY:
        return wall + timedelta(days=1)
    if sampling is SamplingFrequency.YEAR:
        return wall.replace(year=wall.year + 1, month=1, day=1)
    return (wall.replace(day=1) + timedelta(days=32)).replace(day=1)


def _hour_end(start_at: int, zone: ZoneInfo) -> int:
    offset_s = utc_offset(start_at, zone)
    end_at = start_at + HOUR_S - (start_at + offset_s) % HOUR_S
    if utc_offset(end_at - 1, zone) == offset_s:
        return end_at
    before_at = start_at
    while end_at - before_at > 1:  # the change of the offset lies between them
        middle_at = (before_at + end_at) // 2
        if utc_offset(middle_at, zone) == offset_s:
            before_at = middle_at
        else:
            end_at = middle_at
    return end_at


def utc_offset(instant_at: int, zone: ZoneInfo) -> int:
    """Return the zone's offset at an instant [seconds east of UTC]."""
    offset = datetime.fromtimestamp(instant_at, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
