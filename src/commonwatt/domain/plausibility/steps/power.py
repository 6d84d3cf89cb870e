"""Rule ``power-above-limit``: more energy than could have flowed in the time."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import (
    Group,
    Meter,
    MeterFacts,
    SiteCatalogue,
    valid_spans,
)
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.plausibility.steps.counted import Counted, energy_of
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT
from commonwatt.domain.vee.ordinary import FINE

SIGHT = 8
"""Spans to each side that tell what is ordinary where no limit is declared."""
TIMES = 3
RANK = 3
"""Ordinary is up to `TIMES` the third highest power in sight."""
_HOUR_S = 3600


def powers_above_limit(
    catalogue: SiteCatalogue,
    meter: Meter,
    register: str,
    counted: Counted,
    start_at: int,
    end_at: int,
) -> list[Finding]:
    """Return a finding for each span above the limit that ends in [start, end) [Unix seconds].

    The limit is the meter's ``max_per_hour``, else for electricity the ``connection_w`` of the
    site, else that of the medium or, if higher, `TIMES` the third highest power of the `SIGHT`
    spans to each side. A span shorter than a quarter-hour is judged as one, for an index rises in
    steps.
    """
    findings: list[Finding] = []
    at_most = counted.highest_rise * FINE // QUARTER_S
    for from_at, to_at in valid_spans(start_at, end_at, (*meter.facts, *catalogue.facts)):
        facts = meter.facts_at(from_at)
        factor = counted.factor or facts.factor
        declared = declared_limit(catalogue, meter, facts, from_at)
        least = LIMITS[meter.medium].per_hour if declared is None else declared
        if at_most <= _power(least, factor):
            continue
        power = powers(counted)
        first, end = counted.ending_in(from_at, to_at)
        high = np.flatnonzero(power[first:end] > _power(least, factor)) + first
        if declared is None and len(high):
            high = high[~_among_equals(power, high)]
        for position in high.tolist():
            limit = (
                least if declared is not None else max(least, _ordinary(power, position, factor))
            )
            findings += _excess(meter, register, counted, position, limit, factor)
    return findings


def declared_limit(
    catalogue: SiteCatalogue, meter: Meter, facts: MeterFacts, instant_at: int
) -> int | None:
    """Return the declared limit [Wh, litre per hour], None without one."""
    if facts.max_per_hour is not None or meter.medium.group is not Group.ELECTRICITY:
        return facts.max_per_hour
    return catalogue.site_facts_at(instant_at).connection_w


def powers(counted: Counted) -> NDArray[np.int64]:
    """Return the power of each span in thousandths of a raw unit per second, 0 across a break."""
    seconds = np.maximum(counted.ends_at - counted.starts_at, QUARTER_S)
    power: NDArray[np.int64] = counted.rises * FINE // seconds
    power[~counted.known] = 0
    return power


def _power(limit: int, factor: Decimal) -> int:
    """Return a limit [Wh, litre per hour] in thousandths of a raw unit per second."""
    numerator, denominator = factor.as_integer_ratio()
    fine = limit * RAW_PER_UNIT * FINE * denominator // (_HOUR_S * max(numerator, 1))
    return min(fine, int(np.iinfo(np.int64).max))


def _excess(
    meter: Meter, register: str, counted: Counted, position: int, limit: int, factor: Decimal
) -> list[Finding]:
    """Return a finding if a span holds more than the limit allows and one step of an index."""
    from_at, to_at = int(counted.starts_at[position]), int(counted.ends_at[position])
    seconds = to_at - from_at
    energy = energy_of(int(counted.rises[position]), factor)
    if energy <= limit * max(seconds, QUARTER_S) // _HOUR_S + LIMITS[meter.medium].step:
        return []
    evidence = {"energy": energy, "seconds": seconds, "limit": limit}
    rule = FindingRule.POWER_ABOVE_LIMIT
    return [Finding(rule, meter.number, register, from_at, to_at, evidence)]


def _among_equals(power: NDArray[np.int64], high: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark the spans that three of their four neighbours show to be ordinary, without a search."""
    beside = np.zeros(len(high), np.int64)
    for steps in (-2, -1, 1, 2):
        neighbour = high + steps
        there = (neighbour >= 0) & (neighbour < len(power))
        equal = power[np.clip(neighbour, 0, len(power) - 1)] > power[high] // TIMES
        beside += there & equal
    return beside >= RANK


def _ordinary(power: NDArray[np.int64], position: int, factor: Decimal) -> int:
    """Return the highest power that is ordinary around a span [Wh, litre per hour]."""
    around = power[max(position - SIGHT, 0) : position + SIGHT + 1]
    others = np.delete(around, min(position, SIGHT))
    if len(others) < RANK:
        return 0
    third = int(np.partition(others, -RANK)[-RANK])
    return TIMES * energy_of(third * _HOUR_S // FINE, factor)
