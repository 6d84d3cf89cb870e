"""Registers that run over their digits and begin again at 0.

Judged pair by pair of neighbouring readings: a fall from the top tenth of the register to its
bottom tenth is a rollover if what it then counted is plausible for the time between. The reverse
pair counts back, as a late reading of before the rollover would.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import (
    Meter,
    MeterFacts,
    Register,
    Resolution,
    ResolutionKind,
)
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT
from commonwatt.domain.vee.declared_segments import DeclaredSegment
from commonwatt.domain.vee.verdicts import SIGHT

RATE_SIGHT = 8
"""Readings to each side of a pair whose rises tell what is plausible."""
_RAW_PER_KILO = 1_000 * RAW_PER_UNIT
_LEAST_DIGITS, _MOST_DIGITS = 4, 9
_ALL_DIGITS = range(1, 13)
_TIMES = 4
"""How many times the rate of its neighbours a plausible one may be."""
_SPIKES = 2
"""Rises among the neighbours that may be spikes."""


@dataclass(frozen=True, slots=True)
class Rollovers:
    """What is to be added to each index [mWh, ml] so that it counts on.

    ``reach`` is how many readings to each side what is added may depend on.
    """

    added: NDArray[np.int64]
    reach: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloverRule:
    """What is known of a register: its digits, the factors that act on it, the most that can flow.

    ``limits`` are the most that can flow in an hour in raw units [mWh, ml], each with the instant
    [Unix seconds] from which it holds, None where no limit is set; ``declared`` are the rollovers
    that somebody declared.
    """

    digits: int | None
    factors: tuple[Decimal, ...]
    limits: tuple[tuple[int, Fraction | None], ...]
    declared: tuple[Resolution, ...]

    @classmethod
    def of(cls, meter: Meter, register: Register, segment: DeclaredSegment) -> "RolloverRule":
        """What is declared of a register in a segment of it."""
        return cls(
            digits=segment.digits,
            factors=tuple({segment.factor or facts.factor for facts in meter.facts}),
            limits=tuple((facts.valid_from, _limit(facts, segment)) for facts in meter.facts),
            declared=tuple(
                each
                for each in meter.resolutions
                if each.kind is ResolutionKind.ROLLOVER and each.register is register
            ),
        )

    def find(self, stamps: NDArray[np.int64], values: NDArray[np.int64]) -> Rollovers | None:
        """Find the rollovers among ascending readings; None if nothing falls or looks like one.

        Where factor x 10^digits is not a whole number of [Wh, litre] there is none.
        """
        if not len(values):
            return None
        falls = bool((values[1:] < values[:-1]).any())
        if not falls and values[-1] < max(9 * int(values[0]), self._least_top):
            return None
        steps = np.zeros(len(values), np.int64)
        candidates = self._candidates(values)
        for after, upper, backward in candidates:
            if self._plausible(stamps, values, after, upper, backward):
                steps[after] = -upper if backward else upper
        for each in self.declared:
            self._declare(stamps, values, each, steps)
        reach = SIGHT if self.declared else RATE_SIGHT if candidates else 0
        return Rollovers(np.cumsum(steps), reach)

    def limit_at(self, instant_at: int) -> Fraction | None:
        """The most that can flow in an hour before a reading [mWh, ml]; None without a limit."""
        limits = [limit for from_at, limit in self.limits if from_at <= instant_at]
        return limits[-1] if limits else self.limits[0][1]

    def wholly_rolling(self) -> list[bool]:
        """Tell for each number of digits whether a register of so many can roll over."""
        sizes = [self._size(10**digits * _RAW_PER_KILO - 1, digits) for digits in _ALL_DIGITS]
        return [size is not None for size in sizes]

    @property
    def _least_top(self) -> int:
        """The least that a register shows in its top tenth [mWh, ml]."""
        digits = _LEAST_DIGITS if self.digits is None else self.digits
        return int(9 * 10**digits * _RAW_PER_KILO // 10)

    def _candidates(self, values: NDArray[np.int64]) -> list[tuple[int, int, bool]]:
        """The pairs that may be one: position of the later reading, 10^digits, counted back."""
        lower = np.minimum(values[1:], values[:-1])
        upper = np.maximum(values[1:], values[:-1])
        wide = np.flatnonzero((upper // 9 >= lower) & (upper >= self._least_top))
        found = []
        for position in wide.tolist():
            top, bottom = int(upper[position]), int(lower[position])
            size = self._size(top, self.digits)
            if size is not None and 10 * top >= 9 * size and 10 * bottom <= size:
                found.append((position + 1, size, bool(values[position + 1] > values[position])))
        return found

    def _size(self, top: int, digits: int | None) -> int | None:
        """Where a register that shows ``top`` rolls over [mWh, ml]; None: nowhere."""
        sizes = range(_LEAST_DIGITS, _MOST_DIGITS + 1) if digits is None else (digits,)
        for size in (10**each * _RAW_PER_KILO for each in sizes):
            if size > top:
                whole = (f.as_integer_ratio() for f in self.factors)
                return size if all(n * size % (d * RAW_PER_UNIT) == 0 for n, d in whole) else None
        return None

    def _plausible(
        self,
        stamps: NDArray[np.int64],
        values: NDArray[np.int64],
        after: int,
        size: int,
        backward: bool,
    ) -> bool:
        """Whether the pair is a rollover rather than a reset, a spike or a rise."""
        most = self._most_per_s(stamps, values, after) * int(stamps[after] - stamps[after - 1])
        difference = abs(int(values[after]) - int(values[after - 1]))
        return size - difference <= most and not (backward and difference <= most)

    def _most_per_s(
        self, stamps: NDArray[np.int64], values: NDArray[np.int64], after: int
    ) -> Fraction:
        """The most that can plausibly be counted in a second."""
        limit = self.limit_at(int(stamps[after]))
        if limit is not None:
            return limit / 3600
        # The third of them stands for all: two spikes among the neighbours do no harm.
        rates = sorted(self._rates(stamps, values, after), reverse=True)
        return _TIMES * rates[min(_SPIKES, len(rates) - 1)] if rates else Fraction(0)

    def _rates(
        self, stamps: NDArray[np.int64], values: NDArray[np.int64], after: int
    ) -> Iterator[Fraction]:
        """The rises per second between neighbours on either side of a pair."""
        for near in (
            slice(max(0, after - 1 - RATE_SIGHT), after),
            slice(after, after + 1 + RATE_SIGHT),
        ):
            rises, seconds = np.diff(values[near]), np.diff(stamps[near])
            up = rises > 0
            yield from map(Fraction, rises[up].tolist(), seconds[up].tolist())

    def _declare(
        self,
        stamps: NDArray[np.int64],
        values: NDArray[np.int64],
        declared: Resolution,
        steps: NDArray[np.int64],
    ) -> None:
        """Count a declared rollover between its readings, and no other there."""
        before = int(np.searchsorted(stamps, declared.start_at, side="right")) - 1
        after = int(np.searchsorted(stamps, declared.end_at))
        if before < 0 or not before < after < len(values) or after - before > SIGHT:
            return
        steps[before + 1 : after + 1] = 0
        size = self._size(int(values[before]), declared.digits or self.digits)
        if size is not None and values[after] < values[before]:
            steps[after] = size


def _limit(facts: MeterFacts, segment: DeclaredSegment) -> Fraction | None:
    """The most that can flow in an hour [mWh, ml], None without a limit."""
    if facts.max_per_hour is None:
        return None
    return facts.max_per_hour * RAW_PER_UNIT / Fraction(segment.factor or facts.factor)
