"""The rule of a rule meter as a tree, with the values that it was computed from."""

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.domain.balance.rule_expression import Operand, parse_rule
from commonwatt.domain.metering.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterValue:
    """What a register gave in a quarter-hour [Wh, litre]; None where it is missing."""

    energy: int | None
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandValue:
    """An operand of a rule: its meter, and what it contributed.

    ``register`` is the one that the rule names. Else the meter contributes register by register.
    ``im`` and ``ex`` are None where the meter has no such register. ``contributes``: an isolated
    meter, and one of which nothing was ever said, does not.
    """

    sign: int
    meter: Meter
    register: Register | None
    im: RegisterValue | None
    ex: RegisterValue | None
    contributes: bool
    rule: "RuleTree | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTree:
    """A rule as it was declared, with its operands."""

    text: str
    operands: tuple[OperandValue, ...]


def rule_tree(
    catalogue: SiteCatalogue, meter: Meter, energies: Mapping[int, MeterEnergy], quarter: int
) -> RuleTree | None:
    """Return the rule of a meter in a quarter-hour with its values; None where it has none.

    ``energies`` are of this quarter-hour alone.
    """
    rule = meter.facts_at(quarter * QUARTER_S).rule
    if rule is None:
        return None
    operands = [_operand(catalogue, meter, each, energies, quarter) for each in parse_rule(rule)]
    return RuleTree(text=rule, operands=tuple(operands))


def _operand(
    catalogue: SiteCatalogue,
    meter: Meter,
    operand: Operand,
    energies: Mapping[int, MeterEnergy],
    quarter: int,
) -> OperandValue:
    if operand.id is not None:
        named = catalogue.meter_by_id[operand.id]
    else:
        assert operand.prim_ad is not None, "an operand has an id or a prim_ad"
        named = catalogue.meter_by_address[meter.medium.value, operand.prim_ad]
    energy = energies.get(named.number)
    isolated = named.facts_at(quarter * QUARTER_S).isolated
    return OperandValue(
        sign=operand.sign,
        meter=named,
        register=operand.register,
        im=_value(None if energy is None else energy.im),
        ex=_value(None if energy is None else energy.ex),
        contributes=energy is not None and not isolated,
        rule=rule_tree(catalogue, named, energies, quarter),
    )


def _value(register: RegisterEnergy | None) -> RegisterValue | None:
    if register is None or register.quality[0] == Quality.ABSENT:
        return None
    known = bool(exists(register.quality)[0])
    return RegisterValue(
        energy=int(register.energy[0]) if known else None, quality=Quality(int(register.quality[0]))
    )
