"""How a quarter-hour was estimated: in which gap, by which weight, after which others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.comparable_quarters import REFERENCE_S, ReferenceDays
from commonwatt.domain.energy.estimation import Gap, gap_weights, gaps_between
from commonwatt.domain.energy.interval_energy import JudgedIntervals
from commonwatt.domain.energy.physical_meter import Judged, JudgedMeter
from commonwatt.domain.energy.register_gaps import interpolated_gap_s, reference_reach
from commonwatt.domain.energy.shaped_index import measured_reference_days
from commonwatt.domain.energy.substitute_values import last_heard_at
from commonwatt.domain.metering.catalogue import REGISTERS_OF, MeterFacts
from commonwatt.domain.metering.quality import Method
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S, first_quarter_from
from commonwatt.domain.metering.zones import utc_offsets
from commonwatt.domain.vee.boundary_index import AcceptedSegment
from commonwatt.domain.vee.pipeline import JudgedRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A gap that a quarter-hour lies in, wholly or in part, and the part of its energy it got.

    From ``start_at`` to ``end_at`` [Unix seconds] the register counted ``rise`` [mWh, ml]; both are
    None of a proxy, for no reading has ended that gap. ``weight`` of ``weights`` where it was
    filled by shape, else None; ``reference_days`` are the measured quarter-hours that compare with
    it [Wh, litre], None where it was filled linearly.
    """

    start_at: int
    end_at: int | None
    rise: int | None
    weight: int | None = None
    weights: int | None = None
    reference_days: ReferenceDays | None = None


def estimate_of(
    judged: JudgedMeter, facts: MeterFacts, quarter: int, method: Method, zone: str
) -> Estimate | None:
    """Return how the main register's part of a gap was found; None where it was not estimated."""
    names = REGISTERS_OF[judged.meter.medium]
    main = facts.raw_register(names[-1 if facts.main_is_export else 0])
    register = judged.registers.get(main)
    if method is Method.PROXY and register is not None:
        return _by_proxy(judged, register, quarter, zone)
    if method not in (Method.LINEAR, Method.SHAPE) or not isinstance(register, JudgedRegister):
        return None
    start_at, end_at = quarter * QUARTER_S, (quarter + 1) * QUARTER_S
    gap_s = interpolated_gap_s(judged.meter.medium)
    for segment in register.segments:
        for gap in gaps_between(segment.readings, gap_s, start_at, end_at):
            if gap.start_at < end_at and gap.end_at > start_at:
                if method is Method.LINEAR:
                    return _linear(gap)
                return _by_shape(judged, register, segment, gap, quarter, zone)
    return None


def _linear(gap: Gap) -> Estimate:
    return Estimate(start_at=gap.start_at, end_at=gap.end_at, rise=gap.rise)


def _by_shape(
    judged: JudgedMeter,
    register: JudgedRegister,
    segment: AcceptedSegment,
    gap: Gap,
    quarter: int,
    zone: str,
) -> Estimate:
    meter = judged.meter
    own = segment.factor
    factor = meter.facts_at(gap.start_at).factor if own is None else own
    numerator, denominator = factor.as_integer_ratio()
    start_at, end_at = reference_reach([gap], gap.start_at, gap.end_at)
    first, end = first_quarter_from(start_at), end_at // QUARTER_S
    reference_days = measured_reference_days(meter, register.segments, first, end).within(
        *gap.reference_spans
    )
    weights = gap_weights(gap, reference_days, zone, gap.rise * numerator // denominator)
    if weights is None:
        return _linear(gap)
    return Estimate(
        start_at=gap.start_at,
        end_at=gap.end_at,
        rise=gap.rise,
        weight=int(weights[quarter - gap.first_quarter]),
        weights=int(weights.sum()),
        reference_days=_of_same_clock(reference_days, quarter, zone),
    )


def _by_proxy(judged: JudgedMeter, register: Judged, quarter: int, zone: str) -> Estimate:
    heard_at = int(last_heard_at(register, np.array([quarter]))[0])
    first, end = first_quarter_from(heard_at - REFERENCE_S), heard_at // QUARTER_S
    measured = register if isinstance(register, JudgedIntervals) else register.segments
    reference_days = measured_reference_days(judged.meter, measured, first, end)
    return Estimate(
        start_at=heard_at,
        end_at=None,
        rise=None,
        reference_days=_of_same_clock(reference_days, quarter, zone),
    )


def _of_same_clock(reference_days: ReferenceDays, quarter: int, zone: str) -> ReferenceDays:
    """Those of the same quarter of the local day, of hours where no finer one compares."""
    same = _quarter_of_day(reference_days.quarters, zone) == _quarter_of_day(
        np.array([quarter]), zone
    )
    if not same.any() and reference_days.of_hours is not None:
        return _of_same_clock(reference_days.of_hours, quarter, zone)
    return ReferenceDays(reference_days.quarters[same], reference_days.energy[same])


def _quarter_of_day(quarters: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    starts_at = quarters * QUARTER_S
    return (starts_at + utc_offsets(zone, starts_at)) % DAY_S // QUARTER_S
