"""Substitute values: what a meter missed since it was last heard of, of comparable days.

Only where the site allows it, and only where another meter of the group has a value: so nothing is
made up before its time. Nobody knows the energy, so nothing is distributed: the next reading
replaces a substitute value by what was counted. Their method is stored as ``PROXY``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.comparable_quarters import (
    MILLI,
    NO_REFERENCE,
    REFERENCE_S,
    comparable_means,
)
from commonwatt.domain.energy.interval_energy import JudgedIntervals
from commonwatt.domain.energy.physical_meter import Judged, JudgedMeter
from commonwatt.domain.energy.shaped_index import measured_reference_days
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Register, SiteCatalogue, valid_spans
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Method, Quality, exists
from commonwatt.domain.metering.quarter_hours import (
    DAY_QUARTERS,
    DAY_S,
    QUARTER_S,
    first_quarter_from,
)

SUBSTITUTE_S = 35 * DAY_S
"""A meter that was silent for longer is missing."""
REACH_DAYS = (SUBSTITUTE_S + REFERENCE_S) // DAY_S + 1
"""So many UTC days after a reference day may hold what is taken from it."""
NEVER = -(2**62)


def add_substitute_values(
    catalogue: SiteCatalogue,
    judged_meters: Sequence[JudgedMeter],
    energies: dict[int, MeterEnergy],
    first_quarter: int,
    end_quarter: int,
) -> None:
    """Fill into ``energies`` what the physical meters of a group missed in [first, end).

    A missing quarter-hour of an index register after its last reading, or of an interval register
    after an interval, gets the mean of what compares with it in the 35 days before that, if it lies
    within 35 days after it. Quality ESTIMATED, method PROXY.
    """
    allowed = _allowed(catalogue, first_quarter, end_quarter)
    if not allowed.any():
        return
    valued = {
        judged.meter.number: _valued(energies[judged.meter.number]) for judged in judged_meters
    }
    others = np.sum(list(valued.values()), axis=0, dtype=np.int64)
    for judged in judged_meters:
        number = judged.meter.number
        wanted = allowed & energies[number].alive & (others > valued[number])
        if wanted.any():
            energies[number] = _with_substitutes(
                judged, energies[number], wanted, first_quarter, catalogue.site.timezone
            )


def _allowed(catalogue: SiteCatalogue, first_quarter: int, end_quarter: int) -> NDArray[np.bool_]:
    allowed = np.zeros(end_quarter - first_quarter, np.bool_)
    spans = valid_spans(first_quarter * QUARTER_S, end_quarter * QUARTER_S, catalogue.facts)
    for start_at, end_at in spans:
        section = slice(start_at // QUARTER_S - first_quarter, end_at // QUARTER_S - first_quarter)
        allowed[section] = catalogue.site_facts_at(start_at).proxy_days
    return allowed


def _valued(energy: MeterEnergy) -> NDArray[np.bool_]:
    """Where any register of a meter has a value."""
    valued = np.zeros(len(energy.alive), np.bool_)
    for register in (energy.im, energy.ex):
        if register is not None:
            valued |= exists(register.quality)
    return valued


def _with_substitutes(
    judged: JudgedMeter,
    energy: MeterEnergy,
    wanted: NDArray[np.bool_],
    first_quarter: int,
    zone: str,
) -> MeterEnergy:
    """Fill both registers of a meter where they are missing and wanted."""
    meter, method = judged.meter, energy.method.copy()
    sides: list[RegisterEnergy | None] = [energy.im, energy.ex]
    end_quarter = first_quarter + len(wanted)
    for start_at, end_at in valid_spans(
        first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts
    ):
        facts = meter.facts_at(start_at)
        in_span = np.zeros(len(wanted), np.bool_)
        in_span[start_at // QUARTER_S - first_quarter : end_at // QUARTER_S - first_quarter] = True
        for side, name in enumerate(REGISTERS_OF[meter.medium]):
            register, source = sides[side], judged.registers.get(facts.raw_register(name))
            if register is None or source is None:
                continue
            missing = in_span & wanted & (register.quality == Quality.MISSING)
            filled, substitutes = _substitutes(judged, source, missing, first_quarter, zone)
            sides[side] = RegisterEnergy(
                np.where(filled, substitutes, register.energy),
                np.where(filled, np.uint8(Quality.ESTIMATED), register.quality),
            )
            if bool(side) == facts.main_is_export:
                method[filled] = Method.PROXY
    return replace(energy, im=sides[0], ex=sides[1], method=method)


def _substitutes(
    judged: JudgedMeter,
    source: Judged,
    missing: NDArray[np.bool_],
    first_quarter: int,
    zone: str,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which of the missing quarter-hours have a proxy, and the proxies."""
    quarters = np.arange(first_quarter, first_quarter + len(missing))
    heard_at = last_heard_at(source, quarters)
    missing = missing & (quarters * QUARTER_S < heard_at + SUBSTITUTE_S)
    substitutes = np.zeros(len(missing), np.int64)
    filled = np.zeros(len(missing), np.bool_)
    for at in np.unique(heard_at[missing]).tolist():
        first, end = first_quarter_from(at - REFERENCE_S), at // QUARTER_S
        measured = source if isinstance(source, JudgedIntervals) else source.segments
        reference_days = measured_reference_days(judged.meter, measured, first, end)
        positions = np.flatnonzero(missing & (heard_at == at))
        days = quarters[positions] // DAY_QUARTERS
        of_days = np.arange(days[0] * DAY_QUARTERS, (days[-1] + 1) * DAY_QUARTERS)
        means = comparable_means(reference_days, of_days, zone)
        position = quarters[positions] - of_days[0]
        substitutes[positions] = _rounded_in_day(means)[position]
        filled[positions] = means[position] != NO_REFERENCE
    return filled, substitutes


def _rounded_in_day(means: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round means [mWh, ml] of whole UTC days to [Wh, litre]: cumulated in the day, half up."""
    cumulated = np.zeros((len(means) // DAY_QUARTERS, DAY_QUARTERS + 1), np.int64)
    known = np.maximum(means, 0).reshape(-1, DAY_QUARTERS)
    np.cumsum(known, axis=1, out=cumulated[:, 1:])
    return np.diff((cumulated + MILLI // 2) // MILLI, axis=1).ravel()


def last_heard_at(source: Judged, quarters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when a register was last heard of before each quarter-hour it missed [Unix seconds].

    An index register missed what ends after its last reading; an interval register what no
    interval covers, and was last heard of at the end of the one before. NEVER elsewhere.
    """
    heard_at = np.full(len(quarters), NEVER, np.int64)
    if isinstance(source, JudgedIntervals):
        following = np.searchsorted(source.end_quarters, quarters, side="right")
        begins = np.append(source.end_quarters - source.interval_quarters, 2**62)
        missed = (following > 0) & (begins[following] > quarters)
        heard_at[missed] = source.end_quarters[following[missed] - 1] * QUARTER_S
        return heard_at
    stamps = source.accepted_stamps
    if source.to_end and len(stamps):
        heard_at[(quarters + 1) * QUARTER_S > stamps[-1]] = stamps[-1]
    return heard_at


def substitutes_reach(
    registers: Mapping[Register, Judged], start_at: int, end_at: int, newest_at: int
) -> int:
    """Return how far back reference days of what is missing in [start, end) lie [Unix seconds].

    ``newest_at``: no meter of the group has a value from then on.
    """
    quarters = np.arange(start_at // QUARTER_S, -(-min(end_at, newest_at) // QUARTER_S))
    reach = start_at
    for source in registers.values():
        heard_at = last_heard_at(source, quarters)
        heard_at = heard_at[quarters * QUARTER_S < heard_at + SUBSTITUTE_S]
        if len(heard_at):
            reach = min(reach, int(heard_at.min()) - REFERENCE_S)
    return reach
