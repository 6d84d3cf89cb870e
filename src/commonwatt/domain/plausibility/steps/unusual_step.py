"""Rule ``unusual-step``: a step a hundred times what is ordinary for its register."""

import numpy as np

from commonwatt.domain.metering.catalogue import Medium, Meter, valid_spans
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.plausibility.steps.counted import Counted, energy_of
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.plausibility.steps.power import RANK, SIGHT, powers
from commonwatt.domain.vee.ordinary import FINE

TIMES = 100
"""So many times what is ordinary hardly flows."""
LEAST_OTHERS = 8
"""Spans beside the step that have to tell what is ordinary there."""
_HOUR_S = 3600


def unusual_steps(
    meter: Meter,
    register: str,
    counted: Counted,
    learned: int | None,
    start_at: int,
    end_at: int,
) -> list[Finding]:
    """Return a finding for each unusual step that ends in [start, end) [Unix seconds].

    Its power is above `TIMES` the third highest of the `SIGHT` spans to each side and, if there
    is one, the ``learned`` power of the register [thousandths of a raw unit per second], and it is
    more than one step of an index. Not of charge points, nor where ``max_per_hour`` is declared.
    """
    if meter.medium is Medium.CHARGE_POINT:
        return []
    findings: list[Finding] = []
    for from_at, to_at in valid_spans(start_at, end_at, meter.facts):
        facts = meter.facts_at(from_at)
        if facts.max_per_hour is not None:
            continue
        factor = counted.factor or facts.factor
        if energy_of(counted.highest_rise, factor) <= LIMITS[meter.medium].step:
            continue
        power = powers(counted)
        first, end = counted.ending_in(from_at, to_at)
        high = np.flatnonzero(power[first:end] > TIMES * (learned or 0)) + first
        for position in high.tolist():
            seconds = int(counted.ends_at[position] - counted.starts_at[position])
            limit = _limit(counted, position, learned)
            if limit is None or power[position] <= limit or seconds > DAY_S:
                continue
            energy = energy_of(int(counted.rises[position]), factor)
            per_hour = energy_of(limit * _HOUR_S // FINE, factor)
            allowed = per_hour * max(seconds, QUARTER_S) // _HOUR_S + LIMITS[meter.medium].step
            if energy > allowed:
                evidence = {"energy": energy, "seconds": seconds, "limit": per_hour}
                bounds = int(counted.starts_at[position]), int(counted.ends_at[position])
                rule = FindingRule.UNUSUAL_STEP
                findings.append(Finding(rule, meter.number, register, *bounds, evidence))
    return findings


def _limit(counted: Counted, position: int, learned: int | None) -> int | None:
    """The power [thousandths of a raw unit per second] above which a step is unusual, or None.

    None where too little tells: of a register of which no days are known, spans that do not rise.
    """
    end = min(position + 1 + SIGHT, len(counted.rises))
    around = np.r_[max(position - SIGHT, 0) : position, position + 1 : end]
    around = around[counted.known[around]]
    if len(around) < LEAST_OTHERS:
        return None
    third = int(np.partition(powers(counted)[around], -RANK)[-RANK])
    return None if not third and learned is None else TIMES * max(third, learned or 0)
