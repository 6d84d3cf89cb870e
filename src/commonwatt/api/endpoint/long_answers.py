"""Answers that are too long to be made at once: made in steps, each of some days.

Between two steps it is seen whether anybody still reads, and what one step took is given back.
"""

from collections.abc import Callable, Iterator, Sequence

from commonwatt.api.endpoint.endpoint import RequestContext
from commonwatt.api.endpoint.windows import QuarterWindow
from commonwatt.api.http.problems import InvalidInput
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, day_of

MOST_VALUES = 20_000_000
"""Values of quarter-hours of one answer: all columns of a site with 15 meters over ten years."""
READING_DAYS = 31
"""So many days with readings are read in one step."""
_STEP_VALUES = 400_000
"""So many are read in one step, as integers of 8 bytes; their JSON is made part by part."""

DaysAfter = Callable[[int, int], Sequence[int]]


def known_part(context: RequestContext, group: Group, window: QuarterWindow) -> QuarterWindow:
    """The part of a window in which anything can be known of a group of the site."""
    known = context.snapshot.results.known_days(context.site.number, group)
    if known is None:
        return QuarterWindow(window.first, window.first)
    first_day, end_day = known
    first = max(window.first, first_day * DAY_QUARTERS)
    return QuarterWindow(first, max(first, min(window.end, end_day * DAY_QUARTERS)))


def require_answerable(window: QuarterWindow, columns: int, field: str) -> None:
    """Raise InvalidInput where an answer would have too many values."""
    values = window.length * columns
    if values > MOST_VALUES:
        raise InvalidInput(
            field,
            f"the period has {window.length} quarter-hours of {columns} values each, an answer at "
            f"most {MOST_VALUES} values; ask for a shorter period",
        )


def steps(window: QuarterWindow, columns: int, settled: bool) -> Iterator[QuarterWindow]:
    """Cut a window at UTC midnights into steps; shorter ones where days must be settled first."""
    days = max(1, _STEP_VALUES // (columns * DAY_QUARTERS))
    if not settled:
        days = min(days, LONGEST_RUN_DAYS)
    first, end = window.first, window.end
    while first < end:
        until = min(end, (first // DAY_QUARTERS + days) * DAY_QUARTERS)
        yield QuarterWindow(first, until)
        first = until


def is_long_period(start_at: int, end_at: int) -> bool:
    """Whether so many days are asked for that readings are read in steps."""
    return end_at - start_at > READING_DAYS * DAY_S


def spans_with_readings(
    days_after: DaysAfter, start_at: int, end_at: int
) -> Iterator[tuple[int, int]]:
    """Yield spans within [start, end], both included, that have all its readings; some days each.

    ``days_after`` gives up to so many days with readings from a day on.
    """
    day = day_of(start_at)
    while days := days_after(day, READING_DAYS):
        if days[0] > day_of(end_at):
            return
        yield max(start_at, days[0] * DAY_S), min(end_at, (days[-1] + 1) * DAY_S - 1)
        day = days[-1] + 1
