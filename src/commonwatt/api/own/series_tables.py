"""Series of meters and balances of sites as tables of periods, and the models of their rows."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from commonwatt.api.endpoint.fields import QualityWord
from commonwatt.api.endpoint.models import Answer
from commonwatt.app.series.read import MeterSeries
from commonwatt.domain.metering.catalogue import Medium
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quality import Method, Quality, exists
from commonwatt.domain.metering.resample import Buckets, Sampling, buckets, period_ends
from commonwatt.formats.tables.tables import (
    Amounts,
    Column,
    Instants,
    LocalInstants,
    Shares,
    Table,
    Words,
)

_QUALITY_WORDS: Sequence[str | None] = (None, *(q.name.lower() for q in list(Quality)[1:]))
_WHOLE = 1_000_000
_FLOWS = (
    *("conso_total", "prod_total", "from_ext", "self", "to_ext", "storage_charging_self"),
    *("storage_charging_total", "storage_discharging_total", "unallocated", "unmetered"),
)
"""Columns of a balance. Media other than electricity have the first alone."""


MethodWords = Annotated[str, Field(pattern=r"^[a-z]+(\+[a-z]+)*$")]


class Period(Answer):
    """When a period begins and ends."""

    start: str = Field(description="First instant of the period, UTC.")
    end: str = Field(description="First instant after it, UTC.")
    start_local: str = Field(description="`start` in the site's zone, with its offset.")


class Completeness(Answer):
    """How much of a period is known, and how well."""

    coverage: float = Field(
        description="Share [0 to 1] of its quarter-hours that have a value, of those of the life; "
        "cut to six decimals, so that 1 is complete."
    )
    estimated: float | None = Field(
        description="Share [0 to 1] of its energy, without signs, that is estimated, of a period "
        "without energy of its quarter-hours; rounded up to six decimals, so that 0 is no "
        "estimate; null where nothing is known."
    )


class SeriesRow(Completeness, Period):
    """A period of a meter's life. What is missing is null, never 0."""

    total: float | None = Field(description="Energy or volume [kWh; water m3], three decimals.")
    self: float | None = Field(
        description="Share of the site's own production [kWh]; null for what is no consumer of "
        "the balance."
    )
    ext: float | None = Field(description="total less self [kWh]; null where self is.")
    quality_total: QualityWord | None = Field(
        description="Quality of total: the worst of the period's quarter-hours."
    )
    quality_self: QualityWord | None = Field(
        description="Quality of self and ext; `missing` if a member of the balance is missing."
    )
    method: MethodWords | None = Field(
        description="How total was found: index, interval, rule, linear, shape, proxy, edit, seam; "
        "several methods in a period are joined by `+`; null where nothing is known."
    )


def _flow(description: str) -> Any:  # what pydantic declares a field by
    return Field(description=f"{description} [kWh]; null for types other than electricity.")


class BalanceRow(Completeness, Period):
    """A period of the site's balance. What is missing is null, never 0."""

    conso_total: float | None = Field(description="Consumption [kWh; water m3], three decimals.")
    prod_total: float | None = _flow("Production, as the balance has it")
    from_ext: float | None = _flow("Taken from the grid")
    self: float | None = _flow("Consumption from the site's own energy")
    to_ext: float | None = _flow("Fed into the grid")
    storage_charging_self: float | None = _flow("Charged from the site's own energy")
    storage_charging_total: float | None = _flow("Charged, as measured")
    storage_discharging_total: float | None = _flow("Discharged, as measured")
    unallocated: float | None = _flow("Part of self that no consumer has a share in")
    unmetered: float | None = _flow("Consumption that no meter measured, of a clamped balance")
    quality: QualityWord | None = Field(
        description="The worst of the period's quarter-hours; `missing` if a member is missing."
    )


def meter_table(series: MeterSeries, zone: str, sampling: Sampling) -> Table:
    """Make the table of a meter's periods; a row wherever the meter is alive.

    Sums are of the quarter-hours that have a value, a quality is the worst in the period.
    """
    alive = np.flatnonzero(series.quality_total != Quality.ABSENT)
    periods = buckets(alive + series.first_quarter, zone, sampling)
    quality_total, total = series.quality_total[alive], series.total[alive]
    own, ext, quality_self = series.self_energy, series.ext, series.quality_self
    if own is None or ext is None or quality_self is None:
        own = ext = np.zeros_like(series.total)
        quality_self = np.zeros_like(series.quality_total)
    quality_self = quality_self[alive]
    methods = np.zeros(len(alive), np.uint8) if series.method is None else series.method[alive]
    columns: list[Column] = [
        *_stamps(periods, zone, sampling),
        _amounts("total", total, exists(quality_total), periods),
        _amounts("self", own[alive], exists(quality_self), periods),
        _amounts("ext", ext[alive], exists(quality_self), periods),
        Words("quality_total", periods.min(quality_total), _QUALITY_WORDS),
        Words("quality_self", periods.min(quality_self), _QUALITY_WORDS),
        _coverage(quality_total, periods),
        _estimated(total, quality_total, periods),
        Words("method", _met(methods, periods), _method_words()),
    ]
    return Table(columns, len(periods.starts_at))


def balance_table(
    balance: SiteBalance, first_quarter: int, medium: Medium, zone: str, sampling: Sampling
) -> Table:
    """Make the table of a site's periods; a row wherever one of its meters is alive."""
    alive = np.flatnonzero(balance.quality != Quality.ABSENT)
    periods = buckets(alive + first_quarter, zone, sampling)
    quality = balance.quality[alive]
    known = exists(quality)
    nothing = np.zeros_like(known)
    has_flows = medium is Medium.ELECTRICITY
    flows = _flows(balance)
    columns: list[Column] = [
        *_stamps(periods, zone, sampling),
        *(
            _amounts(name, flows[name][alive], known if has_flows or not at else nothing, periods)
            for at, name in enumerate(_FLOWS)
        ),
        _coverage(quality, periods),
        _estimated(balance.conso_total[alive], quality, periods),
        Words("quality", periods.min(quality), _QUALITY_WORDS),
    ]
    return Table(columns, len(periods.starts_at))


def _flows(balance: SiteBalance) -> Mapping[str, NDArray[np.int64]]:
    columns = (
        *(balance.conso_total, balance.prod_total, balance.from_ext, balance.self_energy),
        *(balance.to_ext, balance.storage_charging_self, balance.storage_charging),
        *(balance.storage_discharging, balance.self_energy - balance.allocated, balance.unmetered),
    )
    return dict(zip(_FLOWS, columns, strict=True))


def _stamps(periods: Buckets, zone: str, sampling: Sampling) -> list[Column]:
    starts_at = periods.starts_at
    ends_at = period_ends(starts_at, zone, sampling)
    return [
        Instants("start", starts_at),
        Instants("end", ends_at),
        LocalInstants("start_local", starts_at, zone),
    ]


def _amounts(
    name: str, values: NDArray[np.integer], known: NDArray[np.bool_], periods: Buckets
) -> Amounts:
    """Sum what is known of each period; not known where nothing of it is."""
    return Amounts(name, periods.sum(np.where(known, values, 0)), periods.any(known))


def _coverage(quality: NDArray[np.uint8], periods: Buckets) -> Shares:
    """The share of a period's quarter-hours that have a value, of those of the meter's life.

    Cut, not rounded, so that 1 is complete.
    """
    lived = periods.sum(np.ones(len(quality), np.int64))
    known = periods.sum(exists(quality).astype(np.int64))
    return Shares("coverage", known * _WHOLE // np.maximum(lived, 1), lived > 0)


def _estimated(energy: NDArray[np.int64], quality: NDArray[np.uint8], periods: Buckets) -> Shares:
    """The share of a period's energy, signs apart, that is estimated.

    Of a period without any energy the share of its quarter-hours that have a value; none where none
    has. Rounded up, so that 0 is no estimate.
    """
    known, guessed = exists(quality), quality == Quality.ESTIMATED
    amount = np.abs(energy)
    whole = periods.sum(np.where(known, amount, 0))
    part = periods.sum(np.where(guessed, amount, 0))
    known_count = periods.sum(known.astype(np.int64))
    guessed_count = periods.sum(guessed.astype(np.int64))
    part = np.where(whole > 0, part, guessed_count)
    whole = np.where(whole > 0, whole, known_count)
    return Shares("estimated", -(-part * _WHOLE // np.maximum(whole, 1)), known_count > 0)


def _met(methods: NDArray[np.uint8], periods: Buckets) -> NDArray[np.int64]:
    """The methods met in each period, a bit each by code."""
    met = np.zeros(len(periods.starts_at), np.int64)
    for method in Method:
        if method is not Method.NONE:
            met |= periods.any(methods == method).astype(np.int64) << (method - 1)
    return met


@cache
def _method_words() -> Sequence[str | None]:
    """The words of what `_met` gives, by its number: of several, joined by ``+``."""
    names = [method.name.lower() for method in Method if method is not Method.NONE]
    return [
        "+".join(name for at, name in enumerate(names) if met >> at & 1) or None
        for met in range(1 << len(names))
    ]
