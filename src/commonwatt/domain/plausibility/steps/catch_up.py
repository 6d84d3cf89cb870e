"""Rule ``catch-up``: a register stood still and then made up for it in one step.

A meter or gateway that hung delivers one index for hours, then the right one; an interval meter
sends what it missed within one interval. Not the amount is wrong, but the time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import Medium, Meter, Mode, Register, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.plausibility.steps.counted import Counted, energy_of
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.plausibility.steps.power import RANK, TIMES, declared_limit
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT

SIGHT = 16
"""Spans to each side of the step that are looked at."""
LEAST_OTHERS = 8
"""Spans beside standstill and step that have to tell what is ordinary, all of them with a rise."""
LONGEST_DAYS = 30
"""What a standstill may have lasted that began before what is in sight."""
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class _Step:
    """A span that rises after a standstill, with what is in sight around it.

    ``still_from`` [Unix seconds] is where the standstill begins, or may have begun earlier if it is
    ``longer`` than what is in sight; ``others`` [raw units an hour] are the powers of the spans
    around standstill and step. ``factor`` is applied to none of them.
    """

    seconds: int
    rise: int
    still_from: int
    end_at: int
    longer: bool
    others: NDArray[np.int64]

    @property
    def ordinary(self) -> int:
        """The highest power that is ordinary around it [raw units an hour], 0 if nothing tells."""
        if len(self.others) < RANK:
            return 0
        return TIMES * int(np.partition(self.others, -RANK)[-RANK])

    @property
    def mean(self) -> int:
        """The mean power of standstill and step [raw units an hour]."""
        seconds = self.end_at - self.still_from
        return (
            self.rise * _HOUR_S // (max(seconds, LONGEST_DAYS * DAY_S) if self.longer else seconds)
        )


def catch_ups(
    catalogue: SiteCatalogue,
    judged: JudgedMeter,
    register: Register,
    counted: Counted,
    start_at: int,
    end_at: int,
) -> list[Finding]:
    """Return a finding for each step that ends in [start, end) [Unix seconds].

    A step follows spans without any rise, or intervals that nobody sent, and is above the limit:
    that of ``power-above-limit``, where nothing is declared and zeros are not ordinary also `TIMES`
    the third highest power in sight. Over standstill and step the mean is within both.
    """
    findings: list[Finding] = []
    for position in _after_standstill(judged.meter, counted, start_at, end_at):
        step = _step(counted, position)
        limit = _limit(catalogue, judged, register, counted, step)
        if limit is not None:
            findings.append(_finding(judged.meter, register, counted, step, limit))
    return findings


def _after_standstill(meter: Meter, counted: Counted, start_at: int, end_at: int) -> list[int]:
    """Return the spans that rise by more than a step of an index where nothing rose before."""
    least = LIMITS[meter.medium].step * RAW_PER_UNIT
    if counted.highest_rise <= least:
        return []
    first, end = counted.ending_in(start_at, end_at)
    first, rises = max(first, 1), counted.rises
    high = np.flatnonzero(rises[first:end] > least) + first
    unsent = counted.starts_at[high] > counted.ends_at[high - 1]
    still = unsent | (counted.known[high - 1] & (rises[high - 1] == 0))
    found: list[int] = high[still & counted.known[high]].tolist()
    return found


def _step(counted: Counted, position: int) -> _Step:
    rises, sees_from = counted.rises, max(position - SIGHT, 0)
    first = position
    while first > sees_from and rises[first - 1] == 0 and counted.known[first - 1]:
        first -= 1
    around = np.r_[sees_from:first, position + 1 : min(position + 1 + SIGHT, len(rises))]
    around = around[counted.known[around]]
    seconds = np.maximum(counted.ends_at[around] - counted.starts_at[around], QUARTER_S)
    return _Step(
        seconds=int(counted.ends_at[position] - counted.starts_at[position]),
        rise=int(rises[position]),
        still_from=int(counted.ends_at[first - 1] if first else counted.starts_at[0]),
        end_at=int(counted.ends_at[position]),
        longer=first == position - SIGHT,
        others=rises[around] * _HOUR_S // seconds,
    )


def _limit(
    catalogue: SiteCatalogue,
    judged: JudgedMeter,
    register: Register,
    counted: Counted,
    step: _Step,
) -> int | None:
    """Return the limit [Wh, litre an hour] that the step exceeds and the mean keeps, or None."""
    meter = judged.meter
    facts = meter.facts_at(step.end_at)
    factor = counted.factor or facts.factor
    declared = declared_limit(catalogue, meter, facts, step.end_at)
    ordinary, mean = energy_of(step.ordinary, factor), energy_of(step.mean, factor)
    limit = max(LIMITS[meter.medium].per_hour, ordinary) if declared is None else declared
    if mean > min(limit, ordinary or limit):
        return None
    seconds = max(step.seconds, QUARTER_S)
    allowed = limit * seconds // _HOUR_S + LIMITS[meter.medium].step
    if energy_of(step.rise, factor) > allowed:
        return limit
    if declared is not None or _may_stand_still(judged, register, facts.mode):
        return None
    tells = len(step.others) >= LEAST_OTHERS and bool(step.others.all())
    high = energy_of(step.rise * _HOUR_S // seconds, factor) > ordinary
    return ordinary if tells and high else None


def _may_stand_still(judged: JudgedMeter, register: Register, mode: Mode) -> bool:
    """Whether hours without energy are ordinary: a car, the sun, a grid meter beside the sun."""
    return (
        judged.meter.medium is Medium.CHARGE_POINT
        or mode is not Mode.CONSUMPTION
        or register is Register.EN_EX
        or len(judged.registers) > 1
    )


def _finding(
    meter: Meter, register: Register, counted: Counted, step: _Step, limit: int
) -> Finding:
    factor = counted.factor or meter.facts_at(step.end_at).factor
    evidence = {
        "energy": energy_of(step.rise, factor),
        "seconds": step.seconds,
        "still": step.end_at - step.seconds - step.still_from,
        "limit": limit,
    }
    rule = FindingRule.CATCH_UP
    return Finding(rule, meter.number, register, step.still_from, step.end_at, evidence)
