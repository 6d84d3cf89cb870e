"""Checking a store against itself: what it holds is what was stored, and what follows from it.

Checksums of all stored days; the receipts of deliveries against the readings that are stored;
results against the readings, settled again; locks against the hashes of what they froze. What is
computed can be repaired: it is settled again. Readings and locked answers are never touched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from commonwatt.app.billing.lock_hash import content_hash_of
from commonwatt.app.errors import DamagedDay, DamagedResults
from commonwatt.app.ports import Snapshot, Store, StoredScan
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS, settle_days, settle_site
from commonwatt.domain.metering.catalogue import Group, Site, SiteCatalogue
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import DAY_S, day_spans

_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1


@dataclass(slots=True)
class Verified:
    """What a check of a site found.

    ``faults`` name site, meter and day each. ``computed`` are the days whose results can be settled
    again. ``rows`` were looked at, of which ``unchecked`` have no checksum; ``unsettled`` days are
    marked and were not compared.
    """

    faults: list[str] = field(default_factory=list)
    computed: set[tuple[Group, int]] = field(default_factory=set)
    beyond_repair: int = 0
    rows: int = 0
    unchecked: int = 0
    unsettled: int = 0

    def add_damage(self, error: DamagedDay) -> None:
        """Add what a damaged day says of itself, once."""
        if str(error) in self.faults:
            return
        self.faults.append(str(error))
        if isinstance(error, DamagedResults):
            self.computed |= {(error.group, day) for day in error.days}
        else:
            self.beyond_repair += 1

    def cannot_be_repaired(self, fault: str) -> None:
        """Add a fault of what only a backup has."""
        self.faults.append(fault)
        self.beyond_repair += 1


def verify_site(store: Store, site: Site, progress: Callable[[int, int], None]) -> Verified:
    """Check all that is stored of a site, in one snapshot.

    ``progress`` is told how much has been looked at, of how much. Raises the errors of
    a store.
    """
    found = Verified()
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site.number)
        found.rows = snapshot.integrity.count(site.number)
        days = {
            group: _settled_days(snapshot, site.number, group, found)
            for group in Group
            if catalogue.meters_of(group)
        }
        steps = [step for step in snapshot.locks.steps(site.number) if step.group in days]
        total = found.rows + sum(map(len, days.values())) + len(steps)
        done = 0

        def looked(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total)

        looked(0)
        _compare_receipts(snapshot, catalogue, found, looked)
        for group, of_group in days.items():
            _compare_results(snapshot, catalogue, group, of_group, found, looked)
        for step in steps:
            _compare_lock(snapshot, catalogue, step.group, step.until_at, step.content_hash, found)
            looked(1)
    return found


def repair_site(store: Store, site: int, found: Verified) -> None:
    """Settle again what a check found of computed results. Raises the errors of a store."""
    for group in sorted({group for group, _ in found.computed}):
        days = sorted(day for other, day in found.computed if other is group)
        with store.change(site) as change:
            generation = change.catalogue.next_generation(site)
            change.results.mark_dirty(site, group, [(day, day + 1) for day in days], generation)
        settle_site(store, site, group, days[0], days[-1] + 1)


def _settled_days(snapshot: Snapshot, site: int, group: Group, found: Verified) -> list[int]:
    """The days of a group whose results are as they are to be."""
    marked = set(snapshot.results.dirty_days(site, group))
    found.unsettled += len(marked)
    settled = snapshot.results.settled_days(site, group, _FIRST_DAY, _END_DAY)
    return [day for day in settled if day not in marked]


def _compare_receipts(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    found: Verified,
    looked: Callable[[int], None],
) -> None:
    """Check every row, and that as many readings are stored as each delivery's receipt says."""
    site = catalogue.site
    scan = snapshot.integrity.scan(site.number, looked)
    found.unchecked = scan.unchecked
    for error in scan.damaged:
        found.add_damage(error)
    stored = dict(scan.readings)
    for delivery in snapshot.readings.deliveries(site.number):
        count = stored.pop(delivery.number, 0)
        if count == delivery.accepted or _meets(delivery.first_day, delivery.last_day, scan):
            continue
        found.cannot_be_repaired(
            f"site {site.id}, delivery {delivery.number}: {count} of the {delivery.accepted} rows "
            "that its receipt counts are stored; send it again"
        )
    for number, count in stored.items():
        found.cannot_be_repaired(
            f"site {site.id}: {count} rows are stored of a delivery {number} that there is not"
        )


def _meets(first_day: int | None, last_day: int | None, scan: StoredScan) -> bool:
    """Whether rows of a delivery may be among the damaged ones, which are told already."""
    if first_day is None or last_day is None:
        return False
    return any(first_day <= day <= last_day for day in scan.damaged_days)


def _compare_results(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    days: Sequence[int],
    found: Verified,
    looked: Callable[[int], None],
) -> None:
    """Settle days again and compare."""
    for first, end in day_spans(days, LONGEST_RUN_DAYS):
        try:
            _compare_run(snapshot, catalogue, group, first, end, found)
        except DamagedDay:
            # What is damaged is told; the other days of the run are compared one by one.
            for day in range(first, end):
                _compare_day(snapshot, catalogue, group, day, found)
        looked(end - first)


def _compare_day(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, day: int, found: Verified
) -> None:
    try:
        _compare_run(snapshot, catalogue, group, day, day + 1, found)
    except DamagedDay as error:
        found.add_damage(error)


def _compare_run(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    first_day: int,
    end_day: int,
    found: Verified,
) -> None:
    site, meters = catalogue.site, catalogue.meters_of(group)
    settlement = settle_days(snapshot, catalogue, group, first_day, end_day)
    names = {
        meter.number: f"meter {meter.id} ({meter.medium} prim_ad:{meter.prim_ad})"
        for meter in meters
    }
    for owner, day in snapshot.integrity.differing(site.number, group, list(names), settlement):
        name = names[owner] if isinstance(owner, int) else f"balance of {owner}"
        found.faults.append(
            f"site {site.id}, {name}, {_utc_date(day)} (UTC): the stored results are not those "
            "that the readings give; commonwatt verify --repair settles them again"
        )
        found.computed.add((group, day))


def _utc_date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


def _compare_lock(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    until_at: int,
    content_hash: str,
    found: Verified,
) -> None:
    try:
        now = content_hash_of(snapshot, catalogue, group, until_at)
    except DamagedDay as error:
        found.add_damage(error)
        return
    if now != content_hash:
        until = local_stamp(until_at, catalogue.site.timezone)
        found.cannot_be_repaired(
            f"site {catalogue.site.id}, {group} until {until}: what is answered of the locked time "
            "is not what was locked (its hash is another); restore the store from a backup"
        )
