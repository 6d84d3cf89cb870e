"""From the judged registers of a physical meter to its energy per quarter-hour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.index_energy import (
    QuarterColumns,
    SegmentIndex,
    index_energy,
    index_segments,
)
from commonwatt.domain.energy.interval_energy import JudgedIntervals, interval_energy
from commonwatt.domain.energy.register_gaps import (
    EstimatedSpan,
    interpolated_gap_s,
    register_gaps,
)
from commonwatt.domain.energy.shaped_index import shape_gaps
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Meter,
    MeterFacts,
    Register,
    valid_spans,
)
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.life import Life
from commonwatt.domain.metering.meter_energy import (
    MeterEnergy,
    RegisterEnergy,
    joined,
    masked,
    within_int32,
)
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from
from commonwatt.domain.vee.pipeline import JudgedRegister

Judged: TypeAlias = JudgedRegister | JudgedIntervals
_NO_REGISTER = (None, None)


@dataclass(frozen=True, slots=True)
class JudgedMeter:
    """A physical meter with the judged registers that ever carried a reading.

    ``conflicts`` are findings about what was said of it before it was judged, ``ordinary`` by
    register what its days reach [thousandths of a raw unit per second], None: too few are known.
    """

    meter: Meter
    registers: Mapping[Register, Judged]
    conflicts: tuple[Finding, ...] = ()
    ordinary: Mapping[Register, int | None] = field(default_factory=dict)


def meter_energy(
    judged: JudgedMeter, first_quarter: int, end_quarter: int, zone: str
) -> tuple[MeterEnergy, list[Finding]]:
    """Return the energy of a physical meter over [first, end), and what is wrong with it.

    Factor and wiring are those valid at the start of each quarter-hour: energy = round(factor x
    index at its end) - round(factor x index at its start). A disabled meter is not alive. A
    register that no accepted reading ever carried is not part of the meter. Gaps are estimated by
    the clock of the ``zone``; that needs the readings where their reference days lie (see
    `register_gaps`).
    """
    meter = judged.meter
    firsts = [register.first_accepted_at for register in judged.registers.values()]
    first_accepted_at = min((at for at in firsts if at is not None), default=None)
    alive = Life.of(meter).alive(first_quarter, end_quarter, first_accepted_at)
    pieces = _pieces(meter, first_quarter, end_quarter)
    for facts, start, end in pieces:
        if not facts.enabled:
            alive[start - first_quarter : end - first_quarter] = False
    findings: list[Finding] = []
    names = REGISTERS_OF[meter.medium]
    sources = {
        register: _source(meter, judged_register, first_quarter, end_quarter, zone)
        for register, judged_register in judged.registers.items()
        if judged_register.first_accepted_at is not None
    }
    columns = [_register_energy(meter, name, sources, pieces, alive, findings) for name in names]
    (im, im_method), (ex, ex_method) = columns[0], columns[-1] if len(columns) > 1 else _NO_REGISTER
    first = pieces[0][1]
    method = np.zeros(end_quarter - first_quarter, np.uint8)
    for facts, start, end in pieces:
        of_main = ex_method if facts.main_is_export else im_method
        if of_main is not None:
            method[start - first : end - first] = of_main[start - first : end - first]
    energy = MeterEnergy(im, ex, alive, method)
    parts = [
        (
            start - first,
            end - first,
            energy.part(start - first, end - first).with_main(facts.main_is_export),
        )
        for facts, start, end in pieces
    ]
    if len(parts) == 1:
        return parts[0][2], findings
    return joined(parts, end_quarter - first_quarter), findings


def estimated_spans(
    judged: JudgedMeter, first_quarter: int, end_quarter: int
) -> list[EstimatedSpan]:
    """Return the days of the gaps of its registers that meet the quarter-hours [first, end)."""
    start_at, end_at = first_quarter * QUARTER_S, end_quarter * QUARTER_S
    gaps = register_gaps(judged.meter.medium, judged.registers, start_at, end_at)
    return [EstimatedSpan.of(judged.meter.number, gap) for gap in gaps]


def _pieces(
    meter: Meter, first_quarter: int, end_quarter: int
) -> list[tuple[MeterFacts, int, int]]:
    """Cut [first, end) into runs of quarter-hours with the facts that hold in each."""
    spans = valid_spans(first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts)
    return [(meter.facts_at(start), start // QUARTER_S, end // QUARTER_S) for start, end in spans]


@dataclass(frozen=True, slots=True)
class _IndexSource:
    """A raw register whose boundary indexes are known, segment by segment."""

    indexes: tuple[SegmentIndex, ...]
    first_accepted_at: int | None

    def columns(self, start: int, end: int, facts: MeterFacts) -> QuarterColumns:
        """Energy, quality and method of the quarter-hours [start, end)."""
        return index_energy(self.indexes, start, end, facts.factor)


@dataclass(frozen=True, slots=True)
class _IntervalSource:
    """A raw register that carries interval energies."""

    intervals: JudgedIntervals

    @property
    def first_accepted_at(self) -> int | None:
        """The start of the first accepted interval [Unix seconds]."""
        return self.intervals.first_accepted_at

    def columns(self, start: int, end: int, facts: MeterFacts) -> QuarterColumns:
        """Energy, quality and method of the quarter-hours [start, end)."""
        energy, quality = interval_energy(self.intervals, start, end, facts.factor)
        return QuarterColumns(energy, quality, np.full(end - start, Method.INTERVAL, np.uint8))


def _source(
    meter: Meter, judged: Judged, first_quarter: int, end_quarter: int, zone: str
) -> _IndexSource | _IntervalSource:
    if isinstance(judged, JudgedIntervals):
        return _IntervalSource(judged)
    gap_s = interpolated_gap_s(meter.medium)
    indexes = index_segments(judged.segments, first_quarter, end_quarter, gap_s)
    shaped = shape_gaps(meter, judged.segments, indexes, zone)
    return _IndexSource(shaped, judged.first_accepted_at)


def _register_energy(
    meter: Meter,
    name: Register,
    sources: Mapping[Register, _IndexSource | _IntervalSource],
    pieces: list[tuple[MeterFacts, int, int]],
    alive: NDArray[np.bool_],
    findings: list[Finding],
) -> tuple[RegisterEnergy | None, NDArray[np.uint8] | None]:
    """Return the energy of one register of the profile and its method.

    None if no raw register ever feeds it.
    """
    found = [(sources.get(piece[0].raw_register(name)), *piece) for piece in pieces]
    if all(source is None for source, *_ in found):
        return _NO_REGISTER
    whole = QuarterColumns.joined(
        [
            QuarterColumns.absent(end - start)
            if source is None
            else source.columns(start, end, facts)
            for source, facts, start, end in found
        ]
    )
    if not alive.all():
        whole.quality[~alive] = Quality.ABSENT
    first = pieces[0][1]
    if name in meter.register_from:
        _without_register(meter.register_from[name], found, first, whole.quality)
    register = masked(whole.energy, whole.quality)
    return within_int32(register, meter.number, name.value, first, findings), whole.method


def _without_register(
    from_at: int,
    found: list[tuple[_IndexSource | _IntervalSource | None, MeterFacts, int, int]],
    first_quarter: int,
    quality: NDArray[np.uint8],
) -> None:
    """Let a register be absent before it begins; never where a reading of it says otherwise."""
    for source, _, start, end in found:
        begins_at = from_at
        if source is not None and source.first_accepted_at is not None:
            begins_at = min(begins_at, source.first_accepted_at)
        before = min(max(first_quarter_from(begins_at), start), end)
        quality[start - first_quarter : before - first_quarter] = Quality.ABSENT
