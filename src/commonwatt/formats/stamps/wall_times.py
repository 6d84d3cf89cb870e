"""Wall-clock times of a zone to instants, whole columns at once."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.zones import utc_offsets

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Far from the edges of the calendar; what a zone does outside these years nobody knows.
_FIRST = (datetime(1970, 1, 3, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_END = (datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


def instants_of_wall_times(
    walls_s: NDArray[np.int64], zone: str
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return Unix seconds of wall times, and what is wrong with others by position (0 there).

    Wall times count seconds since 1970-01-01 00:00 on the zone's own clock. One that the clock
    shows twice or never is a fault. Raises `UnknownTimezone`.

    >>> summer = np.array([1_782_864_000])  # 2026-07-01 00:00
    >>> instants_of_wall_times(summer, "Europe/Zurich")[0].tolist()
    [1782856800]
    """
    faults = {
        position: f"{wall_text(int(walls_s[position]))} is outside the years 1970 to 2199"
        for position in np.flatnonzero((walls_s < _FIRST) | (walls_s >= _END)).tolist()
    }
    walls_s = np.clip(walls_s, _FIRST, _END)
    # A zone's changes lie days apart, so one day to each side shows the offsets on both sides of
    # a change that is near.
    earlier_at = walls_s - utc_offsets(zone, walls_s - DAY_S)
    later_at = walls_s - utc_offsets(zone, walls_s + DAY_S)
    is_earlier = earlier_at + utc_offsets(zone, earlier_at) == walls_s
    is_later = later_at + utc_offsets(zone, later_at) == walls_s
    twice = is_earlier & is_later & (earlier_at != later_at)
    for position in np.flatnonzero(twice | ~(is_earlier | is_later)).tolist():
        what = "happens twice" if twice[position] else "does not happen"
        reason = (
            f"{wall_text(int(walls_s[position]))} {what} in {zone}; write it in UTC, or its offset"
        )
        faults.setdefault(position, reason)
    instants = np.where(is_earlier, earlier_at, later_at)
    instants[list(faults)] = 0
    return instants, faults


def wall_text(wall_s: int) -> str:
    """Write a wall time as messages show it."""
    return f"{_EPOCH + timedelta(seconds=wall_s):%Y-%m-%d %H:%M:%S}"
