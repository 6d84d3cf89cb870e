"""Rule meters: the energy of a meter computed from others, on validated data."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.domain.balance.rule_expression import Operand, evaluation_order, parse_rule
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Meter,
    Register,
    SiteCatalogue,
    valid_spans,
)
from commonwatt.domain.metering.edits import Edit, apply_edits
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.meter_energy import (
    MeterEnergy,
    RegisterEnergy,
    joined,
    masked,
    within_int32,
)
from commonwatt.domain.metering.quality import Method, worst
from commonwatt.domain.metering.quarter_hours import QUARTER_S


@dataclass(frozen=True, slots=True)
class Term:
    """An operand with its meter's energy: sign, energy, and the register if one is meant."""

    sign: int
    energy: MeterEnergy
    register: Register | None


def evaluate_rule(terms: Sequence[Term], main_is_export: bool, length: int) -> MeterEnergy:
    """Return the signed sum of the terms over ``length`` quarter-hours [Wh, litre].

    A plain operand contributes register by register, one with a register to the main register of
    the rule meter. What an operand has not, or is not alive to have, contributes nothing; what it
    misses makes the result missing. Quality is the worst of the inputs; negative results stay. The
    rule meter is alive where one of its operands is.
    """
    im: list[tuple[int, RegisterEnergy]] = []
    ex: list[tuple[int, RegisterEnergy]] = []
    main = ex if main_is_export else im
    for term in terms:
        if term.register is None:
            if term.energy.im is not None:
                im.append((term.sign, term.energy.im))
            if term.energy.ex is not None:
                ex.append((term.sign, term.energy.ex))
            continue
        named = term.energy.ex if term.register is Register.EN_EX else term.energy.im
        if named is not None:
            main.append((term.sign, named))
    alive = np.zeros(length, np.bool_)
    for term in terms:
        alive |= term.energy.alive
    method = np.full(length, Method.RULE, np.uint8)
    return MeterEnergy(_signed_sum(im, length), _signed_sum(ex, length), alive, method)


def _signed_sum(inputs: list[tuple[int, RegisterEnergy]], length: int) -> RegisterEnergy | None:
    if not inputs:
        return None
    total = np.zeros(length, np.int64)
    for sign, register in inputs:
        total += sign * register.energy
    return masked(total, worst([register.quality for _, register in inputs], length))


def add_rule_meters(
    catalogue: SiteCatalogue,
    meters: tuple[Meter, ...],
    energies: dict[int, MeterEnergy],
    first_quarter: int,
    end_quarter: int,
    findings: list[Finding],
    edits: Sequence[Edit],
) -> None:
    """Evaluate the rule meters of a group into ``energies`` over [first, end).

    Over each span in which the meters' facts stay the same; a meter that is not computed keeps what
    it measured.
    What of a rule meter is edited counts for those whose rules name it.
    """
    ever = {meter.number for meter in meters if any(facts.rule for facts in meter.facts)}
    parts: dict[int, list[tuple[int, int, MeterEnergy]]] = {number: [] for number in ever}
    validity = (facts for meter in meters for facts in meter.facts)
    for start_at, end_at in valid_spans(
        first_quarter * QUARTER_S, end_quarter * QUARTER_S, validity
    ):
        start, end = start_at // QUARTER_S - first_quarter, end_at // QUARTER_S - first_quarter
        of_span = {number: energy.part(start, end) for number, energy in energies.items()}
        _evaluate_span(catalogue, meters, of_span, start_at, end - start, findings, edits)
        for number in ever & of_span.keys():
            parts[number].append((start, end, of_span[number]))
    for number, pieces in parts.items():
        if pieces:
            energies[number] = joined(pieces, end_quarter - first_quarter)


def _evaluate_span(
    catalogue: SiteCatalogue,
    meters: tuple[Meter, ...],
    of_span: dict[int, MeterEnergy],
    start_at: int,
    length: int,
    findings: list[Finding],
    edits: Sequence[Edit],
) -> None:
    """Evaluate the rules that hold over ``length`` quarter-hours into ``of_span``."""
    facts_of = {meter.number: meter.facts_at(start_at) for meter in meters}
    rules = _rules_at(catalogue, meters, start_at)
    by_number = {meter.number: meter for meter in meters}
    named = {number: frozenset(m for m, _ in terms) for number, terms in rules.items()}
    for number in evaluation_order(named):
        if number not in rules:
            continue
        facts = facts_of[number]
        terms = [
            Term(operand.sign, of_span[other], operand.register)
            for other, operand in rules[number]
            if other in of_span and not facts_of[other].isolated
        ]
        energy = evaluate_rule(terms, facts.main_is_export, length)
        if not facts.enabled:
            energy = MeterEnergy(None, None, np.zeros(length, np.bool_), energy.method)
        meter, first = by_number[number], start_at // QUARTER_S
        energy = _within_int32(meter, energy, first, findings).with_main(facts.main_is_export)
        of_span[number] = apply_edits(meter, energy, edits, first)


def _within_int32(
    meter: Meter, energy: MeterEnergy, first_quarter: int, findings: list[Finding]
) -> MeterEnergy:
    """A sum can be too large where none of its parts is."""
    names = REGISTERS_OF[meter.medium]
    im, ex = (
        None
        if part is None
        else within_int32(part, meter.number, name.value, first_quarter, findings)
        for part, name in ((energy.im, names[0]), (energy.ex, names[-1]))
    )
    return MeterEnergy(im, ex, energy.alive, energy.method)


def _rules_at(
    catalogue: SiteCatalogue, meters: tuple[Meter, ...], instant_at: int
) -> dict[int, list[tuple[int, Operand]]]:
    """Return for each rule meter the meters that its rule names at an instant."""
    rules: dict[int, list[tuple[int, Operand]]] = {}
    for meter in meters:
        rule = meter.facts_at(instant_at).rule
        if rule is not None:
            rules[meter.number] = [
                (_operand_meter(catalogue, meter, operand).number, operand)
                for operand in parse_rule(rule)
            ]
    return rules


def _operand_meter(catalogue: SiteCatalogue, meter: Meter, operand: Operand) -> Meter:
    if operand.id is not None:
        return catalogue.meter_by_id[operand.id]
    assert operand.prim_ad is not None, "an operand has an id or a prim_ad"
    return catalogue.meter_by_address[meter.medium.value, operand.prim_ad]


def computed_from(catalogue: SiteCatalogue, meter_ids: Collection[str]) -> frozenset[str]:
    """Return the ids of the meters whose rules, at any time, lead to one of these."""
    found: set[str] = set()
    reached = set(meter_ids)
    while True:
        more = {
            meter.id
            for meter in catalogue.meters
            if meter.id not in found and not reached.isdisjoint(_named_ever(catalogue, meter))
        }
        if not more:
            return frozenset(found)
        found |= more
        reached |= more


def _named_ever(catalogue: SiteCatalogue, meter: Meter) -> set[str]:
    rules = {facts.rule for facts in meter.facts if facts.rule is not None}
    named = (_operand_meter(catalogue, meter, each) for rule in rules for each in parse_rule(rule))
    return {each.id for each in named}
