"""Which quarter-hours and instants a request may see: its period, cut by the account's history."""

from dataclasses import dataclass

from commonwatt.app.accounts.authorize import GrantedSite
from commonwatt.domain.metering.life import AHEAD_S, OLDEST_STAMP_AT
from commonwatt.domain.metering.quarter_hours import (
    DAY_QUARTERS,
    QUARTER_S,
    first_quarter_from,
    quarter_of,
)

_FIRST_LOCAL_AT = -62_104_060_800
_LAST_LOCAL_AT = 253_370_678_400
"""Year 2 and the last days of 9998: local times can be told in every zone between them."""
_AHEAD_QUARTERS = 1 + AHEAD_S // QUARTER_S
"""Readings may run so far ahead of the clock; what lies beyond is not there yet."""


@dataclass(frozen=True, slots=True)
class QuarterWindow:
    """The quarter-hours [first, end); there is nothing to see where end <= first."""

    first: int
    end: int

    @property
    def length(self) -> int:
        """How many quarter-hours."""
        return max(0, self.end - self.first)

    @property
    def days(self) -> tuple[int, int]:
        """The UTC days [first, end) that cover them."""
        return self.first // DAY_QUARTERS, -(-self.end // DAY_QUARTERS)


def quarters_by_stamp(start_at: int, end_at: int, site: GrantedSite, now: float) -> QuarterWindow:
    """Quarter-hours whose end lies in (start, end] and that the account may see wholly."""
    return _seen(quarter_of(start_at), quarter_of(end_at), site, now)


def quarters_within(start_at: int, end_at: int, site: GrantedSite, now: float) -> QuarterWindow:
    """Quarter-hours that lie wholly in [start, end) and that the account may see wholly."""
    return _seen(first_quarter_from(start_at), quarter_of(end_at), site, now)


def _seen(first: int, end: int, site: GrantedSite, now: float) -> QuarterWindow:
    seen_from = first_quarter_from(site.scope.history_from or 0)
    first = max(first, seen_from, quarter_of(OLDEST_STAMP_AT))
    return QuarterWindow(first, min(end, quarter_of(int(now)) + _AHEAD_QUARTERS))


def instants_seen(start_at: int, end_at: int, site: GrantedSite) -> tuple[int, int] | None:
    """The instants from start to end, both included, that the account may see; None for none."""
    first_at = max(start_at, _FIRST_LOCAL_AT)
    if site.scope.history_from is not None:
        first_at = max(first_at, site.scope.history_from)
    last_at = min(end_at, _LAST_LOCAL_AT)
    return (first_at, last_at) if first_at <= last_at else None


def is_seen(instant_at: int, site: GrantedSite) -> bool:
    """Whether the account may see what happened at an instant."""
    return instants_seen(instant_at, instant_at, site) is not None
