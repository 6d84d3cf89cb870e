"""Rule ``import-and-export``: a meter that counts the same energy in both registers."""

import numpy as np

from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.plausibility.days.whole_days import WholeDays

LEAST_ENERGY = 50
"""Less in a quarter-hour is a step of an index [Wh]."""
LEAST_QUARTERS = 24
"""Clouds and kettles bring both about now and then, hardly for a quarter of a day."""


def imports_and_exports(meter: Meter, energy: MeterEnergy, days: WholeDays) -> list[Finding]:
    """Return a finding for each day with `LEAST_QUARTERS` in which both registers rise alike.

    Alike: the smaller at least `LEAST_ENERGY` and half of the larger. Wires of a phase may be
    reversed, or the meter sums its phases instead of balancing them. Estimates do not count: they
    spread the energy of a gap both ways.
    """
    if energy.im is None or energy.ex is None:
        return []
    imported, exported = days.rows(energy.im.energy), days.rows(energy.ex.energy)
    if not exported.any():
        return []
    lesser = np.minimum(imported, exported)
    alike = (lesser >= LEAST_ENERGY) & (2 * lesser >= np.maximum(imported, exported))
    if not alike.any():
        return []
    alike &= days.rows(np.minimum(energy.im.quality, energy.ex.quality)) > Quality.ESTIMATED
    quarters = alike.sum(axis=1)
    return [
        days.finding(
            FindingRule.IMPORT_AND_EXPORT,
            meter.number,
            Register.EN_EX,
            position,
            {
                "quarters": int(quarters[position]),
                "energy": int(lesser[position][alike[position]].sum()),
            },
        )
        for position in np.flatnonzero(quarters >= LEAST_QUARTERS).tolist()
    ]
