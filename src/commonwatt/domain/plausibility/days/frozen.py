"""Rule ``frozen-register``: nothing counted on a day on which something must have flowed."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Mode, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.plausibility.days.whole_days import WholeDays

SUNNY_MONTHS = (4, 5, 6, 7, 8, 9)
"""North of the equator; the other half of the year south of it."""


def frozen_registers(
    meter: Meter,
    energy: MeterEnergy,
    days: WholeDays,
    latitude: float | None,
    has_battery: NDArray[np.bool_] | bool,
) -> list[Finding]:
    """Return a finding for each day without any energy where that is implausible.

    An introduction meter that imports nothing, unless the site ``has_battery`` on that day; a
    production meter that exports nothing from April to September (south of the equator October to
    March; without a ``latitude`` north is taken).
    """
    findings: list[Finding] = []
    sides = (
        (Mode.INTRODUCTION, Register.EN_IM, energy.im, np.logical_not(has_battery)),
        (Mode.PRODUCTION, Register.EN_EX, energy.ex, np.True_),
    )
    for mode, register, counted, judged in sides:
        if (
            counted is None
            or all(facts.mode is not mode for facts in meter.facts)
            or not judged.any()
        ):
            continue
        still = ~days.rows(counted.energy).any(axis=1)
        if not still.any():
            continue
        still &= judged & days.read(counted.quality)
        if mode is Mode.PRODUCTION:
            still &= _sunny(days, latitude)
        for position in np.flatnonzero(still).tolist():
            if meter.facts_at(int(days.starts_at[position])).mode is mode:
                rule = FindingRule.FROZEN_REGISTER
                evidence = {"energy": 0}
                findings.append(days.finding(rule, meter.number, register, position, evidence))
    return findings


def _sunny(days: WholeDays, latitude: float | None) -> NDArray[np.bool_]:
    months = days.starts_at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    summer = np.isin(months % 12 + 1, SUNNY_MONTHS)
    return ~summer if latitude is not None and latitude < 0 else summer
