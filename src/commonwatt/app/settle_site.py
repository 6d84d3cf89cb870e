"""Settling a site: what is dirty becomes load profiles, balance and shares.

The one way of a reading to a bill: read what was said and the marks in one snapshot, judge the
readings, settle, store with the generation of the snapshot. A result of an older generation never
replaces one of a newer.
"""

from commonwatt.app.meter_history import judge_meters
from commonwatt.app.ports import Snapshot, Store
from commonwatt.domain.catalogue import Group, SiteCatalogue
from commonwatt.domain.quarter_hours import DAY_QUARTERS, DAY_S, day_runs
from commonwatt.domain.settlement import Settlement, settle

LONGEST_RUN_DAYS = 31
"""Days settled at once: bounds the memory, whatever the length of the history."""


def settle_site(
    store: Store,
    site: int,
    group: Group,
    first_day: int | None = None,
    end_day: int | None = None,
) -> int:
    """Settle the days of a group that are dirty now, within [first, end) if given.

    Returns how many days were dirty when it began. Raises the errors of `store_errors`; what was
    stored before stays, the rest stays marked.
    """
    with store.snapshot() as snapshot:
        days = snapshot.results.dirty_days(site, group, first_day, end_day)
    for first, end in day_runs(days, LONGEST_RUN_DAYS):
        with store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(site)
            generation = snapshot.catalogue.generation(site)
            settlement = settle_days(snapshot, catalogue, group, first, end)
        meters = [meter.number for meter in catalogue.meters_of(group)]
        with store.change(site) as change:
            change.results.put_settlement(site, group, meters, settlement, generation)
            change.readings.merge_rows(site, meters, first, end)
    return len(days)


def settle_days(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> Settlement:
    """Settle the days [first, end) of a group from a snapshot, without storing anything."""
    meters = catalogue.meters_of(group)
    judged = judge_meters(snapshot.readings, catalogue, meters, first_day, end_day)
    edits = snapshot.edits.edits(catalogue.site.number, first_day * DAY_S, end_day * DAY_S)
    return settle(catalogue, group, judged, first_day * DAY_QUARTERS, end_day * DAY_QUARTERS, edits)
