"""Registers that run over their digits: what is to be added to each index so that it counts on."""

from fractions import Fraction
from itertools import pairwise

from tests.oracle.facts import Meter
from tests.oracle.seams import Run

KILO = 10**6
NEAR = 8
SIGHT = 16


def _size(meter: Meter, run: Run, top: int, digits: int | None) -> int | None:
    """The index (mWh, ml) at which a register that shows `top` is 0 again, if it can be."""
    if digits is None:
        sizes = [10**d * KILO for d in range(4, 10) if 10**d * KILO > top]
    else:
        sizes = [10**digits * KILO] if 10**digits * KILO > top else []
    factors = [f.factor if run.factor is None else run.factor for f in meter.facts]
    if not sizes or any((factor * sizes[0] / 1000).denominator != 1 for factor in factors):
        return None
    return int(sizes[0])


def _most(meter: Meter, run: Run, position: int) -> Fraction:
    """What can plausibly be counted in a second between a reading and the one before it."""
    readings = run.readings
    facts = meter.facts_at(readings[position].stamp)
    if facts.max_per_hour is not None:
        return facts.max_per_hour * 1000 / (run.factor or facts.factor) / 3600
    before = readings[max(0, position - 1 - NEAR) : position]
    after = readings[position : position + 1 + NEAR]
    rates = sorted(
        Fraction(b.value - a.value, b.stamp - a.stamp)
        for near in (before, after)
        for a, b in pairwise(near)
        if b.value > a.value
    )
    return 4 * (rates[-3] if len(rates) >= 3 else rates[0]) if rates else Fraction(0)


def _step(meter: Meter, run: Run, position: int) -> int:
    """What is added from a reading on, for what lies between it and the one before it."""
    before, after = run.readings[position - 1], run.readings[position]
    top, bottom = max(before.value, after.value), min(before.value, after.value)
    size = _size(meter, run, top, run.device.digits)
    if size is None or 10 * top < 9 * size or 10 * bottom > size:
        return 0
    most = _most(meter, run, position) * (after.stamp - before.stamp)
    if size - (top - bottom) > most:
        return 0
    if after.value < before.value:
        return size
    return 0 if top - bottom <= most else -size


def rolled(meter: Meter, register: str, run: Run) -> list[int]:
    """What is to be added to the index of each reading."""
    readings = run.readings
    steps = [0, *(_step(meter, run, position) for position in range(1, len(readings)))]
    for declared in meter.resolutions:
        if declared.kind != "rollover" or declared.register != register:
            continue
        until = [p for p, r in enumerate(readings) if r.stamp <= declared.start_at]
        since = [p for p, r in enumerate(readings) if r.stamp >= declared.end_at]
        if not until or not since or not 0 < since[0] - until[-1] <= SIGHT:
            continue
        before, after = until[-1], since[0]
        steps[before + 1 : after + 1] = [0] * (after - before)
        digits = declared.digits or run.device.digits
        size = _size(meter, run, readings[before].value, digits)
        if size is not None and readings[after].value < readings[before].value:
            steps[after] = size
    return [sum(steps[: position + 1]) for position in range(len(steps))][: len(readings)]
