"""Rules of rule meters as text: sums and differences of meters of the group.

rule     = [sign] operand { sign operand }        sign = "+" | "-"
operand  = ( 24 hex digits | "prim_ad:" number ) [ "." register ]
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from commonwatt.domain.metering.catalogue import Register

_OPERAND = re.compile(
    r"\s*(?P<sign>[+-])?\s*"
    r"(?:prim_ad:(?P<prim_ad>\d+)|(?P<id>[0-9a-f]{24}))"
    r"(?:\.(?P<register>[a-z][a-z0-9_]*))?\s*"
)


class BadRule(ValueError):
    """A rule that cannot be read; the message says where and what would be right."""


class RuleCycle(ValueError):
    """Rules that lead back to themselves; ``meters`` are the numbers on the way round."""

    def __init__(self, meters: Sequence[int]) -> None:
        self.meters = tuple(meters)
        super().__init__(" -> ".join(str(number) for number in meters))


@dataclass(frozen=True, slots=True)
class Operand:
    """A meter in a rule: its sign (+1, -1), how it is named, and the register if one is meant."""

    sign: int
    id: str | None
    prim_ad: int | None
    register: Register | None


@lru_cache(maxsize=4096)
def parse_rule(text: str) -> tuple[Operand, ...]:
    """Return the operands of a rule. Raises `BadRule`.

    >>> [o.prim_ad for o in parse_rule("prim_ad:15 - prim_ad:16.en_im")]
    [15, 16]
    """
    operands: list[Operand] = []
    position = 0
    while position < len(text):
        match = _OPERAND.match(text, position)
        if match is None or (operands and match["sign"] is None):
            raise BadRule(
                f"cannot read the rule at {text[position:].strip()!r}: "
                "a rule is like 'prim_ad:15 - prim_ad:16.en_ex'"
            )
        operands.append(
            Operand(
                sign=-1 if match["sign"] == "-" else 1,
                id=match["id"],
                prim_ad=int(match["prim_ad"]) if match["prim_ad"] else None,
                register=_register(match["register"]),
            )
        )
        position = match.end()
    if not operands:
        raise BadRule("the rule is empty: a rule is like 'prim_ad:15 - prim_ad:16'")
    return tuple(operands)


def _register(name: str | None) -> Register | None:
    if name is None:
        return None
    try:
        return Register(name)
    except ValueError:
        known = ", ".join(Register)
        raise BadRule(f"no register {name!r}: there are {known}") from None


def evaluation_order(operands_of: Mapping[int, frozenset[int]]) -> list[int]:
    """Order meter numbers so that each comes after those that its rule names. Raises `RuleCycle`.

    ``operands_of`` maps a meter to the meters its rule names (physical meters: none).

    >>> evaluation_order({1: frozenset({2}), 2: frozenset()})
    [2, 1]
    """
    order: list[int] = []
    done: set[int] = set()
    for start in operands_of:
        path: list[int] = []
        waiting = [(start, False)]
        while waiting:
            meter, left = waiting.pop()
            if left:
                path.pop()
                done.add(meter)
                order.append(meter)
            elif meter in path:
                raise RuleCycle([*path[path.index(meter) :], meter])
            elif meter not in done:
                path.append(meter)
                waiting.append((meter, True))
                waiting.extend((named, False) for named in sorted(operands_of.get(meter, ())))
    return order
