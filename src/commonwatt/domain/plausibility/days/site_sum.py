"""Rule ``site-sum``: what came into a site is not what was used, stored or sent out."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, MeterFacts, Mode, Register, valid_spans
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.load_profile import Qualities, SiteBalance
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Quality, worst
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.plausibility.days.whole_days import WholeDays

PERCENT = 10
LEAST_ENERGY = 5_000
"""A tenth of a day's consumption, and at least this [Wh], may stay unmetered."""


def site_sums(
    meters: Sequence[Meter],
    energies: Mapping[int, MeterEnergy],
    balance: SiteBalance,
    days: WholeDays,
) -> list[Finding]:
    """Return a finding about the grid meter for each day whose balance does not close.

    The residual is production + import - export - consumers - charging + discharging as measured:
    positive where something uses energy that no meter counts. Only days on which a grid meter and
    producers are alive and every member measured every quarter-hour.
    """
    length = len(balance.quality)
    produced, has_grid = np.zeros(length, np.int64), np.zeros(length, np.bool_)
    producing: list[Qualities] = []
    grids: list[tuple[Meter, NDArray[np.bool_]]] = []
    consumes = np.zeros(length, np.bool_)
    for meter, facts, section in _members(meters, energies, days.first_quarter, length):
        energy = energies[meter.number]
        if facts.mode is Mode.CONSUMPTION:
            consumes[section] = True
        elif facts.mode is Mode.INTRODUCTION:
            alive = np.zeros(length, np.bool_)
            alive[section] = energy.alive[section]
            there: NDArray[np.bool_] = np.any(days.rows(alive), axis=1)
            grids.append((meter, there))
            has_grid |= alive
        elif facts.mode is Mode.PRODUCTION and energy.ex is not None:
            produced[section] += energy.ex.energy[section]
            quality = np.full(length, Quality.ABSENT, np.uint8)
            quality[section] = energy.ex.quality[section]
            producing.append(quality)
    if not grids or not producing:
        return []
    judged = days.read(balance.quality) & days.read(worst(producing, length))
    judged &= days.rows(has_grid).all(axis=1) & days.rows(consumes).any(axis=1)
    # Production as the balance derives it, less what the clamped mode added to close them.
    residual = produced - (balance.prod_total - balance.unmetered)
    sums = {
        "residual": days.rows(residual).sum(axis=1),
        "produced": days.rows(produced).sum(axis=1),
        "consumed": days.rows(balance.conso_total - balance.unmetered).sum(axis=1),
    }
    allowed = np.maximum(LEAST_ENERGY, sums["consumed"] * PERCENT // 100)
    return [
        days.finding(
            FindingRule.SITE_SUM,
            next(meter.number for meter, alive in grids if alive[position]),
            Register.EN_IM,
            position,
            {name: int(of_days[position]) for name, of_days in sums.items()},
        )
        for position in np.flatnonzero(judged & (np.abs(sums["residual"]) > allowed)).tolist()
    ]


def _members(
    meters: Sequence[Meter], energies: Mapping[int, MeterEnergy], first_quarter: int, length: int
) -> Iterator[tuple[Meter, MeterFacts, slice]]:
    """Yield the members of the balance with where in the run their facts hold."""
    start_at, end_at = first_quarter * QUARTER_S, (first_quarter + length) * QUARTER_S
    for meter in meters:
        if meter.number not in energies:
            continue
        for from_at, to_at in valid_spans(start_at, end_at, meter.facts):
            facts = meter.facts_at(from_at)
            if facts.enabled and facts.balance and not facts.isolated:
                start, end = (at // QUARTER_S - first_quarter for at in (from_at, to_at))
                yield meter, facts, slice(start, end)
