"""Stored results that are damaged: reads settle them again, and so does the settler."""

from collections.abc import Callable, Collection
from typing import TypeVar

from commonwatt.app.errors import DamagedResults
from commonwatt.app.ports import Snapshot, Store
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS, settle_days
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import DAY_S, day_spans
from commonwatt.domain.settlement import Settlement

T = TypeVar("T")


def whole_results(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    read: Callable[[Collection[int]], T],
    open_too: bool = False,
) -> tuple[T, list[Settlement]]:
    """Read stored results, and settle from the snapshot what is damaged of them.

    ``read`` is given the days to leave out, and the settlements are to be laid over what it
    returns. ``open_too``: what it reads may be of locked time, as it would be without the lock.
    Raises `DamagedDay` for what cannot be settled again: locked results, readings.
    """
    try:
        return read(()), []
    except DamagedResults as damage:
        if not open_too:
            locked_until_at = snapshot.locks.locked_until(damage.site, group)
            if locked_until_at is not None and min(damage.days) * DAY_S < locked_until_at:
                raise
        snapshot.results.report_damaged(damage.site, damage.group, damage.days)
        runs = day_spans(damage.days, LONGEST_RUN_DAYS)
        settled = [settle_days(snapshot, catalogue, group, first, end) for first, end in runs]
        return read(damage.days), settled


def mark_damaged(store: Store) -> int:
    """Mark the days with damaged results that reads have met; return how many."""
    found: dict[tuple[int, Group], set[int]] = {}
    for site, group, day in store.take_damaged():
        found.setdefault((site, group), set()).add(day)
    for (site, group), days in found.items():
        with store.change(site) as change:
            generation = change.catalogue.next_generation(site)
            spans = [(day, day + 1) for day in days]
            change.results.mark_dirty(site, group, spans, generation)
    return sum(map(len, found.values()))
