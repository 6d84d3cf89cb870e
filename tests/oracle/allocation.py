"""The allocation keys, as docs/allocation.md tells them: exact fractions, one quarter-hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Key = Literal[
    "pro_rata", "priority", "fixed", "fixed_redistributed", "equal", "own_first", "matrix"
]
ALL = Fraction(100)


@dataclass(frozen=True)
class Consumer:
    """What a consumer used in the quarter-hour (0 if less), and what is declared of it.

    `producers` has by id the percentage of each producer that it names, None without one.
    """

    used: int
    share: Fraction | None = None
    priority: int = 0
    producers: Mapping[str, Fraction | None] | None = None


@dataclass(frozen=True)
class Quarter:
    """What there is to share; consumers and producers (what they delivered) by meter id."""

    number: int
    pool: int
    available: int
    consumers: Mapping[str, Consumer]
    producers: Mapping[str, int]

    def u(self, step: int) -> Fraction:
        """Where the rounding of a step starts."""
        factor = 0x9E3779B97F4A7C15 ** (step + 1)
        return Fraction((self.number * factor % 2**64) >> 32, 2**32)

    def rounded(self, quotas: Mapping[str, Fraction], step: int) -> dict[str, int]:
        """Whole Wh: the differences of the floors of the running sum, which begins at u."""
        whole: dict[str, int] = {}
        running = self.u(step)
        for name in sorted(quotas):
            before, running = running, running + quotas[name]
            whole[name] = running.__floor__() - before.__floor__()
        return whole

    def in_proportion(self, pool: int, weights: Mapping[str, int], step: int = 0) -> dict[str, int]:
        """A pool, at most what the weights are together, in proportion to them."""
        together = sum(weights.values())
        if together == 0:
            return dict.fromkeys(weights, 0)
        pool = min(pool, together)
        quotas = {name: Fraction(pool * weight, together) for name, weight in weights.items()}
        return self.rounded(quotas, step)

    def taking_part(self) -> dict[str, int]:
        """The percentage of each consumer's consumption that takes part."""
        quotas = {}
        for name, consumer in self.consumers.items():
            percentage = ALL if consumer.share is None else consumer.share
            quotas[name] = consumer.used * percentage / ALL
        return self.rounded(quotas, 1)

    def within_pool(self, claims: Mapping[str, int]) -> dict[str, int]:
        """Claims of more than the pool are served in proportion to them."""
        return self.in_proportion(min(self.pool, sum(claims.values())), claims)

    def parts_of_producers(self) -> dict[str, int]:
        """The part of the pool of each producer."""
        return self.in_proportion(self.pool, self.producers, 2)


def shares(key: Key, quarter: Quarter) -> dict[str, int]:
    """Each consumer's share under a key, in Wh."""
    if key == "pro_rata":
        return quarter.in_proportion(quarter.pool, quarter.taking_part())
    if key == "priority":
        return _priority(quarter)
    if key == "fixed":
        return _fixed(quarter)
    if key == "fixed_redistributed":
        widths = {name: c.share or Fraction(0) for name, c in quarter.consumers.items()}
        return _filled(quarter, widths)
    if key == "equal":
        return _filled(quarter, dict.fromkeys(quarter.consumers, Fraction(1)))
    return _own_first(quarter) if key == "own_first" else _matrix(quarter)


def _priority(quarter: Quarter) -> dict[str, int]:
    wanted = quarter.taking_part()
    left = quarter.pool
    result: dict[str, int] = {}
    for level in sorted({consumer.priority for consumer in quarter.consumers.values()}):
        here = {n: wanted[n] for n, c in quarter.consumers.items() if c.priority == level}
        served = quarter.in_proportion(left, here)
        left -= sum(served.values())
        result |= served
    return result


def _fixed(quarter: Quarter) -> dict[str, int]:
    claims = quarter.rounded(
        {
            name: min(Fraction(c.used), quarter.available * (c.share or 0) / ALL)
            for name, c in quarter.consumers.items()
        },
        1,
    )
    return quarter.within_pool(claims)


def _filled(quarter: Quarter, widths: Mapping[str, Fraction]) -> dict[str, int]:
    """Vessels of these widths, filled to one level: those that hold least for their width first."""
    quotas = dict.fromkeys(widths, Fraction(0))
    used = {name: quarter.consumers[name].used for name, width in widths.items() if width > 0}
    left, width = Fraction(quarter.pool), sum((widths[name] for name in used), Fraction(0))
    for name in sorted(used, key=lambda name: used[name] / widths[name]):
        quotas[name] = min(Fraction(used[name]), left * widths[name] / width)
        left -= quotas[name]
        width -= widths[name]
    return quarter.rounded(quotas, 0)


def _own_first(quarter: Quarter) -> dict[str, int]:
    wanted = quarter.taking_part()
    result = dict.fromkeys(wanted, 0)
    for producer, part in sorted(quarter.parts_of_producers().items()):
        needs = {
            name: wanted[name] - result[name]
            for name, consumer in quarter.consumers.items()
            if producer in (consumer.producers or {})
        }
        for name, share in quarter.in_proportion(part, needs, 3).items():
            result[name] += share
    return _with_rest(quarter, wanted, result)


def _matrix(quarter: Quarter) -> dict[str, int]:
    parts = quarter.parts_of_producers()
    quotas = {}
    for name, consumer in quarter.consumers.items():
        named = consumer.producers or {}
        entitled = sum(
            (parts.get(p, 0) * (part or 0) / ALL for p, part in named.items()), Fraction(0)
        )
        quotas[name] = min(Fraction(consumer.used), entitled)
    wanted = {name: consumer.used for name, consumer in quarter.consumers.items()}
    return _with_rest(quarter, wanted, quarter.within_pool(quarter.rounded(quotas, 3)))


def _with_rest(
    quarter: Quarter, wanted: Mapping[str, int], result: Mapping[str, int]
) -> dict[str, int]:
    needs = {name: wanted[name] - result[name] for name in wanted}
    rest = quarter.in_proportion(quarter.pool - sum(result.values()), needs)
    return {name: result[name] + rest[name] for name in wanted}
