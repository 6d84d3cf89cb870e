"""Reading what validation set aside or finds implausible, fresh where days are dirty."""

from collections.abc import Mapping

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.findings.span_mismatches import span_mismatches
from commonwatt.app.ports import Snapshot
from commonwatt.app.readings.held import held_findings
from commonwatt.app.series.read import dirty_settlements
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, day_of
from commonwatt.domain.plausibility.days.register_check import register_meter_of

_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1
"""All days that a store can name."""


def read_findings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    start_at: int | None = None,
    end_at: int | None = None,
    scope: AccessScope = WHOLE,
) -> list[Finding]:
    """Read the findings filed under instants of [start, end) [Unix seconds]; None is unbounded.

    Those in sight: what is found by another meter, or by the sum of the site, is seen with that.
    What is held back is found wherever it meets them, behind a limit of history only what begins
    after it.
    """
    if scope.history_from is not None:
        start_at = scope.history_from if start_at is None else max(start_at, scope.history_from)
    if start_at is not None and end_at is not None and start_at >= end_at:
        return []
    found: list[Finding] = [
        each
        for each in held_findings(snapshot.readings, catalogue)
        if (start_at is None or each.end_at > start_at)
        and (end_at is None or each.start_at < end_at)
        and (scope.history_from is None or each.start_at >= scope.history_from)
    ]
    for group in Group:
        found += _of_group(snapshot, catalogue, group, start_at, end_at)
    if not scope.is_whole:
        by_number = {meter.number: meter for meter in catalogue.meters}
        found = [each for each in found if _in_scope(catalogue, by_number, each, scope)]
    return sorted(found, key=lambda each: (each.belongs_at, each.meter, each.register, each.rule))


def _in_scope(
    catalogue: SiteCatalogue, by_number: Mapping[int, Meter], finding: Finding, scope: AccessScope
) -> bool:
    meter = by_number[finding.meter]
    if not scope.shows(meter, finding.start_at):
        return False
    if finding.rule is FindingRule.SITE_SUM:
        return scope.tells_totals(catalogue, Medium(meter.medium.group.value))
    if finding.rule is FindingRule.INTERVAL_REGISTER_MISMATCH:
        compared = register_meter_of(catalogue, meter)
        return compared is None or scope.opens(compared)
    return True


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
    findings += span_mismatches(snapshot, catalogue, group, first_day, end_day, settlements)
    return [
        each
        for each in findings
        if (start_at is None or each.belongs_at >= start_at)
        and (end_at is None or each.belongs_at < end_at)
    ]
