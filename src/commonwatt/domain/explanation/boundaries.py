"""What the total of a physical meter rests on: the index at both ends of a quarter-hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from commonwatt.domain.energy.index_energy import SegmentIndex, index_segments
from commonwatt.domain.energy.interval_energy import JudgedIntervals
from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.energy.register_gaps import interpolated_gap_s
from commonwatt.domain.energy.shaped_index import shape_gaps
from commonwatt.domain.metering.catalogue import REGISTERS_OF, MeterFacts, Register
from commonwatt.domain.metering.quality import Method, Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.vee.boundary_index import AcceptedReadings, rounded
from commonwatt.domain.vee.pipeline import JudgedRegister


@dataclass(frozen=True, slots=True)
class Support:
    """An accepted reading, or an index that was declared: instant [Unix seconds] and [mWh, ml]."""

    at: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The index of a register at an end of a quarter-hour.

    ``register`` of the profile is fed by ``raw_register``. ``index`` [mWh, ml] is exact and as the
    readings around it, or the one at it, give it; None where they do not. ``rounded`` [Wh, litre]
    is ``factor`` x index, rounded half up. A quarter-hour in which a register begins anew has four.
    """

    register: Register
    raw_register: Register
    at: int
    index: Fraction | None
    factor: Decimal
    rounded: int | None
    quality: Quality
    method: Method
    around: tuple[Support, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedInterval:
    """The interval whose energy [mWh, ml] a quarter-hour is a part of, [start, end)."""

    register: Register
    raw_register: Register
    start_at: int
    end_at: int
    energy: int


def boundaries(
    judged: JudgedMeter, facts: MeterFacts, quarter: int, zone: str
) -> tuple[Boundary, ...]:
    """Return the boundaries of the index registers of a meter in a quarter-hour."""
    return tuple(
        boundary
        for register, raw_register, each in _fed(judged, facts)
        if isinstance(each, JudgedRegister)
        for index in shaped_indexes(judged, each, quarter, zone)
        for boundary in _both_ends(register, raw_register, index, facts)
    )


def shaped_indexes(
    judged: JudgedMeter, register: JudgedRegister, quarter: int, zone: str
) -> tuple[SegmentIndex, ...]:
    """Return the segments that have a part in a quarter-hour, with their index at its ends."""
    gap_s = interpolated_gap_s(judged.meter.medium)
    indexes = index_segments(register.segments, quarter, quarter + 1, gap_s)
    return shape_gaps(judged.meter, register.segments, indexes, zone)


def used_intervals(
    judged: JudgedMeter, facts: MeterFacts, quarter: int
) -> tuple[UsedInterval, ...]:
    """Return the intervals of an interval meter that cover a quarter-hour."""
    found: list[UsedInterval] = []
    for register, raw_register, each in _fed(judged, facts):
        if not isinstance(each, JudgedIntervals):
            continue
        position = int(np.searchsorted(each.end_quarters, quarter, side="right"))
        if position == len(each.end_quarters):
            continue
        end = int(each.end_quarters[position])
        if end - each.interval_quarters <= quarter:
            found.append(
                UsedInterval(
                    register=register,
                    raw_register=raw_register,
                    start_at=(end - each.interval_quarters) * QUARTER_S,
                    end_at=end * QUARTER_S,
                    energy=int(each.values[position]),
                )
            )
    return tuple(found)


def _fed(
    judged: JudgedMeter, facts: MeterFacts
) -> Iterator[tuple[Register, Register, JudgedRegister | JudgedIntervals]]:
    """The registers of the profile with the raw ones that feed them, those that have readings."""
    for register in REGISTERS_OF[judged.meter.medium]:
        raw_register = facts.raw_register(register)
        each = judged.registers.get(raw_register)
        if each is not None and each.first_accepted_at is not None:
            yield register, raw_register, each


def _both_ends(
    register: Register, raw_register: Register, each: SegmentIndex, facts: MeterFacts
) -> Iterator[Boundary]:
    factor = facts.factor if each.segment.factor is None else each.segment.factor
    whole_units = rounded(each.index, factor)
    known = exists(each.index.quality)
    for position in range(2):
        at = (each.first_quarter + position) * QUARTER_S
        whole, rest, span = (
            int(column[position]) for column in (each.index.whole, each.index.rest, each.index.span)
        )
        is_known = bool(known[position])
        yield Boundary(
            register=register,
            raw_register=raw_register,
            at=at,
            index=Fraction(whole * span + rest, span) if is_known else None,
            factor=factor,
            rounded=int(whole_units[position]) if is_known else None,
            quality=Quality(int(each.index.quality[position])),
            method=Method(int(each.index.method[position])),
            around=_around(each.segment.readings, at),
        )


def _around(readings: AcceptedReadings, at: int) -> tuple[Support, ...]:
    """The readings on both sides of an instant; of one that stands there, itself alone."""
    stamps = readings.stamps
    position = int(np.searchsorted(stamps, at))
    first, end = max(position - 1, 0), position + 1
    if position < len(stamps) and stamps[position] == at:
        first = position
    pairs = zip(stamps[first:end].tolist(), readings.values[first:end].tolist(), strict=True)
    return tuple(Support(*pair) for pair in pairs)
