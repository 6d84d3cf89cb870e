"""Jumps of the server's clock, as the times show at which deliveries were recorded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from commonwatt.app.ports import Snapshot
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.local_time import local_stamp

BACK_S = 15 * 60
"""A delivery may be recorded so much earlier than the one before it: several servers differ."""
AHEAD_S = 400 * 86_400
"""So much later: a site may be silent for a year."""
_LATEST = 10_000
_MICROSECONDS = 1_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A delivery that was recorded long before the one before it, or years after.

    ``before_us`` and ``at_us`` [Unix microseconds] are when both were recorded.
    """

    delivery: int
    before_us: int
    at_us: int


def read_clock_jumps(snapshot: Snapshot, site: int) -> Sequence[ClockJump]:
    """Read the jumps among the last deliveries of a site, ascending."""
    recorded = snapshot.readings.recorded_last(site, _LATEST)
    return [
        ClockJump(number, before_us, at_us)
        for (_, before_us), (number, at_us) in pairwise(recorded)
        if _jumped(before_us, at_us)
    ]


def clock_lines(snapshot: Snapshot, catalogue: SiteCatalogue, now_us: int) -> list[str]:
    """Tell people of the jumps among the last deliveries, and where now is before the last one."""
    site = catalogue.site.number
    lines = [jump_line(catalogue, jump) for jump in read_clock_jumps(snapshot, site)]
    last = snapshot.readings.last_recorded(site)
    if last is not None and now_us < last[1] - BACK_S * _MICROSECONDS:
        recorded, now = (
            local_stamp(us // _MICROSECONDS, catalogue.site.timezone) for us in (last[1], now_us)
        )
        lines.append(
            f"site {catalogue.site.id}: the last delivery was recorded at {recorded}, and now "
            f"it is {now}: the clock is behind, or was ahead; look at the server's clock"
        )
    return lines


def tell_clock_jump(snapshot: Snapshot, catalogue: SiteCatalogue, now_us: int) -> None:
    """Log a jump of the clock before a delivery is recorded now; the next one has none to tell."""
    last = snapshot.readings.last_recorded(catalogue.site.number)
    if last is not None and _jumped(last[1], now_us):
        _log.warning("%s", jump_line(catalogue, ClockJump(last[0] + 1, last[1], now_us)))


def jump_line(catalogue: SiteCatalogue, jump: ClockJump) -> str:
    """Tell a jump to people."""
    before, at = (
        local_stamp(us // _MICROSECONDS, catalogue.site.timezone)
        for us in (jump.before_us, jump.at_us)
    )
    way = "back" if jump.at_us < jump.before_us else "ahead"
    return (
        f"site {catalogue.site.id}: the clock went {way}: from {before} to {at} between two "
        "deliveries; look at the server's clock"
    )


def _jumped(before_us: int, at_us: int) -> bool:
    between = at_us - before_us
    return between < -BACK_S * _MICROSECONDS or between > AHEAD_S * _MICROSECONDS
