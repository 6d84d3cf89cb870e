"""Series of the domain as columns of the Climkit answers: keys by mode and medium, periods."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from commonwatt.api.climkit.joined_rows import NO_ROWS, PeriodRows
from commonwatt.app.accounts.authorize import GrantedSite
from commonwatt.app.series.read import MeterSeries, SiteSeries
from commonwatt.climkit_v1.series_json import Column
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.balance.members import counts_unshared
from commonwatt.domain.metering.catalogue import Medium, Meter, valid_spans
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.metering.resample import Buckets, Sampling, buckets

Energies = NDArray[np.integer]
Flags = NDArray[np.bool_]
Named = tuple[str, Energies, Flags | None]
"""A key, one value a quarter-hour [Wh, litre], and in which ones it is there (None: all)."""


def meter_rows(series: MeterSeries, zone: str, frequency: SamplingFrequency) -> PeriodRows:
    """A meter's rows: ``total``, of a consumer ``self`` and ``ext`` too."""
    named: list[Named] = [("total", series.total, None)]
    own, ext, shared = series.self_energy, series.ext, series.shared
    if own is not None and ext is not None and shared is not None:
        named += [("self", own, shared), ("ext", ext, shared)]
    return _rows(named, series.answered, series.first_quarter, zone, frequency)


def site_rows(
    series: SiteSeries,
    medium: Medium,
    site: GrantedSite,
    frequency: SamplingFrequency,
) -> PeriodRows:
    """A site's rows, with the columns of the series' meters, save closed ones."""
    balance = series.balance
    named = _electricity(balance) if medium is Medium.ELECTRICITY else []
    named = named or [("conso_total", balance.conso_total, None)]
    for meter, meter_series in series.meters:
        if site.scope.opens(meter):
            named += _meter_columns(meter, meter_series)
    return _rows(named, exists(balance.quality), series.first_quarter, site.timezone, frequency)


def _electricity(balance: SiteBalance) -> list[Named]:
    return [
        ("conso_total", balance.conso_total, None),
        ("prod_total", balance.prod_total, None),
        ("from_ext", balance.from_ext, None),
        ("self", balance.self_energy, None),
        ("to_ext", balance.to_ext, None),
        ("storage_charging_self", balance.storage_charging_self, None),
        ("storage_charging_total", balance.storage_charging, None),
        ("storage_discharging_total", balance.storage_discharging, None),
    ]


def _meter_columns(meter: Meter, series: MeterSeries) -> Iterator[Named]:
    """Consumers have three columns, producers one, grid meters and batteries none of their own.

    Each quarter-hour by what the meter was then. Meters that are not part of the balance have none
    either: the columns add up to the site's.
    """
    own, ext, quality_self = series.self_energy, series.ext, series.quality_self
    there = exists(series.quality_total) & _counted_unshared(meter, series)
    if own is None or ext is None or quality_self is None:
        yield f"total_{meter.id}", series.total, there
        return
    shared = exists(quality_self)
    yield f"total_{meter.id}", series.total, there | shared
    yield f"self_{meter.id}", own, shared
    yield f"ext_{meter.id}", ext, shared


def _counted_unshared(meter: Meter, series: MeterSeries) -> Flags:
    """Where the total of a meter without a share is part of the balance."""
    first, length = series.first_quarter, len(series.quality_total)
    counted = np.zeros(length, np.bool_)
    span = first * QUARTER_S, (first + length) * QUARTER_S
    for start_at, end_at in valid_spans(*span, meter.facts):
        section = slice(start_at // QUARTER_S - first, end_at // QUARTER_S - first)
        counted[section] = counts_unshared(meter.medium, meter.facts_at(start_at))
    return counted


def _rows(
    named: list[Named], shown: Flags, first_quarter: int, zone: str, frequency: SamplingFrequency
) -> PeriodRows:
    positions = np.flatnonzero(shown)
    if not positions.size:
        return NO_ROWS
    periods = buckets(positions + first_quarter, zone, Sampling(frequency.value))
    complete = positions.size == shown.size
    chosen = slice(None) if complete else positions
    columns = [_column(each, chosen, periods) for each in named]
    present = [column for column in columns if column is not None]
    return PeriodRows(periods.starts_at, present)


def _column(named: Named, chosen: slice | NDArray[np.intp], periods: Buckets) -> Column | None:
    name, values, there = named
    if there is None:
        return Column(name, periods.sum(values[chosen]))
    there = there[chosen]
    if there.all():
        return Column(name, periods.sum(values[chosen]))
    if not there.any():
        return None
    known = np.where(there, values[chosen], 0)
    return Column(name, periods.sum(known), present=periods.any(there))
