"""Reading load profiles and balances: never stale, and never stuck behind a writer.

What is dirty in the window at the moment of the snapshot is settled from that snapshot and
answered; the background settler stores it in its own time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.app.settling.damaged import whole_results
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS, settle_days
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue, valid_spans
from commonwatt.domain.metering.load_profile import Energy, LoadProfile, Qualities, SiteBalance
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S, day_spans
from commonwatt.domain.settlement import Settlement


@dataclass(frozen=True, slots=True)
class MeterSeries:
    """The quarter-hours of one meter from ``first_quarter`` on, [Wh] or [litre].

    ``total`` is its main register (production: exported, else imported); ``self_energy`` and
    ``quality_self`` are None for a meter that is no consumer of the balance. A value exists where
    its quality is at least ESTIMATED, elsewhere it is 0. ``method`` holds codes of `Method`, None
    where it was not asked for.
    """

    first_quarter: int
    total: Energy
    self_energy: Energy | None
    quality_total: Qualities
    quality_self: Qualities | None
    method: Qualities | None = None

    @property
    def ext(self) -> Energy | None:
        """What the consumer took from outside: total less its share."""
        return None if self.self_energy is None else self.total - self.self_energy

    @property
    def shared(self) -> NDArray[np.bool_] | None:
        """In which quarter-hours self and ext are known; None for no consumer of the balance."""
        if self.self_energy is None or self.quality_self is None:
            return None
        return exists(self.quality_self)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which quarter-hours are answered as rows of the meter.

        Those of a consumer are not where its share is unknown because a member of the balance is
        missing; while it is no member it has its total alone.
        """
        answered, shared = exists(self.quality_total), self.shared
        if shared is not None and self.quality_self is not None:
            answered &= shared | np.equal(self.quality_self, Quality.ABSENT.value)
        return answered


@dataclass(frozen=True, slots=True)
class SiteSeries:
    """The balance of a site from ``first_quarter`` on, and its meters if asked for."""

    first_quarter: int
    balance: SiteBalance
    meters: Sequence[tuple[Meter, MeterSeries]]


def dirty_settlements(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> list[Settlement]:
    """Settle what is dirty of the days [first, end), run by run."""
    days = snapshot.results.dirty_days(catalogue.site.number, group, first_day, end_day)
    return [
        settle_days(snapshot, catalogue, group, first, end)
        for first, end in day_spans(days, LONGEST_RUN_DAYS)
    ]


def fresh_answers(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> list[Settlement]:
    """Settle what is dirty of the days [first, end) and not locked, which answers as it was."""
    site = catalogue.site.number
    if not snapshot.results.dirty_days(site, group, first_day, end_day):
        return []
    locked_until_at = snapshot.locks.locked_until(site, group)
    if locked_until_at is None:
        return dirty_settlements(snapshot, catalogue, group, first_day, end_day)
    first_day = max(first_day, locked_until_at // DAY_S)
    settlements = dirty_settlements(snapshot, catalogue, group, first_day, end_day)
    return [_since(each, locked_until_at // QUARTER_S) for each in settlements]


def read_meter_series(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    first_quarter: int,
    end_quarter: int,
    is_settled: bool = False,
    with_method: bool = False,
) -> MeterSeries:
    """Read the quarter-hours [first, end) of a meter.

    ``is_settled``: the caller knows that nothing of them is dirty in this snapshot.
    """
    days = _days(first_quarter, end_quarter)
    settlements: Sequence[Settlement] = ()
    if not is_settled:
        settlements = fresh_answers(snapshot, catalogue, meter.medium.group, *days)
    window = first_quarter, end_quarter
    return _meter_series(snapshot, catalogue, meter, *window, settlements, with_method)


def read_site_series(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    medium: Medium,
    first_quarter: int,
    end_quarter: int,
    is_settled: bool = False,
    with_meters: bool = False,
) -> SiteSeries | None:
    """Read the quarter-hours [first, end) of a site's balance; None if it has no such medium.

    ``is_settled``: the caller knows that nothing of them is dirty in this snapshot.
    """
    # Charge points are consumers of the electricity balance, and have one of their own besides.
    meters = [
        meter
        for meter in catalogue.meters
        if medium is meter.medium or medium.value == meter.medium.group.value
    ]
    if not meters:
        return None
    days = _days(first_quarter, end_quarter)
    settlements: Sequence[Settlement] = ()
    if not is_settled:
        settlements = fresh_answers(snapshot, catalogue, medium.group, *days)
    results, site = snapshot.results, catalogue.site.number
    balance, repaired = whole_results(
        *(snapshot, catalogue, medium.group),
        lambda apart_from: results.balance(site, medium, *days, apart_from),
    )
    for settlement in (*repaired, *settlements):
        balance = _with_balance(balance, settlement, medium, days[0])
    series = [
        (meter, _meter_series(snapshot, catalogue, meter, first_quarter, end_quarter, settlements))
        for meter in (meters if with_meters else ())
    ]
    base = days[0] * DAY_QUARTERS
    return SiteSeries(first_quarter, balance.part(first_quarter - base, end_quarter - base), series)


def _since(settlement: Settlement, quarter: int) -> Settlement:
    """The part of a settlement from a quarter-hour on."""
    if quarter <= settlement.first_quarter:
        return settlement
    start, end = quarter - settlement.first_quarter, settlement.end_quarter
    return replace(
        settlement,
        first_quarter=quarter,
        profiles=tuple(each.part(start, end) for each in settlement.profiles),
        balances={medium: each.part(start, end) for medium, each in settlement.balances.items()},
    )


def _days(first_quarter: int, end_quarter: int) -> tuple[int, int]:
    return first_quarter // DAY_QUARTERS, -(-end_quarter // DAY_QUARTERS)


def _meter_series(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    first_quarter: int,
    end_quarter: int,
    settlements: Sequence[Settlement],
    with_method: bool = False,
) -> MeterSeries:
    first_day, end_day = _days(first_quarter, end_quarter)
    site = catalogue.site.number
    results, window = snapshot.results, (site, meter.number, first_day, end_day)

    def stored(apart_from: Collection[int]) -> LoadProfile:
        profile = results.profile(*window, apart_from)
        return (
            replace(profile, method=results.methods(*window, apart_from))
            if with_method
            else profile
        )

    profile, repaired = whole_results(snapshot, catalogue, meter.medium.group, stored)
    for settlement in (*repaired, *settlements):
        profile = laid_over(profile, settlement, first_day)
    return series_of(profile, meter, first_day, first_quarter, end_quarter)


def series_of(
    profile: LoadProfile, meter: Meter, first_day: int, first_quarter: int, end_quarter: int
) -> MeterSeries:
    """Return the quarter-hours [first, end) of a meter's profile that begins with ``first_day``."""
    base = first_day * DAY_QUARTERS
    wanted = slice(first_quarter - base, end_quarter - base)
    own, quality_self = profile.self_energy, profile.quality_self
    if own is None and quality_self is not None:
        own = np.zeros(len(quality_self), np.int64)
    return MeterSeries(
        first_quarter=first_quarter,
        total=_total(profile, meter, base)[wanted],
        self_energy=None if own is None else own[wanted],
        quality_total=profile.quality_total[wanted],
        quality_self=None if quality_self is None else quality_self[wanted],
        method=None if profile.method is None else profile.method[wanted],
    )


def _total(profile: LoadProfile, meter: Meter, base: int) -> Energy:
    """The main register, by the mode that holds in each quarter-hour."""
    length = len(profile.quality_total)
    spans = valid_spans(base * QUARTER_S, (base + length) * QUARTER_S, meter.facts)
    registers = [
        profile.ex if meter.facts_at(start_at).main_is_export else profile.im
        for start_at, _ in spans
    ]
    if len(spans) == 1 and registers[0] is not None:
        return registers[0]
    total = np.zeros(length, np.int64)
    for (start_at, end_at), register in zip(spans, registers, strict=True):
        if register is not None:
            section = slice(start_at // QUARTER_S - base, end_at // QUARTER_S - base)
            total[section] = register[section]
    return total


def laid_over(stored: LoadProfile, settlement: Settlement, first_day: int) -> LoadProfile:
    """Lay a fresh settlement over the stored profile of a meter."""
    fresh = {profile.meter: profile for profile in settlement.profiles}.get(stored.meter)
    columns = {
        field.name: _laid_over(stored, fresh, field.name, settlement, first_day)
        for field in fields(LoadProfile)
        if field.name not in ("meter", "method")
    }
    # Only where the stored one was read, else there is nothing to lay it over.
    method = None
    if stored.method is not None:
        method = _laid_over(stored, fresh, "method", settlement, first_day)
    return LoadProfile(meter=stored.meter, method=method, **columns)  # type: ignore[arg-type]


def _with_balance(
    stored: SiteBalance, settlement: Settlement, medium: Medium, first_day: int
) -> SiteBalance:
    """Lay a fresh settlement over the stored balance."""
    fresh = settlement.balances.get(medium)
    columns = {
        field.name: _laid_over(stored, fresh, field.name, settlement, first_day)
        for field in fields(SiteBalance)
    }
    return SiteBalance(**columns)  # type: ignore[arg-type]


def _laid_over(
    stored: LoadProfile | SiteBalance,
    fresh: LoadProfile | SiteBalance | None,
    name: str,
    settlement: Settlement,
    first_day: int,
) -> NDArray[np.int64] | NDArray[np.uint8] | None:
    """Return a column with the settled quarter-hours fresh; zeros where there is none."""
    old: NDArray[np.int64] | NDArray[np.uint8] | None = getattr(stored, name)
    new: NDArray[np.int64] | NDArray[np.uint8] | None = getattr(fresh, name, None)
    if old is None and new is None:
        return None
    start = settlement.first_quarter - first_day * DAY_QUARTERS
    end = settlement.end_quarter - first_day * DAY_QUARTERS
    if old is None:
        length = len(stored.quality if isinstance(stored, SiteBalance) else stored.quality_total)
        assert new is not None, "one of both is there"
        old = np.zeros(length, new.dtype)
    column = old.copy()
    column[start:end] = 0 if new is None else new
    return column
