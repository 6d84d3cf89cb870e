"""What is to do about the quarter-hours of one meter: those without data, and estimated ones."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.findings.lacking_registers import declared_installation, first_accepted
from commonwatt.app.findings.task import (
    Action,
    ApplyDeclaration,
    ImportReadings,
    Task,
    quarters_text,
)
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries
from commonwatt.app.settling.load import judge_meters
from commonwatt.domain.energy.register_gaps import interpolated_gap_s
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, QUARTER_S, first_quarter_from
from commonwatt.domain.vee.pipeline import JudgedRegister


def as_expected(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, first_quarter: int, length: int
) -> NDArray[np.bool_]:
    """Mark the quarter-hours of a meter that are estimated because it is read so seldom.

    They lie between two used readings as far apart as is expected, neither of which was sent as
    estimated.
    """
    marked = np.zeros(length, np.bool_)
    end_quarter = first_quarter + length
    days = first_quarter // DAY_QUARTERS, -(-end_quarter // DAY_QUARTERS)
    limit_s, expected_s = interpolated_gap_s(meter.medium), meter.longest_expected_s
    for judged in judge_meters(snapshot.readings, catalogue, [meter], *days):
        for register in judged.registers.values():
            for segment in register.segments if isinstance(register, JudgedRegister) else ():
                used = segment.readings
                apart_s = np.diff(used.stamps)
                fits = (apart_s > limit_s) & (apart_s <= expected_s)
                fits &= np.minimum(used.at_best[1:], used.at_best[:-1]) > Quality.ESTIMATED.value
                for before in np.flatnonzero(fits).tolist():
                    start = int(used.stamps[before]) // QUARTER_S - first_quarter
                    end = first_quarter_from(int(used.stamps[before + 1])) - first_quarter
                    marked[max(start, 0) : max(end, 0)] = True
    return marked


ESTIMATED_LIMIT = 0.05
"""Share of a meter's energy that may be estimated."""
_SPANS_TOLD = 5


def missing_tasks(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    series: MeterSeries,
    known: Iterable[Finding],
) -> Iterator[Task]:
    """What is not there and that no finding explains; what a rule gives is that of its meters."""
    quality, first = series.quality_total, series.first_quarter
    if meter.facts_at(first * QUARTER_S).rule is not None:
        return
    if exists(quality).any():
        kind, spans = "missing", _told_spans(quality, first, known)
    else:
        is_awaited = _should_count(meter, first, len(quality))
        whole = [(first * QUARTER_S, (first + len(quality)) * QUARTER_S)]
        kind, spans = "missing-meter", whole if is_awaited else []
    for start_at, end_at in spans:
        of_span = quality[start_at // QUARTER_S - first : end_at // QUARTER_S - first]
        count = int((of_span == Quality.MISSING).sum())
        missing = kind == "missing"
        text = f"is missing in {quarters_text(count)}" if missing else "has no data in the period"
        action: Action = ImportReadings(meter.id)
        joined_at = _joined_at(snapshot, catalogue, meter, end_at)
        if joined_at is not None:
            declared = declared_installation(joined_at, catalogue.site.timezone)
            text = f"{text}; it is read only later: if it joined then, declare {declared}"
            action = ApplyDeclaration()
        yield Task(
            kind=kind,
            meter=meter,
            start_at=start_at,
            end_at=end_at,
            text=f"{meter.name} {text}",
            action=action,
        )


def _told_spans(
    quality: NDArray[np.uint8], first: int, known: Iterable[Finding]
) -> list[tuple[int, int]]:
    """The runs that are missing and that no finding explains; of many, one around all of them."""
    # That readings were not used does not tell why others are missing.
    explained = [each for each in known if each.rule is not FindingRule.READINGS_UNUSED]
    spans = [
        (start_at, end_at)
        for start_at, end_at in spans_of(quality == Quality.MISSING, first)
        if not any(each.start_at <= end_at and each.end_at >= start_at for each in explained)
    ]
    # A meter that drops in and out is one thing to do, not hundreds.
    return [(spans[0][0], spans[-1][1])] if len(spans) > _SPANS_TOLD else spans


def _joined_at(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, end_at: int
) -> int | None:
    """When a meter was read for the first time, if not before an instant [Unix seconds]."""
    firsts = first_accepted(snapshot, catalogue, meter).values()
    # A meter is alive from the first whole quarter-hour after its first reading.
    first_at = min(firsts, default=None)
    return first_at if first_at is not None and first_at > end_at - QUARTER_S else None


def _should_count(meter: Meter, first: int, length: int) -> bool:
    """Whether a meter without data is expected to have some; not if it is gone or switched off."""
    start_at, end_at = first * QUARTER_S, (first + length) * QUARTER_S
    if meter.removed_at is not None and meter.removed_at <= start_at:
        return False
    if meter.installed_at is not None and meter.installed_at >= end_at:
        return False
    return meter.facts_at(end_at - 1).enabled


def estimated_task(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    series: MeterSeries,
    accepted: NDArray[np.bool_],
    limit: float,
) -> Iterator[Task]:
    """A share of estimated energy over the limit; rule meters have it from those they name.

    What is ``accepted`` is in no share, nor what lies between readings as far apart as is expected.
    """
    quality = series.quality_total
    estimated = (quality == Quality.ESTIMATED) & ~accepted
    if meter.expected_s is not None and estimated.any():
        estimated &= ~as_expected(snapshot, catalogue, meter, series.first_quarter, len(quality))
    amount = np.where(exists(quality), np.abs(series.total), 0)
    whole = int(amount.sum())
    part = int(amount[estimated].sum())
    first = series.first_quarter
    if not whole or part <= limit * whole or meter.facts_at(first * QUARTER_S).rule is not None:
        return
    positions = np.flatnonzero(estimated)
    start_at, end_at = ((first + int(at)) * QUARTER_S for at in (positions[0], positions[-1] + 1))
    yield Task(
        kind="estimated",
        meter=meter,
        start_at=start_at,
        end_at=end_at,
        text=f"{meter.name}: {part / whole:.1%} of its energy is estimated (limit {limit:.1%}); "
        "where no more readings are to come, `commonwatt accept` it, or declare how often it is "
        "read: expected",
        action=ImportReadings(meter.id),
    )


def spans_of(marked: NDArray[np.bool_], first: int) -> list[tuple[int, int]]:
    """Return the runs of marked quarter-hours from ``first`` on, [start, end) [Unix seconds]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False]))))
    instants = ((edges + first) * QUARTER_S).tolist()
    return list(zip(instants[::2], instants[1::2], strict=True))
