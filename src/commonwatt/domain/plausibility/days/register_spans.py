"""Rule ``interval-register-mismatch`` over the span between two readings of a register.

For registers that are read too seldom for a comparison by the day, as once a month.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from commonwatt.domain.energy.physical_meter import Judged
from commonwatt.domain.energy.register_gaps import interpolated_gap_s
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Meter,
    MeterFacts,
    Register,
    valid_spans,
)
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.load_profile import Energy, Qualities
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.plausibility.days.register_check import (
    differs,
    named_register,
    sums_evidence,
)
from commonwatt.domain.plausibility.steps.counted import Counted, counted_spans, energy_of
from commonwatt.domain.vee.boundary_index import LONGEST_GAP_S


@dataclass(frozen=True, slots=True)
class RegisterRise:
    """What a register counted between two consecutive used readings.

    ``start_at`` and ``end_at`` are those readings [Unix seconds], ``energy`` is the rise times the
    factor [Wh, litre].
    """

    register: Register
    start_at: int
    end_at: int
    energy: int

    @property
    def quarters(self) -> tuple[int, int]:
        """The quarter-hours [first, end) that it has a part in."""
        return self.start_at // QUARTER_S, -(-self.end_at // QUARTER_S)


def register_rises(
    meter: Meter, named: Meter, judged: Mapping[Register, Judged], start_at: int, end_at: int
) -> Iterator[RegisterRise]:
    """Yield the rises that end in [start, end] [Unix seconds] and that ``meter`` is checked by.

    ``judged`` are the raw registers of ``named``, its register meter. Those of readings too far
    apart for a quarter-hour to be known by them, and at most 400 days; none across a break, nor
    where the main register of the meter, or factor or wiring of the other, changed meanwhile.
    """
    for raw, of_register in judged.items():
        for counted in counted_spans(of_register):
            first, end = counted.ending_in(start_at, end_at + 1)
            seconds = (counted.ends_at - counted.starts_at)[first:end]
            seldom = (seconds > interpolated_gap_s(named.medium)) & (seconds <= LONGEST_GAP_S)
            for position in np.flatnonzero(seldom & counted.known[first:end]).tolist():
                rise = _rise(meter, named, raw, counted, first + position)
                if rise is not None:
                    yield rise


def _rise(
    meter: Meter, named: Meter, raw: Register, counted: Counted, position: int
) -> RegisterRise | None:
    start_at, end_at = int(counted.starts_at[position]), int(counted.ends_at[position])
    exports = {facts.main_is_export for facts in _facts_within(meter, start_at, end_at)}
    if len(exports) > 1:
        return None
    main = REGISTERS_OF[meter.medium][-1 if True in exports else 0]
    register = named_register(meter) or main
    facts = _facts_within(named, start_at, end_at)
    fed_by = {(each.raw_register(register), each.factor) for each in facts}
    # The quality of quarter-hours is kept of a meter's main register alone.
    if register is not main or len(fed_by) > 1 or raw is not facts[0].raw_register(register):
        return None
    factor = counted.factor or facts[0].factor
    energy = energy_of(int(counted.rises[position]), factor)
    return RegisterRise(register, start_at, end_at, energy)


def _facts_within(meter: Meter, start_at: int, end_at: int) -> list[MeterFacts]:
    return [meter.facts_at(at) for at, _ in valid_spans(start_at, end_at, meter.facts)]


def mismatch_over(
    meter: Meter, rise: RegisterRise, energy: Energy, quality: Qualities
) -> Finding | None:
    """Compare the sum of a meter's intervals with a rise of its register meter.

    ``energy`` [Wh, litre] and ``quality`` are those of the quarter-hours that the rise has a part
    in. None if both agree, or if one of the quarter-hours does not rest on readings. Of a
    quarter-hour in which a reading stands nobody knows how much was before it: anything from
    nothing to all of it agrees.
    """
    if not (quality > Quality.ESTIMATED).all():
        return None
    first, end = 0, len(energy)
    if rise.start_at % QUARTER_S:
        first += 1
    if rise.end_at % QUARTER_S:
        end -= 1
    least, most = int(energy[first:end].sum()), int(energy.sum())
    intervals = min(max(rise.energy, least), most)
    if not differs(np.array([intervals]), np.array([rise.energy])).any():
        return None
    return Finding(
        FindingRule.INTERVAL_REGISTER_MISMATCH,
        meter.number,
        rise.register,
        rise.start_at,
        rise.end_at,
        sums_evidence(intervals, rise.energy),
    )
