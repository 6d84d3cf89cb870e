"""From the judged registers of a physical meter to its energy per quarter-hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import REGISTERS_OF, Medium, Meter, MeterFacts, Register, epochs
from commonwatt.domain.findings import Finding
from commonwatt.domain.meter_energy import (
    MeterEnergy,
    RegisterEnergy,
    joined,
    masked,
    within_int32,
)
from commonwatt.domain.quality import Method, Quality
from commonwatt.domain.quarter_hours import QUARTER_S
from commonwatt.domain.vee.boundary_index import BoundaryIndex, interpolate, rounded
from commonwatt.domain.vee.interval_energy import JudgedIntervals, interval_energy
from commonwatt.domain.vee.life import Life
from commonwatt.domain.vee.pipeline import JudgedRegister

Judged: TypeAlias = JudgedRegister | JudgedIntervals
INTERPOLATED_GAP_S = 2 * 3600
INTERPOLATED_GAP_SLOW_S = 26 * 3600
"""Heat, cooling and water are often read once a day."""


@dataclass(frozen=True, slots=True)
class JudgedMeter:
    """A physical meter with the judged registers that ever carried a reading."""

    meter: Meter
    registers: Mapping[Register, Judged]


def meter_energy(
    judged: JudgedMeter, first_quarter: int, end_quarter: int
) -> tuple[MeterEnergy, list[Finding]]:
    """Return the energy of a physical meter over [first, end), and what is wrong with it.

    Factor and wiring are those valid at the start of each quarter-hour: energy = round(factor x
    index at its end) - round(factor x index at its start). A disabled meter is not alive. A
    register that no accepted reading ever carried is not part of the meter.
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
        register: _source(meter.medium, judged_register, first_quarter, end_quarter)
        for register, judged_register in judged.registers.items()
        if judged_register.first_accepted_at is not None
    }
    columns = [_register_energy(meter, name, sources, pieces, alive, findings) for name in names]
    im, ex = columns[0], columns[1] if len(columns) > 1 else None
    method = Method.INDEX if meter.interval_s is None else Method.INTERVAL
    energy = MeterEnergy(im, ex, alive, method)
    first = pieces[0][1]
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


def _pieces(
    meter: Meter, first_quarter: int, end_quarter: int
) -> list[tuple[MeterFacts, int, int]]:
    """Cut [first, end) into runs of quarter-hours with the facts that hold in each."""
    spans = epochs(first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts)
    return [(meter.facts_at(start), start // QUARTER_S, end // QUARTER_S) for start, end in spans]


@dataclass(frozen=True, slots=True)
class _IndexSource:
    """A raw register whose boundary indexes are known, from ``first_quarter`` on."""

    index: BoundaryIndex
    first_quarter: int

    def energy(
        self, start: int, end: int, facts: MeterFacts
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Energy and quality of the quarter-hours [start, end)."""
        here = slice(start - self.first_quarter, end - self.first_quarter + 1)
        index = self.index
        part = BoundaryIndex(
            index.whole[here],
            index.rest[here],
            index.span[here],
            index.quality[here],
            index.break_count[here],
        )
        quality = np.minimum(part.quality[:-1], part.quality[1:])
        quality[part.break_count[:-1] != part.break_count[1:]] = Quality.MISSING
        return np.diff(rounded(part, facts.factor)), quality


@dataclass(frozen=True, slots=True)
class _IntervalSource:
    """A raw register that carries interval energies."""

    intervals: JudgedIntervals

    def energy(
        self, start: int, end: int, facts: MeterFacts
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Energy and quality of the quarter-hours [start, end)."""
        return interval_energy(self.intervals, start, end, facts.factor)


def _source(
    medium: Medium, judged: Judged, first_quarter: int, end_quarter: int
) -> _IndexSource | _IntervalSource:
    if isinstance(judged, JudgedIntervals):
        return _IntervalSource(judged)
    slow = medium not in (Medium.ELECTRICITY, Medium.CHARGE_POINT)
    boundaries = np.arange(first_quarter, end_quarter + 1) * QUARTER_S
    gap_s = INTERPOLATED_GAP_SLOW_S if slow else INTERPOLATED_GAP_S
    return _IndexSource(interpolate(judged.accepted, boundaries, gap_s), first_quarter)


def _register_energy(
    meter: Meter,
    name: Register,
    sources: Mapping[Register, _IndexSource | _IntervalSource],
    pieces: list[tuple[MeterFacts, int, int]],
    alive: NDArray[np.bool_],
    findings: list[Finding],
) -> RegisterEnergy | None:
    """Return the energy of one register of the profile; None if no raw register ever feeds it."""
    if not any(facts.raw_register(name) in sources for facts, _, _ in pieces):
        return None
    first = pieces[0][1]
    energy = np.zeros(len(alive), np.int64)
    quality = np.full(len(alive), Quality.ABSENT, np.uint8)
    for facts, start, end in pieces:
        source = sources.get(facts.raw_register(name))
        if source is not None:
            here = slice(start - first, end - first)
            energy[here], quality[here] = source.energy(start, end, facts)
    quality[~alive] = Quality.ABSENT
    return within_int32(masked(energy, quality), meter.number, name.value, first, findings)
