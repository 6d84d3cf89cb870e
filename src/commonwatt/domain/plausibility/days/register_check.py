"""Rule ``interval-register-mismatch``: intervals that do not sum up to a register's rise."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.balance.rule_expression import parse_rule
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.plausibility.days.whole_days import WholeDays

SHARE = 100
LEAST_ENERGY = 200
"""Up to a hundredth of the register's rise, and this [Wh, litre], is rounding and late stamps."""
FACTORS = (2, 4, 10, 40, 60, 100, 1_000)
"""Constant factors that a wrong unit, transformer or interval leaves, either way."""
_THOUSAND = 1_000


def register_mismatches(
    catalogue: SiteCatalogue,
    meter: Meter,
    energies: Mapping[int, MeterEnergy],
    days: WholeDays,
) -> list[Finding]:
    """Return a finding for each day on which the intervals and the register meter differ.

    Only days that both measured whole. If the ratio of the sums is one of `FACTORS` (to a
    hundredth) the evidence names it in thousandths, else the residual (intervals less register).
    """
    if meter.register_meter is None or meter.number not in energies:
        return []
    names = REGISTERS_OF[meter.medium]
    exports = [meter.facts_at(at).main_is_export for at in days.starts_at.tolist()]
    findings: list[Finding] = []
    for register in dict.fromkeys((names[0], names[-1])):
        mask = np.array(exports, np.bool_) == (register is Register.EN_EX)
        if mask.any():
            findings += _of_register(catalogue, meter, register, energies, days, mask)
    return findings


def _of_register(
    catalogue: SiteCatalogue,
    meter: Meter,
    main: Register,
    energies: Mapping[int, MeterEnergy],
    days: WholeDays,
    chosen: NDArray[np.bool_],
) -> list[Finding]:
    """Compare the sums of the ``chosen`` days, on which the meter's total is a register."""
    register, measured = _checked_against(catalogue, meter, main, energies)
    counted = _side(energies[meter.number], register)
    if counted is None or measured is None:
        return []
    both = chosen & days.read(counted.quality) & days.read(measured.quality)
    intervals = days.rows(counted.energy).sum(axis=1)
    rises = days.rows(measured.energy).sum(axis=1)
    differing = differs(intervals, rises)
    return [
        days.finding(
            FindingRule.INTERVAL_REGISTER_MISMATCH,
            meter.number,
            register,
            position,
            sums_evidence(int(intervals[position]), int(rises[position])),
        )
        for position in np.flatnonzero(both & differing).tolist()
    ]


def register_meter_of(catalogue: SiteCatalogue, meter: Meter) -> Meter | None:
    """Return the meter that the sums of a meter are checked against; None if there is none."""
    if meter.register_meter is None:
        return None
    [operand, *_] = parse_rule(meter.register_meter)
    if operand.id is not None:
        return catalogue.meter_by_id.get(operand.id)
    assert operand.prim_ad is not None, "an operand has an id or a prim_ad"
    return catalogue.meter_by_address.get((meter.medium.value, operand.prim_ad))


def named_register(meter: Meter) -> Register | None:
    """Return the register that the sums of a meter are checked against; None: the main one."""
    assert meter.register_meter is not None, "the meter is checked"
    [operand, *_] = parse_rule(meter.register_meter)
    return operand.register


def differs(intervals: NDArray[np.int64], register: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for sums [Wh, litre] whether they differ by more than the limits allow."""
    over = np.abs(intervals - register) * SHARE > np.abs(register) + LEAST_ENERGY * SHARE
    return np.asarray(over, np.bool_)


def _checked_against(
    catalogue: SiteCatalogue, meter: Meter, main: Register, energies: Mapping[int, MeterEnergy]
) -> tuple[Register, RegisterEnergy | None]:
    """Return the register that is checked, ``main`` unless one is named, and what it is to be."""
    register = named_register(meter) or main
    named = register_meter_of(catalogue, meter)
    energy = None if named is None else energies.get(named.number)
    return register, None if energy is None else _side(energy, register)


def _side(energy: MeterEnergy, register: Register) -> RegisterEnergy | None:
    return energy.ex if register is Register.EN_EX else energy.im


def sums_evidence(intervals: int, register: int) -> dict[str, int]:
    """Both sums [Wh, litre] and the `FACTORS` between them in thousandths, or else the residual."""
    sums = {"intervals": intervals, "register": register}
    for factor in FACTORS:
        if _nearly(intervals, register * factor):
            return sums | {"factor": factor * _THOUSAND}
        if _nearly(intervals * factor, register):
            return sums | {"factor": _THOUSAND // factor}
    return sums | {"residual": intervals - register}


def _nearly(left: int, right: int) -> bool:
    return right != 0 and abs(left - right) * SHARE <= abs(right)
