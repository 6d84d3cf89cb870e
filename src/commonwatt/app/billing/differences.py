"""What would change of locked quarter-hours: signed, corrections ready for the next bill.

The sum of what is locked, of these differences and of what is not locked is always the difference
of the registers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries, dirty_settlements, laid_over, series_of
from commonwatt.app.settling.damaged import whole_results
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS, settlements_by_rules
from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.catalogue import Group, Meter, SiteCatalogue
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S, day_spans
from commonwatt.domain.settlement import Settlement

COLUMNS = ("total", "self", "ext")
_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1


class Cause(StrEnum):
    """What made a locked quarter-hour differ."""

    CORRECTION = "correction"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Differences:
    """The quarter-hours of one column of a meter that differ, ascending.

    ``cause`` says what made them differ: a correction (readings, edits, declarations), or the rules
    of a newer version alone. Where both changed a quarter-hour it is told twice: of the rules from
    what is locked to what they alone would make of it, of the correction from there to what would
    be answered without the lock. That from and to are ``locked`` and ``current`` [Wh, litre] where
    ``locked_known`` and ``current_known``, else 0: so ``difference`` counts what is unknown as
    nothing.
    """

    meter: Meter
    column: str
    quarters: NDArray[np.int64]
    locked: NDArray[np.int64]
    current: NDArray[np.int64]
    locked_known: NDArray[np.bool_]
    current_known: NDArray[np.bool_]
    cause: Cause = Cause.CORRECTION

    @property
    def difference(self) -> NDArray[np.int64]:
        """What is to be billed in addition; negative: to be given back."""
        return self.current - self.locked


def read_differences(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int | None = None,
    end_at: int | None = None,
) -> list[Differences]:
    """Read the open differences of a group's locked quarter-hours that begin in [start, end).

    In the order of time in runs of days, then of meters and columns. Nothing where nothing is
    locked.
    """
    site = catalogue.site.number
    locked_until_at = snapshot.locks.locked_until(site, group)
    if locked_until_at is None:
        return []
    end_at = locked_until_at if end_at is None else min(end_at, locked_until_at)
    first_day = _FIRST_DAY if start_at is None else start_at // DAY_S
    end_day = -(-end_at // DAY_S)
    first = first_day * DAY_QUARTERS if start_at is None else -(-start_at // QUARTER_S)
    quarters = first, -(-end_at // QUARTER_S)
    meters = catalogue.meters_of(group)
    numbers = [meter.number for meter in meters]
    days = set(snapshot.locks.open_days(site, numbers, first_day, end_day))
    days |= set(snapshot.results.dirty_days(site, group, first_day, end_day))
    found: list[Differences] = []
    for run in day_spans(days, LONGEST_RUN_DAYS):
        settlements = dirty_settlements(snapshot, catalogue, group, *run)
        pending = snapshot.locks.rules_pending(site, group, run)
        by_rules = [
            settlement
            for _, settlement in settlements_by_rules(snapshot, catalogue, group, pending)
        ]
        for meter in meters:
            found += _of_meter(snapshot, catalogue, meter, run, quarters, settlements, by_rules)
    return found


def _of_meter(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    days: tuple[int, int],
    quarters: tuple[int, int],
    settlements: Sequence[Settlement],
    by_rules: Sequence[Settlement],
) -> Iterator[Differences]:
    """Compare what is answered of a run of days with what would be without the lock.

    ``by_rules`` are the settlements of what an upgrade is still to change.
    """
    site = catalogue.site.number
    window = tuple(
        min(max(quarter, days[0] * DAY_QUARTERS), days[1] * DAY_QUARTERS) for quarter in quarters
    )
    answered = snapshot.results.profile(site, meter.number, *days)
    current, repaired = whole_results(
        *(snapshot, catalogue, meter.medium.group),
        lambda apart_from: snapshot.locks.open_profile(site, meter.number, *days, apart_from),
        open_too=True,
    )
    current = replace(current, method=None)
    for settlement in repaired:
        current = laid_over(current, settlement, days[0])
    change = snapshot.locks.rule_change(site, meter.number, *days)
    for settlement in by_rules:
        upgraded = laid_over(current, settlement, days[0])
        change = change.then(RuleChange.between(current, upgraded))
    for settlement in settlements:
        current = laid_over(current, settlement, days[0])
    locked, of_rules, now = (
        series_of(each, meter, days[0], *window)
        for each in (answered, change.of(answered), current)
    )
    for column in COLUMNS:
        yield from _differing(meter, column, Cause.RULES, locked, of_rules)
        yield from _differing(meter, column, Cause.CORRECTION, of_rules, now)


def _differing(
    meter: Meter, column: str, cause: Cause, before: MeterSeries, after: MeterSeries
) -> Iterator[Differences]:
    was, was_known = _column(before, column)
    now, now_known = _column(after, column)
    differs = np.flatnonzero((was != now) | (was_known != now_known))
    if len(differs):
        yield Differences(
            meter=meter,
            column=column,
            quarters=differs + before.first_quarter,
            locked=was[differs],
            current=now[differs],
            locked_known=was_known[differs],
            current_known=now_known[differs],
            cause=cause,
        )


def _column(series: MeterSeries, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A column [Wh, litre], 0 where it is unknown, and where it is known."""
    own, ext, quality_self = series.self_energy, series.ext, series.quality_self
    if name == "total":
        known = exists(series.quality_total)
        return np.where(known, series.total, 0), known
    values = own if name == "self" else ext
    if values is None or quality_self is None:
        length = len(series.quality_total)
        return np.zeros(length, np.int64), np.zeros(length, np.bool_)
    known = exists(quality_self)
    return np.where(known, values, 0), known
