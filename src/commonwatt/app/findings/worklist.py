"""What keeps a period of a group from being locked, each with the action that resolves it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.findings.balance_tasks import balance_tasks
from commonwatt.app.findings.joined import join_findings
from commonwatt.app.findings.meter_tasks import ESTIMATED_LIMIT, estimated_task, missing_tasks
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.task import (
    ApplyDeclaration,
    Task,
    TaskState,
    acceptance,
    task_of_finding,
)
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.local_month import months_within
from commonwatt.app.series.read import read_site_series
from commonwatt.app.settling.marks import days_with_data
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, RegisterKind, SiteCatalogue
from commonwatt.domain.metering.edits import Edit, accepted_quarters
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import (
    DAY_QUARTERS,
    DAY_S,
    QUARTER_S,
    first_quarter_from,
    quarter_of,
)

LEAST_FALLS = 3
"""So often hardly any device is exchanged within a period."""
_NEARLY_NOTHING = 10
"""A fall to at most this fraction of the index is one to nearly nothing."""
BEGINS_AGAIN = "register-kind"
"""The kind of task that proposes `register_kind: resets`."""


def begins_again_tasks(meter: Meter, findings: Sequence[Finding]) -> Iterator[Task]:
    """Propose ``register_kind: resets`` where the open ``findings`` of a meter suggest it.

    At least `LEAST_FALLS` breaks of one register at which the index falls to nearly nothing. It
    changes nothing until somebody declares it.
    """
    breaks = [each for each in findings if each.rule is FindingRule.INDEX_BREAK]
    if meter.register_kind is RegisterKind.RESETS:
        return
    for register in sorted({each.register for each in breaks}):
        falls = [each for each in breaks if each.register == register and _to_nothing(each)]
        if len(falls) >= LEAST_FALLS:
            yield Task(
                kind=BEGINS_AGAIN,
                meter=meter,
                start_at=min(each.start_at for each in falls),
                end_at=max(each.end_at for each in falls),
                text=f"{meter.name}: {register} fell to nearly nothing {len(falls)} times; if its "
                "counter begins again each day or session, declare register_kind: resets, which "
                "settles all of these breaks",
                action=ApplyDeclaration(),
            )


def _to_nothing(finding: Finding) -> bool:
    before, after = finding.evidence["index_before"], finding.evidence["index_after"]
    return _NEARLY_NOTHING * after <= before


_FILED_LATER_S = 40 * DAY_S
"""A break is filed under the reading after it, which may come after the period."""


def read_worklist(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int,
    end_at: int,
    estimated_limit: float = ESTIMATED_LIMIT,
    scope: AccessScope = WHOLE,
) -> list[Task]:
    """Return what is to do in [start, end) [Unix seconds]; nothing open: it can be locked.

    What was locked with things to do goes on being told, as LOCKED. Of what is not in sight nothing
    is told but that there is no balance, where totals are.
    """
    locked_at = snapshot.locks.locked_until(catalogue.site.number, group) or start_at
    cut_at = min(max(locked_at, start_at), end_at)
    parts = ((start_at, cut_at, TaskState.LOCKED), (cut_at, end_at, TaskState.OPEN))
    tasks = [
        replace(task, state=state) if task.state is TaskState.OPEN else task
        for from_at, until_at, state in parts
        for task in _tasks(snapshot, catalogue, group, from_at, until_at, estimated_limit, scope)
    ]
    return sorted(tasks, key=_order)


def _order(task: Task) -> tuple[object, ...]:
    """What is open first, by type and address of the meter, the site's own last, then in time."""
    meter = task.meter
    where = ("", 0) if meter is None else (meter.medium.value, meter.prim_ad)
    return task.state is not TaskState.OPEN, meter is None, *where, task.start_at, task.kind


def open_tasks(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, until_at: int
) -> list[Task]:
    """Return what is still to do before an instant [Unix seconds] and not locked.

    Month by month of the site's calendar, as it is billed.
    """
    site = catalogue.site
    known = days_with_data(snapshot, catalogue.meters_of(group), site.number)
    if known is None:
        return []
    start_at = snapshot.locks.locked_until(site.number, group)
    if start_at is None:
        start_at = _begins_at(snapshot, catalogue, group, *known)
    return [
        task
        for month in months_within(site.timezone, start_at, until_at)
        for task in read_worklist(snapshot, catalogue, group, *month)
        if task.state is TaskState.OPEN
    ]


def _begins_at(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> int:
    """The first quarter-hour of a group in which anything is alive, of the days [first, end)."""
    first, end = first_day * DAY_QUARTERS, min(first_day + 2, end_day) * DAY_QUARTERS
    series = read_site_series(
        snapshot, catalogue, Medium(group.value), first, end, with_meters=True
    )
    if series is None:
        return first * QUARTER_S
    alive = np.zeros(end - first, np.bool_)
    for _, of_meter in series.meters:
        alive |= of_meter.quality_total != Quality.ABSENT
    return (first + int(alive.argmax())) * QUARTER_S


def _tasks(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int,
    end_at: int,
    estimated_limit: float,
    scope: AccessScope,
) -> list[Task]:
    first, end = first_quarter_from(start_at), quarter_of(end_at)
    if first >= end:
        return []
    medium = Medium(group.value)
    series = read_site_series(snapshot, catalogue, medium, first, end, with_meters=True)
    if series is None:
        return []
    edits = snapshot.edits.edits(catalogue.site.number, start_at, end_at)
    accepting = [
        each
        for each in edits
        if each.accepts and each.undone_us is None and scope.since(each.start_at)
    ]
    open_findings = [
        each
        for each in _open_findings(snapshot, catalogue, group, start_at, end_at, scope)
        if not _is_accepted(each, accepting)
    ]
    joined_findings = join_findings(open_findings)
    tasks = [task_of_finding(catalogue, each.whole) for each in joined_findings]
    for meter, of_meter in series.meters:
        if not scope.opens(meter):
            continue
        known = [each for each in open_findings if each.meter == meter.number]
        tasks += begins_again_tasks(meter, known)
        tasks += missing_tasks(snapshot, catalogue, meter, of_meter, known)
        accepted = accepted_quarters(accepting, meter.number, first, end)
        limit = estimated_limit
        tasks += estimated_task(snapshot, catalogue, meter, of_meter, accepted, limit)
        tasks += [
            acceptance(catalogue.site, meter, each)
            for each in accepting
            if each.meter == meter.number
        ]
    if scope.tells_totals(catalogue, medium):
        tasks += balance_tasks(snapshot, catalogue, group, series, scope)
    return tasks


_ACCEPTABLE = frozenset(
    {
        FindingRule.POWER_ABOVE_LIMIT,
        FindingRule.CATCH_UP,
        FindingRule.UNUSUAL_STEP,
        FindingRule.INTERVAL_REGISTER_MISMATCH,
        FindingRule.READINGS_UNUSED,
    }
)
"""What says of numbers that they are implausible; the others leave quarter-hours without one."""


def _is_accepted(finding: Finding, accepting: Sequence[Edit]) -> bool:
    """Whether somebody accepted all that a finding is about."""
    return finding.rule in _ACCEPTABLE and any(
        each.meter == finding.meter
        and each.start_at <= finding.start_at
        and finding.end_at <= each.end_at
        for each in accepting
    )


def _open_findings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int,
    end_at: int,
    scope: AccessScope,
) -> list[Finding]:
    of_group = {meter.number for meter in catalogue.meters_of(group)}
    found = read_findings(snapshot, catalogue, start_at, end_at + _FILED_LATER_S, scope)
    return [
        each
        for each in found
        if each.rule.needs_decision
        and each.meter in of_group
        and each.start_at < end_at
        and each.end_at >= start_at
    ]
