"""What keeps a period of a group from being locked, each with the command that resolves it."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.app.read_findings import read_findings
from commonwatt.app.read_series import MeterSeries, SiteSeries, read_site_series
from commonwatt.app.worklist_task import Task, task_of_finding
from commonwatt.domain.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.findings import Finding
from commonwatt.domain.load_profile import Energy, SiteBalance
from commonwatt.domain.quality import Quality, exists
from commonwatt.domain.quarter_hours import DAY_S, QUARTER_S, first_quarter_from, quarter_of

ESTIMATED_LIMIT = 0.05
"""Share of a meter's energy that may be estimated."""
UNBALANCED_LIMIT = 0.05
"""Share of the consumption that may be unmetered, or stay unallocated."""
_FILED_LATER_S = 40 * DAY_S
"""A break is filed under the reading after it, which may come after the period."""
_SPANS_TOLD = 5
OPEN_BOOKS = "unbalanced"
"""The kind of task that concerns the whole site, even where one meter is the cause."""


def read_worklist(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int,
    end_at: int,
    estimated_limit: float = ESTIMATED_LIMIT,
) -> list[Task]:
    """Return what is to do in [start, end) [Unix seconds]; nothing: it can be locked.

    What is locked already needs nothing any more.
    """
    site = catalogue.site.number
    start_at = max(start_at, snapshot.locks.locked_until(site, group) or start_at)
    first, end = first_quarter_from(start_at), quarter_of(end_at)
    if first >= end:
        return []
    medium = Medium(group.value)
    series = read_site_series(snapshot, catalogue, medium, first, end, with_meters=True)
    if series is None:
        return []
    open_findings = _open_findings(snapshot, catalogue, group, start_at, end_at)
    tasks = [task_of_finding(catalogue, each) for each in open_findings]
    for meter, of_meter in series.meters:
        known = [each for each in open_findings if each.meter == meter.number]
        tasks += _missing(meter, of_meter, known)
        tasks += _estimated(meter, of_meter, estimated_limit)
    tasks += _unbalanced(catalogue, series)
    return sorted(tasks, key=lambda each: (each.start_at, each.kind, each.meter is None))


def _open_findings(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, start_at: int, end_at: int
) -> list[Finding]:
    of_group = {meter.number for meter in catalogue.meters_of(group)}
    found = read_findings(snapshot, catalogue, start_at, end_at + _FILED_LATER_S)
    return [
        each
        for each in found
        if each.rule.needs_decision
        and each.meter in of_group
        and each.start_at < end_at
        and each.end_at >= start_at
    ]


def _missing(meter: Meter, series: MeterSeries, known: Iterable[Finding]) -> Iterator[Task]:
    """What is not there and that no finding explains."""
    quality, first = series.quality_total, series.first_quarter
    command = f"commonwatt import FILE --meter {meter.id}"
    if meter.facts_at(first * QUARTER_S).rule is not None:
        return
    if not exists(quality).any():
        if _should_count(meter, first, len(quality)):
            yield Task(
                kind="missing-meter",
                meter=meter,
                start_at=first * QUARTER_S,
                end_at=(first + len(quality)) * QUARTER_S,
                text=f"{meter.name} has no data in the period",
                command=command,
            )
        return
    spans = [
        (start_at, end_at)
        for start_at, end_at in _spans(quality == Quality.MISSING, first)
        if not any(each.start_at <= end_at and each.end_at >= start_at for each in known)
    ]
    if len(spans) > _SPANS_TOLD:
        # A meter that drops in and out is one thing to do, not hundreds.
        spans = [(spans[0][0], spans[-1][1])]
    for start_at, end_at in spans:
        here = quality[start_at // QUARTER_S - first : end_at // QUARTER_S - first]
        count = int((here == Quality.MISSING).sum())
        yield Task(
            kind="missing",
            meter=meter,
            start_at=start_at,
            end_at=end_at,
            text=f"{meter.name} is missing in {_quarters(count)}",
            command=command,
        )


def _should_count(meter: Meter, first: int, length: int) -> bool:
    """Whether a meter without data is expected to have some; not if it is gone or switched off."""
    start_at, end_at = first * QUARTER_S, (first + length) * QUARTER_S
    if meter.removed_at is not None and meter.removed_at <= start_at:
        return False
    if meter.installed_at is not None and meter.installed_at >= end_at:
        return False
    return meter.facts_at(end_at - 1).enabled


def _estimated(meter: Meter, series: MeterSeries, limit: float) -> Iterator[Task]:
    """A share of estimated energy over the limit; rule meters have it from those they name."""
    quality = series.quality_total
    amount = np.where(exists(quality), np.abs(series.total), 0)
    whole = int(amount.sum())
    part = int(amount[quality == Quality.ESTIMATED].sum())
    first = series.first_quarter
    if not whole or part <= limit * whole or meter.facts_at(first * QUARTER_S).rule is not None:
        return
    positions = np.flatnonzero(quality == Quality.ESTIMATED)
    yield Task(
        kind="estimated",
        meter=meter,
        start_at=(first + int(positions[0])) * QUARTER_S,
        end_at=(first + int(positions[-1]) + 1) * QUARTER_S,
        text=f"{meter.name}: {part / whole:.1%} of its energy is estimated (limit {limit:.1%})",
        command=f"commonwatt import FILE --meter {meter.id}",
    )


def _unbalanced(catalogue: SiteCatalogue, series: SiteSeries) -> Iterator[Task]:
    balance, first = series.balance, series.first_quarter
    missing = balance.quality == Quality.MISSING
    if missing.any():
        yield _without_books(series, missing)
    known = exists(balance.quality)
    conso = int(np.abs(balance.conso_total[known]).sum())
    for kind, amount in _beyond(catalogue, balance, first):
        part = int(np.abs(amount[known]).sum())
        if part > UNBALANCED_LIMIT * conso:
            share = f"{part / conso:.1%}" if conso else "all"
            yield Task(
                kind=kind,
                meter=None,
                start_at=first * QUARTER_S,
                end_at=(first + len(missing)) * QUARTER_S,
                text=f"{share} of the consumption is {kind} (limit {UNBALANCED_LIMIT:.1%}): "
                "a meter may not be declared, or be wired in reverse",
                command="commonwatt apply FILE.yaml",
            )


def _beyond(
    catalogue: SiteCatalogue, balance: SiteBalance, first: int
) -> Iterator[tuple[str, Energy]]:
    yield "unmetered", balance.unmetered
    # What a fixed percentage cannot use is left over on purpose.
    if catalogue.site_facts_at(first * QUARTER_S).key != "fixed":
        yield "unallocated", balance.self_energy - balance.allocated


def _without_books(series: SiteSeries, missing: NDArray[np.bool_]) -> Task:
    """The quarter-hours without books, and the members that are missing most in them."""
    counts = [
        (int((of_meter.quality_total[missing] == Quality.MISSING).sum()), meter)
        for meter, of_meter in series.meters
        if not meter.is_rule_meter
    ]
    ordered = sorted(counts, key=lambda each: -each[0])
    worst = [meter for count, meter in ordered if count]
    positions = np.flatnonzero(missing)
    names = ", ".join(meter.name for meter in worst[:3]) or "a member"
    more = f" and {len(worst) - 3} more" if len(worst) > 3 else ""
    command = f"commonwatt import FILE --meter {worst[0].id if worst else 'ID'}"
    return Task(
        kind=OPEN_BOOKS,
        meter=worst[0] if len(worst) == 1 else None,
        start_at=(series.first_quarter + int(positions[0])) * QUARTER_S,
        end_at=(series.first_quarter + int(positions[-1]) + 1) * QUARTER_S,
        text=f"no books in {_quarters(len(positions))}, because of {names}{more}",
        command=command,
    )


def _spans(marked: NDArray[np.bool_], first: int) -> list[tuple[int, int]]:
    """The runs of marked quarter-hours, [start, end) [Unix seconds]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False]))))
    instants = ((edges + first) * QUARTER_S).tolist()
    return list(zip(instants[::2], instants[1::2], strict=True))


def _quarters(count: int) -> str:
    return "1 quarter-hour" if count == 1 else f"{count} quarter-hours"
