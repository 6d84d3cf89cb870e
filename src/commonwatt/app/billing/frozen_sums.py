"""What a step of a lock froze, in sums: of each meter, and of the balance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.app.ports import LockStep, Snapshot
from commonwatt.app.series.local_month import months_within
from commonwatt.app.series.read import MeterSeries, read_site_series
from commonwatt.app.settling.marks import days_with_data
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenSum:
    """The energy of a meter [Wh, litre] over a period; ``own`` is None of no consumer.

    ``missing`` counts quarter-hours of which nothing is known: they are in no sum.
    """

    meter: Meter
    total: int
    own: int | None
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """The quarter-hours [start, end) [Unix seconds] that a step froze.

    ``sums`` ascend by type and address; ``unclosed`` counts quarter-hours without a balance.
    """

    start_at: int
    end_at: int
    sums: Sequence[FrozenSum]
    unclosed: int


def frozen_by(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, steps: Sequence[LockStep]
) -> Frozen | None:
    """Return what the last of the steps of a group froze; None where there was nothing."""
    known = days_with_data(snapshot, catalogue.meters_of(group), catalogue.site.number)
    if known is None:
        return None
    start_at = steps[-2].until_at if len(steps) > 1 else known[0] * DAY_S
    end_at = steps[-1].until_at
    parts: dict[int, list[FrozenSum]] = {}
    unclosed = 0
    for month_start_at, month_end_at in months_within(catalogue.site.timezone, start_at, end_at):
        window = month_start_at // QUARTER_S, month_end_at // QUARTER_S
        medium = Medium(group.value)
        series = read_site_series(snapshot, catalogue, medium, *window, with_meters=True)
        if series is None:
            continue
        unclosed += int((series.balance.quality == Quality.MISSING).sum())
        for meter, of_meter in series.meters:
            parts.setdefault(meter.number, []).append(_sum(meter, of_meter))
    sums = [_joined(each) for each in parts.values()]
    sums.sort(key=lambda each: (each.meter.medium, each.meter.prim_ad))
    return Frozen(start_at=start_at, end_at=end_at, sums=sums, unclosed=unclosed)


def _sum(meter: Meter, series: MeterSeries) -> FrozenSum:
    known, shared = exists(series.quality_total), series.shared
    own = series.self_energy
    return FrozenSum(
        meter=meter,
        total=int(np.where(known, series.total, 0).sum()),
        own=None if own is None or shared is None else int(np.where(shared, own, 0).sum()),
        missing=int((series.quality_total == Quality.MISSING).sum()),
    )


def _joined(parts: Iterable[FrozenSum]) -> FrozenSum:
    months = list(parts)
    shares = [each.own for each in months if each.own is not None]
    return FrozenSum(
        meter=months[0].meter,
        total=sum(each.total for each in months),
        own=sum(shares) if shares else None,
        missing=sum(each.missing for each in months),
    )
