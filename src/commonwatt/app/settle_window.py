"""Settling what is dirty of a site, or of a window of it, telling how far it has come."""

from collections.abc import Callable

from commonwatt.app.ports import Store
from commonwatt.app.settle_site import LONGEST_RUN_DAYS, settle_site
from commonwatt.domain.catalogue import Group
from commonwatt.domain.quarter_hours import day_of, day_runs


def settle_window(
    store: Store,
    site: int,
    start_at: int | None,
    end_at: int | None,
    settled: Callable[[int, int], None],
) -> int:
    """Settle the dirty days of a site that touch [start, end) [Unix seconds]; return how many.

    Without a bound it reaches as far as there are any. ``settled`` is called with the days done and
    the days there are, at the start and after each run. A day of two groups counts twice. Raises
    the errors of `store_errors`; what was stored before stays.
    """
    first_day = None if start_at is None else day_of(start_at)
    end_day = None if end_at is None else day_of(end_at - 1) + 1
    with store.snapshot() as snapshot:
        dirty = {
            group: snapshot.results.dirty_days(site, group, first_day, end_day) for group in Group
        }
    total = sum(map(len, dirty.values()))
    done = 0
    settled(done, total)
    for group, days in dirty.items():
        for first, end in day_runs(days, LONGEST_RUN_DAYS):
            settle_site(store, site, group, first, end)
            done += end - first
            settled(done, total)
    return done
