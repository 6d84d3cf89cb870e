"""Questions for series: how much wider they are asked than meant, and what an answer tells.

The page of the API says that times without a zone are UTC; the vendor's own service seems to read
them as wall time of the site. So a window is asked wider than any zone is away from UTC, and rows
outside of what was meant are dropped by their stamps, which bear an offset. An answer may show
which of the two a server does, and then less will do.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from commonwatt.client.series.local_periods import (
    DAY_S,
    HOUR_S,
    QUARTER_S,
    Window,
    period_end,
    period_start,
    utc_offset,
)
from commonwatt.client.stamps import NaiveTime, naive_text
from commonwatt.climkit_v1.words import SamplingFrequency

# No zone is farther from UTC than 14 hours. A wall time can happen twice, hours apart; and where
# all is known, an hour more costs nothing and forgives a bound taken otherwise than published.
_WIDER_S: Mapping[NaiveTime, int] = {"auto": 15 * HOUR_S, "local": 3 * HOUR_S, "utc": HOUR_S}


def widened(
    window: Window, zone: ZoneInfo, sampling: SamplingFrequency | None, naive_time: NaiveTime
) -> Window:
    """Return the window to ask for: as instants, before they lose their zone.

    Periods longer than a quarter-hour are asked 15 hours and a whole period wider at either end,
    since servers sum what of a period lies in the window that they understand.
    """
    start_at, end_at = window
    wider_s = _WIDER_S[naive_time]
    if sampling is not None and sampling is not SamplingFrequency.QUARTER_HOUR:
        start_at = period_start(period_start(start_at, zone, sampling) - 1, zone, sampling)
        end_at = period_end(period_end(end_at, zone, sampling), zone, sampling)
        wider_s = _WIDER_S["auto"]
    return (
        _plain(start_at - wider_s, -HOUR_S, zone, naive_time),
        _plain(end_at + wider_s, HOUR_S, zone, naive_time),
    )


def _plain(bound_at: int, step_s: int, zone: ZoneInfo, naive_time: NaiveTime) -> int:
    """Return a bound, moved so far that a site's clock shows its text once, not twice nor never.

    Servers that read wall time may fail at the others.
    """
    naive_zone = zone if naive_time == "local" else None
    while naive_time != "utc":
        wall = datetime.fromisoformat(naive_text(bound_at, naive_zone)).replace(tzinfo=zone)
        if wall.utcoffset() == wall.replace(fold=1).utcoffset():
            break
        bound_at += step_s
    return bound_at


def bounds(window: Window, zone: ZoneInfo, naive_time: NaiveTime) -> dict[str, str]:
    """Return t_s and t_e of a window: naive, wall time of the zone if the server reads them so."""
    naive_zone = zone if naive_time == "local" else None
    return {"t_s": naive_text(window[0], naive_zone), "t_e": naive_text(window[1], naive_zone)}


def shown_reading(asked: Window, instants: Sequence[int], zone: ZoneInfo) -> NaiveTime:
    """Return how a server read a window that was sent as UTC: what its rows show, else auto.

    Rows outside of one reading, and inside of the other, show that it is the other. A quarter-hour
    proves nothing, nor do bounds near a change of the offset.
    """
    if not instants or any(_is_near_a_change(bound, zone) for bound in asked):
        return "auto"
    first_at, last_at = min(instants), max(instants)
    in_utc = _within(asked, first_at, last_at)
    in_local = _within(
        asked, first_at + utc_offset(first_at, zone), last_at + utc_offset(last_at, zone)
    )
    if in_utc == in_local:
        return "auto"
    return "utc" if in_utc else "local"


def _within(asked: Window, first_at: int, last_at: int) -> bool:
    return asked[0] - QUARTER_S <= first_at and last_at <= asked[1] + QUARTER_S


def _is_near_a_change(instant_at: int, zone: ZoneInfo) -> bool:
    return utc_offset(instant_at - DAY_S, zone) != utc_offset(instant_at + DAY_S, zone)
