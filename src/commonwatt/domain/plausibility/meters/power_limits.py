"""What can flow through a meter as a whole: beyond it, its readings are of another unit.

Wider than the limits that question a single span (`limits`): a wrong unit is wrong by a thousand.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import (
    Group,
    Medium,
    Meter,
    Mode,
    SiteCatalogue,
    valid_spans,
)
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.plausibility.steps.power import declared_limit
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT

HIGH_TIMES = 5
"""What several spans of a day have to be above, in the mean limit."""
DECLARED_TIMES = 3
"""A declared limit that is too low by less than this is no other unit."""
_MEAN_OF_WATER = 2_000
"""Litres an hour: 48 m3 a day, some 300 people."""
_MEAN_OF_CONSUMERS = 50_000
"""Watt: a hundred flats; a larger consumer of electricity is declared."""
_HOUR_S = 3600


def mean_limit(medium: Medium, mode: Mode) -> int:
    """The most that flows in the mean of hours where nothing is declared [Wh, litre per hour]."""
    if medium.group in (Group.COLD_WATER, Group.HOT_WATER):
        return _MEAN_OF_WATER
    if medium is Medium.ELECTRICITY and mode is Mode.CONSUMPTION:
        return _MEAN_OF_CONSUMERS
    return LIMITS[medium].per_hour


def per_hour(raw: NDArray[np.float64], seconds: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Power of energies [mWh, ml] that took some seconds, in raw units an hour."""
    return raw * _HOUR_S / seconds


@dataclass(frozen=True, slots=True)
class PowerLimits:
    """What flows at most from instants on, ascending [Unix seconds], in raw units an hour.

    ``high``: more in several spans of a day, or ``mean``: more in the mean of hours, is another
    unit.
    """

    from_at: NDArray[np.int64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, catalogue: SiteCatalogue, meter: Meter) -> "PowerLimits":
        """Take what is declared of a meter and its site, else what is ordinary for its medium.

        A factor above 1 (current transformers) widens what is ordinary alike.
        """
        starts = [
            0,
            *(end for _, end in valid_spans(0, 2**62, (*meter.facts, *catalogue.facts))[:-1]),
        ]
        high: list[float] = []
        mean: list[float] = []
        for from_at in starts:
            facts = meter.facts_at(from_at)
            ordinary = float(mean_limit(meter.medium, facts.mode))
            declared = declared_limit(catalogue, meter, facts, from_at)
            factor = facts.factor if declared is not None else min(facts.factor, Decimal(1))
            times = RAW_PER_UNIT / float(factor)
            if declared is not None:
                ordinary = float(max(declared, min(DECLARED_TIMES * declared, ordinary)))
            highest = float(HIGH_TIMES * LIMITS[meter.medium].per_hour)
            if declared is not None:
                highest = max(ordinary, min(highest, DECLARED_TIMES * declared))
            mean.append(ordinary * times)
            high.append(highest * times)
        return cls(np.array(starts, np.int64), np.array(high), np.array(mean))

    @classmethod
    def least_of(cls, catalogue: SiteCatalogue, meters: Mapping[int, Meter]) -> dict[int, float]:
        """Return what flows at most at any time, at least, by number.

        Worked out once for all meters of which the same is declared.
        """
        known: dict[Hashable, float] = {}
        found: dict[int, float] = {}
        for number, meter in meters.items():
            facts = meter.facts
            of_facts = ((f.valid_from, f.valid_to, f.mode, f.factor, f.max_per_hour) for f in facts)
            declared = (meter.medium, *of_facts)
            if declared not in known:
                known[declared] = cls.of(catalogue, meter).least
            found[number] = known[declared]
        return found

    @property
    def least(self) -> float:
        """What flows at most at any time, at least."""
        return float(min(self.high.min(), self.mean.min()))

    def at(self, stamps: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (high, mean) at each instant [Unix seconds]."""
        positions = np.maximum(self.from_at.searchsorted(stamps, side="right") - 1, 0)
        return self.high[positions], self.mean[positions]
