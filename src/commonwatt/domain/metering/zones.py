"""UTC offsets of an IANA zone as arrays, and its local midnights.

Asking `zoneinfo` for every row of a year takes tens of milliseconds. A zone changes its offset a
few times a year at most, so these changes are found once per zone and year and kept; everything
else is arithmetic on arrays. Only the total offset counts: half hours, negative daylight saving
and days that a country left out need no case of their own.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import DAY_S

# Two changes of a zone since 1970 are never closer than 6.9 days (Brazil, October 2000).
_PROBE_S = DAY_S
# Files beside the zones: copies with leap seconds, and this machine's own choice.
_NO_ZONES = frozenset({"right", "posix", "posixrules", "localtime"})
# One reading of a clock gone wrong must not cost the changes of all years up to it.
_LONGEST_TABLE_S = 50 * 366 * DAY_S
# Leaves room for any offset within what datetime can hold.
_FIRST_YEAR, _LAST_YEAR = 2, 9998
_EPOCH = date(1970, 1, 1)


class UnknownTimezone(ValueError):
    """No IANA zone has this name; the message offers close ones."""


class InstantOutOfRange(ValueError):
    """An instant before the year 2 or after the year 9998, where local times cannot be told."""


@dataclass(frozen=True, slots=True)
class OffsetChanges:
    """The UTC offsets of a zone over a span.

    `utc_offsets[i]` (seconds east of UTC) holds in `[starts_at[i], starts_at[i + 1])`; neighbours
    differ. The first start lies at or before the beginning of the span; it need not be a change.
    """

    starts_at: NDArray[np.int64]
    utc_offsets: NDArray[np.int32]


def parse_timezone(name: str) -> str:
    """Return `name` if it is an IANA zone.

    >>> parse_timezone("Europe/Zurich")
    'Europe/Zurich'
    >>> parse_timezone("Zurich")
    Traceback (most recent call last):
    commonwatt.domain.metering.zones.UnknownTimezone: 'Zurich' is not an IANA time zone; \
try Europe/Zurich
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = False
    else:
        known = name.partition("/")[0] not in _NO_ZONES
    if not known:
        raise UnknownTimezone(_unknown_message(name))
    return name


def _unknown_message(name: str) -> str:
    shown = name if len(name) <= 60 else name[:57] + "..."
    likely = get_close_matches(shown, available_timezones() - _NO_ZONES, n=1)
    if likely:
        return f"{shown!r} is not an IANA time zone; try {likely[0]}"
    return f"{shown!r} is not an IANA time zone; use a name such as Europe/Zurich"


def offset_changes(zone: str, start_at: int, end_at: int) -> OffsetChanges:
    """Return the offsets of `zone` that cover [start_at, end_at], both included.

    Raises UnknownTimezone and InstantOutOfRange. The arrays are shared and read-only.

    >>> changes = offset_changes("Europe/Zurich", 1_767_225_600, 1_798_761_599)  # 2026
    >>> changes.starts_at.tolist(), changes.utc_offsets.tolist()
    ([1767225600, 1774746000, 1792890000], [3600, 7200, 3600])
    """
    return _changes_of_years(zone, _year_of(start_at), _year_of(end_at))


def utc_offsets(zone: str, instants_at: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the offset of `zone` (seconds east of UTC) at each instant, in any order.

    Raises UnknownTimezone and InstantOutOfRange.

    >>> utc_offsets("Asia/Kolkata", np.array([0, 1_790_000_000])).tolist()
    [19800, 19800]
    """
    if not instants_at.size:
        return np.empty(0, np.int32)
    first_at, last_at = int(instants_at.min()), int(instants_at.max())
    if last_at - first_at > _LONGEST_TABLE_S:
        return _utc_offsets_year_by_year(zone, instants_at)
    changes = offset_changes(zone, first_at, last_at)
    starts_at, offsets = changes.starts_at, changes.utc_offsets
    first, last = starts_at.searchsorted([first_at, last_at], side="right").tolist()
    if first == last:
        return np.full(instants_at.size, offsets[first - 1], np.int32)
    if bool((instants_at[1:] >= instants_at[:-1]).all()):
        # Ascending, as nearly always: a search for the few changes instead of one for each instant.
        edges = instants_at.searchsorted(starts_at[first:last]).tolist()
        lengths = [end - start for start, end in pairwise([0, *edges, instants_at.size])]
        return np.repeat(offsets[first - 1 : last], lengths)
    return offsets[starts_at.searchsorted(instants_at, side="right") - 1]


def _utc_offsets_year_by_year(zone: str, instants_at: NDArray[np.int64]) -> NDArray[np.int32]:
    years = instants_at.astype("datetime64[s]").astype("datetime64[Y]")
    offsets = np.empty(instants_at.size, np.int32)
    for year in np.unique(years):
        within = years == year
        offsets[within] = utc_offsets(zone, instants_at[within])
    return offsets


def first_instants(
    zone: str, walls_s: NDArray[np.int64], start_at: int, end_at: int
) -> NDArray[np.int64]:
    """Return the first instant at which the zone's clock shows each wall time or a later one.

    Wall times count seconds since 1970-01-01 00:00 on the zone's own clock. The answers must lie
    within [start_at, end_at], and the clock must not have shown the wall time before `start_at`.
    Where the clock jumps over a wall time the answer is the instant of the jump; where it shows
    one twice, the earlier instant.
    """
    changes = offset_changes(zone, start_at, end_at)
    found = np.full(walls_s.size, end_at, np.int64)
    ends_at = [*changes.starts_at[1:].tolist(), np.iinfo(np.int64).max]
    offsets = zip(changes.starts_at.tolist(), ends_at, changes.utc_offsets.tolist(), strict=True)
    # Backwards, so that the earliest span in which the clock gets so far has the last word.
    for from_at, until_at, offset in reversed(list(offsets)):
        reached = np.maximum(walls_s - offset, from_at)
        np.copyto(found, reached, where=reached < until_at)
    return found


def local_midnight(zone: str, local_date: date) -> int:
    """Return the first instant of a local date.

    That is not always 00:00: the clock may jump over midnight, and of a date that a zone left out
    altogether it is the instant of the jump.

    >>> local_midnight("Europe/Zurich", date(2026, 3, 29))
    1774738800
    >>> str(
    ...     datetime.fromtimestamp(
    ...         local_midnight("Africa/Cairo", date(2026, 4, 24)), ZoneInfo("Africa/Cairo")
    ...     )
    ... )
    '2026-04-24 01:00:00+03:00'
    """
    wall_s = (local_date - _EPOCH).days * DAY_S
    midnights = first_instants(
        zone, np.array([wall_s], np.int64), wall_s - 2 * DAY_S, wall_s + 2 * DAY_S
    )
    return int(midnights[0])


def _zone_info(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise UnknownTimezone(_unknown_message(zone)) from error


def _seconds(offset: timedelta | None) -> int:
    if offset is None:
        raise TypeError("a zone answered no offset")
    return offset.days * DAY_S + offset.seconds


def _year_of(instant_at: int) -> int:
    try:
        year = datetime.fromtimestamp(instant_at, UTC).year
    except (ValueError, OverflowError, OSError):
        year = 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InstantOutOfRange(
            f"instant {instant_at} is outside the years {_FIRST_YEAR} to {_LAST_YEAR}; "
            "instants are whole seconds since 1970-01-01 UTC"
        )
    return year


@lru_cache(maxsize=1024)
def _changes_of_years(zone: str, first_year: int, last_year: int) -> OffsetChanges:
    info = _zone_info(zone)
    starts_at = [_year_start(first_year)]
    offsets = [_offset_at(info, starts_at[0])]
    for year in range(first_year, last_year + 1):
        for instant, offset in _changes_in_year(zone, year):
            starts_at.append(instant)
            offsets.append(offset)
    changes = OffsetChanges(np.array(starts_at, np.int64), np.array(offsets, np.int32))
    changes.starts_at.flags.writeable = False
    changes.utc_offsets.flags.writeable = False
    return changes


@lru_cache(maxsize=4096)
def _changes_in_year(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """Return (instant, new offset) of each change after the year's first second, up to its end."""
    info = _zone_info(zone)
    probe_at = _year_start(year)
    end_at = _year_start(year + 1)
    offset = _offset_at(info, probe_at)
    changes = []
    while probe_at < end_at:
        next_at = min(probe_at + _PROBE_S, end_at)
        if _offset_at(info, next_at) == offset:
            probe_at = next_at
            continue
        probe_at = _first_different(info, probe_at, next_at, offset)
        offset = _offset_at(info, probe_at)
        changes.append((probe_at, offset))
    return tuple(changes)


def _first_different(info: ZoneInfo, same_at: int, different_at: int, offset: int) -> int:
    while different_at - same_at > 1:
        middle_at = (same_at + different_at) // 2
        if _offset_at(info, middle_at) == offset:
            same_at = middle_at
        else:
            different_at = middle_at
    return different_at


def _offset_at(info: ZoneInfo, instant_at: int) -> int:
    return _seconds(datetime.fromtimestamp(instant_at, info).utcoffset())


def _year_start(year: int) -> int:
    return (date(year, 1, 1) - _EPOCH).days * DAY_S
