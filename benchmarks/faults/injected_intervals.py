"""Faults of interval meters, put beside the intervals of a year, each with its span."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.faults.injected import Injected
from benchmarks.site.settled_site import Column, Sent
from commonwatt.domain.metering.findings import FindingRule as Rule

INTERVAL_S = 900


@dataclass
class FaultyIntervals:
    """The intervals of one meter, by position, and the rows that are sent ``more``."""

    number: int
    ends_at: Column
    values: Column
    random: np.random.Generator
    faults: list[Injected] = field(default_factory=list)
    more: list[tuple[int, int]] = field(default_factory=list)

    def sent(self) -> Sent:
        """The intervals as they are."""
        return Sent(stamps=self.ends_at, values=self.values)

    def sent_more(self) -> Sent:
        """The other rows and the last interval again, in one delivery."""
        more = [*self.more, (int(self.ends_at[-1]), int(self.values[-1]))]
        stamps, values = (np.array(column, np.int64) for column in zip(*more, strict=True))
        return Sent(stamps=stamps, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalKind:
    """A kind of fault at one interval, by its position, and the rules that have to find it."""

    name: str
    rules: frozenset[Rule]
    spoil: Callable[[FaultyIntervals, int], tuple[int, int]]


def _twin(meter: FaultyIntervals, position: int) -> tuple[int, int]:
    """Another row within a minute of the boundary, with another value."""
    beside_s = int(meter.random.integers(1, 61)) * int(meter.random.choice((-1, 1)))
    at = int(meter.ends_at[position]) + beside_s
    meter.more.append((at, int(meter.values[position]) + int(meter.random.integers(1, 500_000))))
    return at, at


INTERVAL_KINDS = (
    IntervalKind(
        name="second row within a minute of a boundary",
        rules=frozenset({Rule.INTERVAL_OVERLAP}),
        spoil=_twin,
    ),
)
"""Finer rows, indexes instead of energies and other units belong here."""


def inject_beside(meter: FaultyIntervals, count: int) -> None:
    """Put faults of all kinds beside intervals drawn by chance, each at another one."""
    positions = meter.random.choice(len(meter.ends_at) - 2, count, replace=False) + 1
    for position in positions.tolist():
        kind = INTERVAL_KINDS[int(meter.random.integers(len(INTERVAL_KINDS)))]
        first, last = kind.spoil(meter, position)
        meter.faults.append(Injected(kind.name, meter.number, first, last))
