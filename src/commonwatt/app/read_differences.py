"""What later corrections would change of locked quarter-hours: signed, ready for the next bill.

The sum of what is locked, of these differences and of what is not locked is always the difference
of the registers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.app.read_series import MeterSeries, dirty_settlements, laid_over, series_of
from commonwatt.app.settle_site import LONGEST_RUN_DAYS
from commonwatt.domain.catalogue import Group, Meter, SiteCatalogue
from commonwatt.domain.quality import exists
from commonwatt.domain.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S, day_runs
from commonwatt.domain.settlement import Settlement

COLUMNS = ("total", "self", "ext")
_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class Differences:
    """The quarter-hours of one column of a meter that differ, ascending.

    ``locked`` and ``current`` [Wh, litre] where ``locked_known`` and ``current_known``, else 0: so
    ``difference`` counts what is unknown as nothing.
    """

    meter: Meter
    column: str
    quarters: NDArray[np.int64]
    locked: NDArray[np.int64]
    current: NDArray[np.int64]
    locked_known: NDArray[np.bool_]
    current_known: NDArray[np.bool_]

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
    for run in day_runs(days, LONGEST_RUN_DAYS):
        settlements = dirty_settlements(snapshot, catalogue, group, *run)
        for meter in meters:
            found += _of_meter(snapshot, catalogue, meter, run, quarters, settlements)
    return found


def _of_meter(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    days: tuple[int, int],
    quarters: tuple[int, int],
    settlements: Sequence[Settlement],
) -> Iterator[Differences]:
    """Compare what is answered of a run of days with what would be without the lock."""
    site = catalogue.site.number
    window = tuple(
        min(max(quarter, days[0] * DAY_QUARTERS), days[1] * DAY_QUARTERS) for quarter in quarters
    )
    answered = snapshot.results.profile(site, meter.number, *days)
    current = replace(snapshot.locks.open_profile(site, meter.number, *days), method=None)
    for settlement in settlements:
        current = laid_over(current, settlement, days[0])
    locked, now = (series_of(each, meter, days[0], *window) for each in (answered, current))
    for column in COLUMNS:
        before, before_known = _column(locked, column)
        after, after_known = _column(now, column)
        differs = np.flatnonzero((before != after) | (before_known != after_known))
        if len(differs):
            yield Differences(
                meter=meter,
                column=column,
                quarters=differs + locked.first_quarter,
                locked=before[differs],
                current=after[differs],
                locked_known=before_known[differs],
                current_known=after_known[differs],
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
