"""Rule ``production-at-night``: energy of the sun while it cannot shine."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Mode, Register, Site
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.zones import utc_offsets
from commonwatt.domain.plausibility.days.whole_days import WholeDays

NIGHT_FROM_H, NIGHT_TO_H = 23, 4
"""Local hours in which it is dark up to `LATITUDE_MAX`, whatever the zone makes of the sun."""
LATITUDE_MAX = 58
_LATEST_STAMP_AT = 253_370_764_800
"""9999-01-01T00:00:00Z."""
LEAST_ENERGY = 200
"""What an inverter or an index step may count in a night [Wh]."""


def nights(site: Site, days: WholeDays) -> NDArray[np.bool_] | None:
    """Mark the quarter-hours of the night, a row a day; None where nights may be light."""
    if site.latitude is not None and abs(site.latitude) > LATITUDE_MAX:
        return None
    at = days.quarters_at
    if not at.size or at[0, 0] < OLDEST_STAMP_AT or at[-1, -1] >= _LATEST_STAMP_AT:
        # Nothing is counted there, and the calendar may not even name its local hours.
        return None
    offsets = utc_offsets(site.timezone, at.ravel()).reshape(at.shape)
    hours = (at + offsets) // 3600 % 24
    return (hours >= NIGHT_FROM_H) | (hours < NIGHT_TO_H)


def productions_at_night(
    meter: Meter, energy: MeterEnergy, days: WholeDays, dark: NDArray[np.bool_]
) -> list[Finding]:
    """Return a finding for each day on which a producer delivers `LEAST_ENERGY` in the ``dark``.

    Estimates do not count: they spread the energy of a gap over its nights too.
    """
    if energy.ex is None or all(facts.mode is not Mode.PRODUCTION for facts in meter.facts):
        return []
    counted = dark & (days.rows(energy.ex.quality) > Quality.ESTIMATED)
    energies = np.where(counted, days.rows(energy.ex.energy), 0).sum(axis=1)
    return [
        days.finding(
            FindingRule.PRODUCTION_AT_NIGHT,
            meter.number,
            Register.EN_EX,
            position,
            {"energy": int(energies[position])},
        )
        for position in np.flatnonzero(energies > LEAST_ENERGY).tolist()
        if meter.facts_at(int(days.starts_at[position])).mode is Mode.PRODUCTION
    ]
