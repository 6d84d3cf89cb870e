"""What each meter of a site counted in a period: the figures beside which a bill is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.billing.differences import Cause, read_differences
from commonwatt.app.ports import RegisterSpan, Snapshot
from commonwatt.app.series.read import MeterSeries, read_site_series
from commonwatt.app.series.register import with_register
from commonwatt.app.settling.plausible_days import first_used_day
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S, quarter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSums:
    """The sums of a meter over a period [Wh, litre]; None is what it has not.

    ``total`` is its main register (production: exported, else imported), ``self_energy`` the site's
    own energy that it was given and ``ext`` the rest, over the quarter-hours in which they are
    known: None where they are known in none. ``feed_in`` is what a meter that imports exported.
    ``missing`` counts the quarter-hours up to now in which nothing is known of it, from its first
    reading or installation until it was removed; of a rule meter only those of days that have
    readings. ``unshared`` counts those of a consumer without a share. ``estimated`` is the part of
    ``total`` that is estimated, ``quality`` the worst of all. ``differences``: what corrections
    since the lock would add, by column.
    """

    meter: Meter
    total: int | None
    self_energy: int | None
    ext: int | None
    feed_in: int | None
    missing: int
    unshared: int
    estimated: int
    quality: Quality
    differences: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSums:
    """The balance of a group over a period [Wh, litre], and its meters by type and address.

    Only ``conso_total`` is more than 0 where the medium is none that can be produced; all are None
    where no quarter-hour has a balance. ``missing`` counts the quarter-hours up to now without one,
    from the first reading of the group on. ``locked_until_at`` [Unix seconds] is None without lock.
    """

    group: Group
    conso_total: int | None
    self_energy: int | None
    from_ext: int | None
    to_ext: int | None
    prod_total: int | None
    missing: int
    locked_until_at: int | None
    meters: Sequence[MeterSums]


def read_month(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    start_at: int,
    end_at: int,
    now_at: int,
) -> SiteSums | None:
    """Sum what a group's meters counted in [start, end) [Unix seconds]; None without any.

    Locked quarter-hours are as they were locked.
    """
    first, end = quarter_of(start_at), quarter_of(end_at)
    medium = Medium(group.value)
    series = read_site_series(snapshot, catalogue, medium, first, end, with_meters=True)
    if series is None:
        return None
    differences: dict[int, dict[str, int]] = {}
    for each in read_differences(snapshot, catalogue, group, start_at, end_at):
        if each.cause is not Cause.CORRECTION:
            continue  # what an upgrade's rules alone change is no reason to bill
        of_meter = differences.setdefault(each.meter.number, {})
        of_meter[each.column] = of_meter.get(each.column, 0) + int(each.difference.sum())
    spans = snapshot.readings.register_spans(
        catalogue.site.number, [meter.number for meter, _ in series.meters]
    )
    quarters = np.arange(first, end)
    meters: list[MeterSums] = []
    any_there = np.zeros(end - first, np.bool_)
    for meter, of_meter_ in _by_address(series.meters):
        said = spans.get(meter.number, {})
        there = _there(meter, said, quarters, now_at)
        any_there |= there
        feed_in = None
        if _exports(meter, said):
            export = REGISTERS_OF[meter.medium][-1]
            other = with_register(of_meter_, snapshot, catalogue, meter, export)
            feed_in = _sum_of(other.total, exists(other.quality_total))
        meters.append(_sums(meter, of_meter_, there, feed_in, differences.get(meter.number, {})))
    locked_until_at = snapshot.locks.locked_until(catalogue.site.number, group)
    return _site_sums(group, series.balance, any_there, locked_until_at, meters)


def _by_address(
    meters: Iterable[tuple[Meter, MeterSeries]],
) -> list[tuple[Meter, MeterSeries]]:
    return sorted(meters, key=lambda each: (each[0].medium.value, each[0].prim_ad))


def _exports(meter: Meter, spans: Iterable[str]) -> bool:
    """Whether a meter whose main register imports has an exporting one that was ever read."""
    return (
        len(REGISTERS_OF[meter.medium]) > 1
        and not meter.current.main_is_export
        and meter.current.raw_register(REGISTERS_OF[meter.medium][-1]).value in spans
    )


def _there(
    meter: Meter, spans: Mapping[str, RegisterSpan], quarters: NDArray[np.int64], now_at: int
) -> NDArray[np.bool_]:
    """In which quarter-hours a meter is there and should be known by now; no rule meter."""
    # Of its first day it is stored from when on the meter counts.
    begins = [(first_used_day(meter, span) + 1) * DAY_S for span in spans.values()]
    if meter.installed_at is not None:
        begins = [meter.installed_at]
    if not begins or not meter.current.enabled:
        return np.zeros(len(quarters), np.bool_)
    until_at = now_at if meter.removed_at is None else min(meter.removed_at, now_at)
    return (quarters * QUARTER_S >= min(begins)) & ((quarters + 1) * QUARTER_S <= until_at)


def _sums(
    meter: Meter,
    series: MeterSeries,
    expected: NDArray[np.bool_],
    feed_in: int | None,
    differences: dict[str, int],
) -> MeterSums:
    quality = series.quality_total
    known, shared = exists(quality), series.shared
    own, ext = series.self_energy, series.ext
    missing = (quality == Quality.MISSING) | ((quality == Quality.ABSENT) & expected)
    there = quality[quality != Quality.ABSENT]
    worst = min((Quality(int(each)) for each in np.unique(there)), default=Quality.ABSENT)
    worst = Quality.MISSING if missing.any() else worst
    return MeterSums(
        meter=meter,
        total=_sum_of(series.total, known),
        self_energy=None if own is None or shared is None else _sum_of(own, shared),
        ext=None if ext is None or shared is None else _sum_of(ext, shared),
        feed_in=feed_in,
        missing=int(missing.sum()),
        unshared=0 if shared is None else int((known & ~shared).sum()),
        estimated=int(series.total[quality == Quality.ESTIMATED].sum()),
        quality=worst,
        differences=differences,
    )


def _site_sums(
    group: Group,
    balance: SiteBalance,
    expected: NDArray[np.bool_],
    locked_until_at: int | None,
    meters: Sequence[MeterSums],
) -> SiteSums:
    known = exists(balance.quality)
    conso, own, from_ext, to_ext, prod = (
        _sum_of(np.asarray(column), known)
        for column in (
            balance.conso_total,
            balance.self_energy,
            balance.from_ext,
            balance.to_ext,
            balance.prod_total,
        )
    )
    return SiteSums(
        group=group,
        conso_total=conso,
        self_energy=own,
        from_ext=from_ext,
        to_ext=to_ext,
        prod_total=prod,
        missing=int((~known & (expected | (balance.quality == Quality.MISSING))).sum()),
        locked_until_at=locked_until_at,
        meters=meters,
    )


def _sum_of(energy: NDArray[np.int64], known: NDArray[np.bool_]) -> int | None:
    """The sum over the quarter-hours that are known; None where none is: that is not 0."""
    return int(energy[known].sum()) if known.any() else None
