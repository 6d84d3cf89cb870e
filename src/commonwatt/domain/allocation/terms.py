"""What an allocation key is given: what there is to share, and who may have which part of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import gcd
from typing import cast

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.allocation.rounding import dither, parts_of
from commonwatt.domain.metering.load_profile import Energy

_MILLION = 1_000_000
_HUNDRED = 100 * _MILLION


@dataclass(frozen=True, eq=False)
class Percentages:
    """Percentages of up to six decimals, as whole numbers of which ``hundred`` are 100 %."""

    parts: Energy
    hundred: int

    @classmethod
    def exactly(cls, percentages: Sequence[Decimal]) -> "Percentages":
        """Return percentages in the largest unit that divides all of them.

        >>> exact = Percentages.exactly([Decimal("40"), Decimal("12.5")])
        >>> exact.parts.tolist(), exact.hundred
        ([16, 5], 40)
        """
        millionths = [int(each * _MILLION) for each in percentages]
        unit = gcd(_HUNDRED, *millionths)
        parts = np.array([each // unit for each in millionths], np.int64)
        return cls(parts, _HUNDRED // unit)


@dataclass(frozen=True, eq=False)
class Rounding:
    """A cut of whole Wh as `parts_of` made it, with what it was given and gave.

    ``consumers`` are the positions of those whose ``weights`` these are, a row each; none where
    they are not consumers'.
    """

    consumers: tuple[int, ...]
    weights: Energy
    numerator: Energy
    denominator: Energy
    start: Energy
    parts: Energy


@dataclass(frozen=True, eq=False, kw_only=True)
class SharingTerms:
    """What is to be shared in some quarter-hours, and what was declared of the consumers.

    ``pool`` [Wh], a value a quarter-hour, is the most that may be shared, between 0 and the sum of
    the weights; ``weights`` [Wh] what each consumer used, none negative, a row a consumer in
    ascending order of meter id. ``available`` [Wh] is the site's own energy that consumers or the
    grid could have. A member that is not alive has a weight of 0.

    Of each consumer: ``percentages``, in the sense of the key's `ShareMeaning`; ``priorities``, the
    smaller is served first. ``produced`` [Wh] has a row for each producer in ascending order of
    meter id, 0 where it is not known. ``named`` tells with a row a producer and a column a consumer
    who names whom, ``entitled`` the percentage of that producer's energy. Where ``roundings`` is a
    list, a key notes in it each time that it cuts whole Wh, so that a share can be explained.
    """

    quarters: NDArray[np.int64]
    pool: Energy
    weights: Energy
    available: Energy
    percentages: Percentages
    priorities: Sequence[int]
    produced: Energy
    named: NDArray[np.bool_]
    entitled: Percentages
    roundings: list[Rounding] | None = None

    @classmethod
    def alike(cls, pool: Energy, weights: Energy, first_quarter: int) -> "SharingTerms":
        """Return the terms under which all consumers take part alike, without producers."""
        count, length = weights.shape
        return cls(
            quarters=np.arange(first_quarter, first_quarter + length),
            pool=pool,
            weights=weights,
            available=pool,
            percentages=Percentages(np.ones(count, np.int64), 1),
            priorities=[0] * count,
            produced=np.zeros((0, length), np.int64),
            named=np.zeros((0, count), np.bool_),
            entitled=Percentages(np.zeros((0, count), np.int64), 1),
        )

    def part(self, columns: slice | NDArray[np.int64]) -> "SharingTerms":
        """The terms of some of the quarter-hours, by position."""
        return replace(
            self,
            quarters=self.quarters[columns],
            pool=self.pool[columns],
            weights=self.weights[:, columns],
            available=self.available[columns],
            produced=self.produced[:, columns],
        )

    def unbounded(self) -> "SharingTerms":
        """The same with energies as Python integers, for which no sum or product is too large."""
        return replace(
            self,
            pool=_unbounded(self.pool),
            weights=_unbounded(self.weights),
            available=_unbounded(self.available),
            produced=_unbounded(self.produced),
        )

    def start(self, step: int) -> Energy:
        """Where a step's rounding starts in each quarter-hour, see `dither`."""
        start = dither(self.quarters, step)
        return start if self.pool.dtype == np.int64 else _unbounded(start)

    def parts(
        self,
        weights: Energy,
        numerator: Energy,
        denominator: Energy,
        step: int,
        consumers: Sequence[int] | None = None,
    ) -> Energy:
        """Cut whole Wh as `parts_of` does: the one place where keys round.

        ``consumers`` are those whose weights these are, by position; all of them by default, none
        where they are the producers' (an empty sequence).
        """
        start = self.start(step)
        parts = parts_of(weights, numerator, denominator, start)
        if self.roundings is not None:
            who = range(len(weights)) if consumers is None else consumers
            self.roundings.append(
                Rounding(tuple(who), weights, numerator, denominator, start, parts)
            )
        return parts

    def whole_wh(self, energy: Energy, percentages: Percentages, step: int) -> Energy:
        """Return Wh of energies that were multiplied by percentages, rounded as all parts are."""
        hundred = np.full_like(self.pool, percentages.hundred)
        return self.parts(energy, np.ones_like(self.pool), hundred, step)


def _unbounded(energy: Energy) -> Energy:
    return cast("Energy", energy.astype(object))
