"""Rule meters: the energy of a meter computed from others, on validated data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.domain.catalogue import Register
from commonwatt.domain.meter_energy import MeterEnergy, RegisterEnergy, masked
from commonwatt.domain.quality import Method, worst


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
    return MeterEnergy(_signed_sum(im, length), _signed_sum(ex, length), alive, Method.RULE)


def _signed_sum(inputs: list[tuple[int, RegisterEnergy]], length: int) -> RegisterEnergy | None:
    if not inputs:
        return None
    total = np.zeros(length, np.int64)
    for sign, register in inputs:
        total += sign * register.energy
    return masked(total, worst([register.quality for _, register in inputs], length))
