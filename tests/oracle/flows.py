"""True flows of a simulated building, in mWh (or ml) per quarter-hour, and their registers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sin
from random import Random

from tests.oracle.facts import QUARTER_S


@dataclass(frozen=True)
class Flows:
    """True energy per quarter-hour of each register, from the instant `first_at`."""

    first_at: int
    energy: Mapping[str, Sequence[int]]

    @property
    def last_at(self) -> int:
        return self.first_at + QUARTER_S * len(next(iter(self.energy.values())))

    def index(self, register: str, base: int, at: int) -> int:
        """The index at an instant: `base` at `first_at`, no flow outside the known quarters."""
        energy = self.energy[register]
        position, seconds = divmod(min(max(at, self.first_at), self.last_at) - self.first_at, 900)
        part = energy[position] * seconds // QUARTER_S if seconds else 0
        return base + sum(energy[:position]) + part


def a_home(random: Random, quarters: int) -> list[int]:
    """Return the load of a home; now and then an empty one."""
    size = random.choice((0, 20_000, 120_000, 900_000))
    return [random.randint(0, size) for _ in range(quarters)]


def a_charge_point(random: Random, quarters: int) -> list[int]:
    """Return the load of one charge, three hours at 11 kW."""
    load = [0] * quarters
    first = random.randrange(quarters)
    for position in range(first, min(quarters, first + 12)):
        load[position] = 2_750_000
    return load


def a_pv_plant(random: Random, quarters: int) -> list[int]:
    """Return what a PV plant makes: clouds before half a sine by day, nothing by night."""
    peak = random.choice((100_000, 1_500_000))
    heights = [sin(pi * (position % 96 - 24) / 48) for position in range(quarters)]
    return [int(max(0.0, height) * random.randint(0, peak)) for height in heights]


def a_battery(random: Random, net: Sequence[int]) -> tuple[list[int], list[int]]:
    """Charge what is left of the sun, give what lacks; at times both in one quarter-hour."""
    limit = random.choice((50_000, 600_000))
    both = [random.choice((0, 0, 0, 4_000)) for _ in net]
    charged = [max(0, min(-n, limit)) + b for n, b in zip(net, both, strict=True)]
    discharged = [max(0, min(n, limit)) + b for n, b in zip(net, both, strict=True)]
    return charged, discharged


def a_grid_connection(random: Random, net: Sequence[int]) -> tuple[list[int], list[int]]:
    """Buy and sell the rest; cables lose a little, or the meter sees less than the others."""
    loss = random.choice((0, 400, -400, -30_000))
    both = [random.choice((0, 0, 9_000)) for _ in net]
    bought = [max(0, n + loss) + b for n, b in zip(net, both, strict=True)]
    sold = [max(0, -n - loss) + b for n, b in zip(net, both, strict=True)]
    return bought, sold
