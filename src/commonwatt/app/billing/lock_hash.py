"""The hash of what a step of locking freezes, from the answers as they are stored."""

from collections.abc import Iterator

from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.domain.locking.lock_content import LockContent
from commonwatt.domain.metering.catalogue import Group, Medium, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

_FIRST_DAY = -(2**31)
_RUN_QUARTERS = 366 * DAY_QUARTERS
"""Quarter-hours read at once: bounds the memory, whatever is locked."""


def content_hash_of(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, until_at: int
) -> str:
    """Hash a group's answers from its step of locking before an instant [Unix seconds] up to it.

    `lock_content` says how. The period must be settled, or locked.
    """
    site = catalogue.site
    steps = [
        step
        for step in snapshot.locks.steps(site.number)
        if step.group is group and step.until_at < until_at
    ]
    from_at = steps[-1].until_at if steps else None
    hash_before = steps[-1].content_hash if steps else None
    content = LockContent(site.id, group.value, from_at, until_at, hash_before)
    runs = list(_runs(snapshot, site.number, group, from_at, until_at))
    for meter in catalogue.meters_of(group):
        content.begin_meter(meter.id)
        for first, end in runs:
            series = read_meter_series(
                snapshot, catalogue, meter, first, end, is_settled=True, with_method=True
            )
            assert series.method is not None, "it was asked for"
            content.add_meter(
                first,
                series.total,
                series.self_energy,
                series.quality_total,
                series.quality_self,
                series.method,
            )
    for medium in sorted(each for each in Medium if each.group is group):
        content.begin_balance(medium.value)
        for first, end in runs:
            of_site = read_site_series(snapshot, catalogue, medium, first, end)
            if of_site is not None:
                content.add_balance(first, of_site.balance)
    return content.hexdigest()


def _runs(
    snapshot: Snapshot, site: int, group: Group, from_at: int | None, until_at: int
) -> Iterator[tuple[int, int]]:
    """Yield the quarter-hours [first, end) of a period, none before the first result."""
    end = until_at // QUARTER_S
    if from_at is None:
        days = snapshot.results.settled_days(site, group, _FIRST_DAY, -(-until_at // DAY_S))
        first = min(days) * DAY_QUARTERS if days else end
    else:
        first = from_at // QUARTER_S
    while first < end:
        yield first, min(first + _RUN_QUARTERS, end)
        first += _RUN_QUARTERS
