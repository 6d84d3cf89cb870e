"""Settling a site: what is dirty becomes load profiles, balance and shares.

The one way of a reading to a bill: read what was said and the marks in one snapshot, judge the
readings, settle, store with the generation of the snapshot. A result of an older generation never
replaces one of a newer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from commonwatt.app.errors import DamagedDay
from commonwatt.app.ports import RulesPending, Snapshot, Store
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.app.settling.load import judge_meters
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, day_of, day_spans
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

    Returns how many days were dirty when it began. Raises the errors of a store; what was
    stored before stays, the rest stays marked. Where readings are damaged it settles all other
    days first.
    """
    with store.snapshot() as snapshot:
        days = snapshot.results.dirty_days(site, group, first_day, end_day)
    if days:
        _file_rule_changes(store, site, group, min(days), max(days) + 1)
    damage: DamagedDay | None = None
    for first, end in day_spans(days, LONGEST_RUN_DAYS):
        try:
            _settle_run(store, site, group, first, end)
        except DamagedDay as error:
            damage = error
            _settle_around_damage(store, site, group, first, end)
    if damage is not None:
        raise damage
    return len(days)


def settlements_by_rules(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, pending: Sequence[RulesPending]
) -> Iterator[tuple[int, Settlement]]:
    """Settle locked days from what was known at the upgrade of the rules that marked them.

    Yields the generation of the upgrade and the settlement of each run of days.
    """
    upgrades = sorted({(each.generation, each.at_us) for each in pending})
    for generation, at_us in upgrades:
        view, then = view_as_of(snapshot, catalogue, at_us)
        days = [each.day for each in pending if each.generation == generation]
        for first, end in day_spans(days, LONGEST_RUN_DAYS):
            yield generation, settle_days(view, then, group, first, end)


def _file_rule_changes(store: Store, site: int, group: Group, first_day: int, end_day: int) -> None:
    """File what an upgrade changed of locked days on which something was corrected since.

    Days on which nothing was are filed as they are settled.
    """
    with store.snapshot() as snapshot:
        found = snapshot.locks.rules_pending(site, group, (first_day, end_day))
        pending = [each for each in found if each.is_corrected]
        if not pending:
            return
        catalogue = snapshot.catalogue.catalogue(site)
        settled = list(settlements_by_rules(snapshot, catalogue, group, pending))
    meters = [meter.number for meter in catalogue.meters_of(group)]
    for generation, settlement in settled:
        with store.change(site) as change:
            change.results.put_rule_changes(site, group, meters, settlement, generation)


def _settle_run(store: Store, site: int, group: Group, first_day: int, end_day: int) -> None:
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        generation = snapshot.catalogue.generation(site)
        settlement = settle_days(snapshot, catalogue, group, first_day, end_day)
    meters = [meter.number for meter in catalogue.meters_of(group)]
    with store.change(site) as change:
        # Raises where the site was removed since: nothing of it may be stored any more.
        change.catalogue.generation(site)
        change.results.put_settlement(site, group, meters, settlement, generation)
        change.readings.merge_rows(site, meters, first_day, end_day)


def _settle_around_damage(
    store: Store, site: int, group: Group, first_day: int, end_day: int
) -> None:
    """Settle the days of a run that rest on nothing damaged; the others stay marked."""
    for day in range(first_day, end_day):
        with suppress(DamagedDay):
            _settle_run(store, site, group, day, day + 1)


def settle_days(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> Settlement:
    """Settle the days [first, end) of a group from a snapshot, without storing anything."""
    meters = catalogue.meters_of(group)
    judged = judge_meters(snapshot.readings, catalogue, meters, first_day, end_day)
    edits = snapshot.edits.edits(catalogue.site.number, first_day * DAY_S, end_day * DAY_S)
    return settle(catalogue, group, judged, first_day * DAY_QUARTERS, end_day * DAY_QUARTERS, edits)


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
    the errors of a store; what was stored before stays.
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
        for first, end in day_spans(days, LONGEST_RUN_DAYS):
            settle_site(store, site, group, first, end)
            done += end - first
            settled(done, total)
    return done
