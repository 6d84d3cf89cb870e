"""Reading what validation set aside or doubts, fresh where days are dirty."""

from commonwatt.app.ports import Snapshot
from commonwatt.app.read_series import dirty_settlements
from commonwatt.domain.catalogue import Group, SiteCatalogue
from commonwatt.domain.findings import Finding
from commonwatt.domain.quarter_hours import DAY_QUARTERS, DAY_S, day_of

_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1
"""All days that a store can name."""


def read_findings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    start_at: int | None = None,
    end_at: int | None = None,
) -> list[Finding]:
    """Read the findings filed under instants of [start, end) [Unix seconds]; None is unbounded."""
    found: list[Finding] = []
    for group in Group:
        found += _of_group(snapshot, catalogue, group, start_at, end_at)
    return sorted(found, key=lambda each: (each.belongs_at, each.meter, each.register, each.rule))


def _of_group(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int | None,
    end_at: int | None,
) -> list[Finding]:
    meters = catalogue.meters_of(group)
    site = catalogue.site.number
    if not meters:
        return []
    # Not only where there are data: a clock that was never set has its finding in 1970.
    first_day = _FIRST_DAY if start_at is None else max(_FIRST_DAY, day_of(start_at))
    end_day = _END_DAY if end_at is None else min(_END_DAY, -(-end_at // DAY_S))
    settlements = dirty_settlements(snapshot, catalogue, group, first_day, end_day)
    fresh = [(s.first_quarter // DAY_QUARTERS, s.end_quarter // DAY_QUARTERS) for s in settlements]
    stored = snapshot.results.findings(site, [m.number for m in meters], first_day, end_day)
    findings = [
        each
        for each in stored
        if not any(first <= day_of(each.belongs_at) < end for first, end in fresh)
    ]
    for settlement, (first, end) in zip(settlements, fresh, strict=True):
        findings += [each for each in settlement.findings if first <= day_of(each.belongs_at) < end]
    return [
        each
        for each in findings
        if (start_at is None or each.belongs_at >= start_at)
        and (end_at is None or each.belongs_at < end_at)
    ]
