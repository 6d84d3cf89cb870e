"""Whether the rules of a site can be evaluated, whatever facts hold."""

from collections.abc import Collection, Iterator, Mapping

from commonwatt.app.declaring.declaration import DeclarationFault
from commonwatt.domain.balance.rule_expression import (
    BadRule,
    Operand,
    RuleCycle,
    evaluation_order,
    parse_rule,
)
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Meter, SiteCatalogue


def rule_faults(
    catalogue: SiteCatalogue, lines: Mapping[int, int], site_line: int
) -> list[DeclarationFault]:
    """Return the faults of the rules of a site as it will be.

    ``lines`` tells on which line a meter, named by its number, is declared; the fault of another
    meter's rule is told on ``site_line``.
    """
    found: dict[DeclarationFault, None] = {}
    for group in Group:
        meters = catalogue.meters_of(group)
        for at in sorted({facts.valid_from for meter in meters for facts in meter.facts}):
            for meter, reason in _faults_at(catalogue, meters, at, lines):
                line = lines.get(meter.number, site_line)
                whose = "" if meter.number in lines else f"of {meter_label(meter)} "
                found[DeclarationFault(line, "rule", whose + reason)] = None
    return list(found)


def register_meter_faults(
    catalogue: SiteCatalogue, lines: Mapping[int, int], site_line: int
) -> list[DeclarationFault]:
    """Return what is wrong with the meters that interval meters are checked against."""
    faults: list[DeclarationFault] = []
    for meter in catalogue.meters:
        reason = _register_meter_fault(catalogue, meter)
        if reason is not None:
            line = lines.get(meter.number, site_line)
            whose = "" if meter.number in lines else f"of {meter_label(meter)} "
            faults.append(DeclarationFault(line, "register_meter", whose + reason))
    return faults


def _register_meter_fault(catalogue: SiteCatalogue, meter: Meter) -> str | None:
    if meter.register_meter is None:
        return None
    try:
        operands = parse_rule(meter.register_meter)
    except BadRule:
        operands = ()
    if len(operands) != 1 or operands[0].sign != 1 or operands[0].register is not None:
        return "must name one meter, as prim_ad:12 or by its 24-digit id"
    other = _named(catalogue, meter, operands[0])
    if other is None:
        return f"names {meter.register_meter}, which no {meter.medium} meter of this site has"
    if other.interval_s is not None or other.is_rule_meter or other.medium is not meter.medium:
        return f"names {meter_label(other)}, which is no index meter of the type {meter.medium}"
    return None


def meter_label(meter: Meter) -> str:
    """Name a meter as people do: its name, type and prim_ad."""
    return f"{meter.name} ({meter.medium} {meter.prim_ad})"


def _faults_at(
    catalogue: SiteCatalogue, meters: tuple[Meter, ...], at: int, lines: Collection[int]
) -> Iterator[tuple[Meter, str]]:
    """Yield the meters whose rules cannot be evaluated at an instant, and why.

    Of a cycle, the first meter that is declared now (a key of ``lines``) is told.
    """
    operands_of: dict[int, frozenset[int]] = {}
    for meter in meters:
        rule = meter.facts_at(at).rule
        if rule is None:
            continue
        try:
            operands = parse_rule(rule)
        except BadRule as error:
            yield meter, str(error)
            continue
        named: set[int] = set()
        for operand in operands:
            other = _named(catalogue, meter, operand)
            reason = _operand_fault(meter, operand, other, at)
            if reason is not None:
                yield meter, reason
            elif other is not None:
                named.add(other.number)
        operands_of[meter.number] = frozenset(named)
    try:
        evaluation_order(operands_of)
    except RuleCycle as cycle:
        by_number = {meter.number: meter for meter in meters}
        *around, _ = cycle.meters
        first = min(range(len(around)), key=lambda position: around[position] not in lines)
        way = [by_number[number] for number in (*around[first:], *around[: first + 1])]
        yield way[0], f"leads back to itself: {' -> '.join(map(meter_label, way))}"


def _named(catalogue: SiteCatalogue, meter: Meter, operand: Operand) -> Meter | None:
    if operand.id is not None:
        return catalogue.meter_by_id.get(operand.id)
    return catalogue.meter_by_address.get((meter.medium.value, operand.prim_ad or 0))


def _operand_fault(meter: Meter, operand: Operand, other: Meter | None, at: int) -> str | None:
    """Say what keeps a meter from being an operand of a rule at an instant."""
    if other is None:
        name = operand.id or f"prim_ad:{operand.prim_ad}"
        return f"names {name}, which no {meter.medium} meter of this site has"
    label = meter_label(other)
    registers = REGISTERS_OF[other.medium]
    if other.number == meter.number:
        return "names the meter itself"
    if other.medium.group is not meter.medium.group:
        return f"names {label}, which is not of the group {meter.medium.group}"
    if other.facts_at(at).isolated:
        return f"names {label}, which is isolated: an isolated meter is in no rule"
    if operand.register is not None and operand.register not in registers:
        return f"names {operand.register} of {label}, which has {', '.join(registers)}"
    return None
