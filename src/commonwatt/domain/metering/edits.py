"""Quarter-hours and readings that a person set or cleared.

Edits of quarter-hours act on what validation and estimation, or a rule, gave, in the order in which
they were made: where two overlap the later one counts. Their energy is not tied to the register's
index: where quarter-hours are edited, their sum is no longer the register difference, by somebody's
word.

An edit of a reading is one more version of it, which counts before all that senders say: it is
validated as every reading is, and quarter-hours are still differences of the register.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Register, valid_spans
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.life import Life
from commonwatt.domain.metering.load_profile import Energy
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings, cleared_positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Quarter-hours [start, end) [Unix seconds] of a register of a profile, set or cleared.

    ``number`` within the site; ``energy`` [Wh, litre] of the whole span, None where it is cleared;
    ``account`` made it at ``made_us`` [Unix microseconds]; undone it counts no more.

    Or the reading of a raw register at ``start_at`` = ``end_at``: then ``delivery`` is the one that
    says so, and ``index`` [mWh, ml] the one that is set, None where the reading is cleared.

    Or what is estimated, or implausible, in [start, end) is accepted as it is (``accepts``): then
    nothing is set, nothing cleared, and no quarter-hour changes.
    """

    number: int
    meter: int
    register: Register
    start_at: int
    end_at: int
    energy: int | None
    reason: str
    account: str
    made_us: int
    undone_us: int | None = None
    undone_by: str | None = None
    index: int | None = None
    delivery: int | None = None
    accepts: bool = False

    @property
    def of_reading(self) -> bool:
        """Whether it is of a reading, not of quarter-hours."""
        return self.delivery is not None

    def energies(self, first_quarter: int, end_quarter: int) -> Energy:
        """Return the energy of each quarter-hour of [first, end), a part of the edited ones.

        Spread evenly and rounded cumulatively, half up, so that the span has exactly its energy.

        >>> edit = Edit(
        ...     number=1,
        ...     meter=1,
        ...     register=Register.EN_IM,
        ...     start_at=0,
        ...     end_at=2_700,
        ...     energy=5,
        ...     reason="",
        ...     account="",
        ...     made_us=0,
        ... )
        >>> edit.energies(0, 3).tolist()
        [2, 1, 2]
        """
        quarters = (self.end_at - self.start_at) // QUARTER_S
        each, rest = divmod(self.energy or 0, quarters)
        passed = np.arange(first_quarter, end_quarter + 1) - self.start_at // QUARTER_S
        return np.diff(each * passed + (2 * rest * passed + quarters) // (2 * quarters))


def accepted_quarters(
    edits: Iterable[Edit], meter: int, first_quarter: int, end_quarter: int
) -> NDArray[np.bool_]:
    """Mark the quarter-hours of [first, end) of a meter that somebody accepted as they are."""
    accepted = np.zeros(end_quarter - first_quarter, np.bool_)
    for each in edits:
        if each.accepts and each.meter == meter and each.undone_us is None:
            start, end = (at // QUARTER_S - first_quarter for at in (each.start_at, each.end_at))
            accepted[max(start, 0) : max(end, 0)] = True
    return accepted


def edits_known_at(edits: Iterable[Edit], at_us: int) -> list[Edit]:
    """Return the edits as they were known at an instant [Unix microseconds]."""
    return [
        each
        if each.undone_us is None or each.undone_us <= at_us
        else replace(each, undone_us=None, undone_by=None)
        for each in edits
        if each.made_us <= at_us
    ]


def cleared_readings(
    meter: Meter, stored: StoredReadings | None, withdrawn: Collection[int]
) -> Iterator[Finding]:
    """Yield a finding for each reading that somebody cleared, of each register."""
    if stored is None or not (stored.qualities == ReadingQuality.CLEARED.value).any():
        return
    for register in sorted(stored.values):
        positions = cleared_positions(stored, register, withdrawn)
        pairs = zip(stored.stamps[positions], stored.values[register][positions], strict=True)
        for stamp, index in ((int(at), int(value)) for at, value in pairs):
            rule, evidence = FindingRule.CLEARED_BY_EDIT, {"index": index}
            yield Finding(rule, meter.number, register.value, stamp, stamp, evidence)


def apply_edits(
    meter: Meter, energy: MeterEnergy, edits: Iterable[Edit], first_quarter: int
) -> MeterEnergy:
    """Return the energy of a meter with the edits that count, from ``first_quarter`` on.

    What is set has the quality EDITED and, in the meter's main register, the method EDIT; it makes
    the meter alive there, unless it is disabled or outside its declared life. What is cleared is
    MISSING. A quarter-hour that the meter is not alive in cannot be cleared.
    """
    end_quarter = first_quarter + len(energy.alive)
    mine = [
        each
        for each in sorted(edits, key=lambda edit: edit.number)
        if each.meter == meter.number
        and not each.of_reading
        and not each.accepts
        and each.undone_us is None
        and each.start_at < end_quarter * QUARTER_S
        and each.end_at > first_quarter * QUARTER_S
    ]
    if not mine:
        return energy
    may_live, main_is_export = _facts_of(meter, first_quarter, end_quarter)
    for each in mine:
        energy = _edited(energy, each, may_live, main_is_export, first_quarter)
    return energy


def _facts_of(
    meter: Meter, first_quarter: int, end_quarter: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell for each quarter-hour if the meter may be alive, and if its main register is export."""
    may_live = Life.of(meter).alive(first_quarter, end_quarter, first_quarter * QUARTER_S)
    main_is_export = np.zeros(len(may_live), np.bool_)
    for start_at, end_at in valid_spans(
        first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts
    ):
        section = slice(start_at // QUARTER_S - first_quarter, end_at // QUARTER_S - first_quarter)
        facts = meter.facts_at(start_at)
        may_live[section] &= facts.enabled
        main_is_export[section] = facts.main_is_export
    return may_live, main_is_export


def _edited(
    energy: MeterEnergy,
    edit: Edit,
    may_live: NDArray[np.bool_],
    main_is_export: NDArray[np.bool_],
    first_quarter: int,
) -> MeterEnergy:
    first = max(edit.start_at // QUARTER_S, first_quarter)
    end = min(edit.end_at // QUARTER_S, first_quarter + len(energy.alive))
    span = slice(first - first_quarter, end - first_quarter)
    exported = edit.register is Register.EN_EX
    is_main = main_is_export[span] == exported
    alive, method = energy.alive.copy(), energy.method.copy()
    column = _column(energy.ex if exported else energy.im, len(alive))
    if edit.energy is None:
        touched = alive[span]
        amounts, quality = np.zeros(end - first, np.int64), Quality.MISSING
    else:
        touched = may_live[span] & (alive[span] | is_main)
        amounts, quality = edit.energies(first, end), Quality.EDITED
        alive[span] |= touched
        method[span][touched & is_main] = Method.EDIT
    column.energy[span] = np.where(touched, amounts, column.energy[span])
    column.quality[span] = np.where(touched, quality, column.quality[span])
    im, ex = (energy.im, column) if exported else (column, energy.ex)
    return MeterEnergy(im, ex, alive, method)


def _column(register: RegisterEnergy | None, length: int) -> RegisterEnergy:
    """Return a register's columns to write to; absent throughout where there is no register."""
    if register is None:
        absent = np.full(length, Quality.ABSENT, np.uint8)
        return RegisterEnergy(np.zeros(length, np.int64), absent)
    return RegisterEnergy(register.energy.copy(), register.quality.copy())
