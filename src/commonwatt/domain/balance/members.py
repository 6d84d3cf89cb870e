"""The members of the balance of a group, and what they measured together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.balance.balance import MeasuredFlows
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
)
from commonwatt.domain.metering.load_profile import Energy
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Quality, worst


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the balance over a span in which the facts stay the same."""

    number: int
    medium: Medium
    facts: MeterFacts
    energy: MeterEnergy

    @property
    def mode(self) -> Mode:
        """What it is to the site in this span."""
        return self.facts.mode

    @property
    def total(self) -> Energy:
        """The energy of its main register, 0 where there is none."""
        return self.energy.total(self.facts.main_is_export).energy

    @property
    def quality(self) -> NDArray[np.uint8]:
        """The worst quality of the registers that the balance needs of this member."""
        total = self.energy.total(self.facts.main_is_export).quality
        if self.mode not in (Mode.INTRODUCTION, Mode.BATTERY) or self.energy.ex is None:
            return total
        return worst([total, self.energy.ex.quality], len(total))

    def lacks(self, position: int) -> list[Register]:
        """The registers that the balance needs of it and that are missing in a quarter-hour."""
        names = REGISTERS_OF[self.medium]
        main = names[-1 if self.facts.main_is_export else 0]
        sides = {main: self.energy.total(self.facts.main_is_export)}
        if self.mode in (Mode.INTRODUCTION, Mode.BATTERY) and self.energy.ex is not None:
            sides[names[-1]] = self.energy.ex
        return [name for name, side in sides.items() if side.quality[position] == Quality.MISSING]


def counts_unshared(medium: Medium, facts: MeterFacts) -> bool:
    """Whether a meter of these facts has a place in the balance with its total, and no share.

    That is not stored with its results.
    """
    unshared = facts.mode is Mode.PRODUCTION or medium.group is not Group.ELECTRICITY
    return unshared and facts.balance and not facts.isolated


def members_of(
    meters: Iterable[Meter], energies: Mapping[int, MeterEnergy], start_at: int, section: slice
) -> list[Member]:
    """Return the members of the balance by the facts that hold from an instant on.

    ``section`` are the quarter-hours of ``energies`` that are meant, over which no facts change.
    """
    return [
        Member(meter.number, meter.medium, facts, energy.part(section.start, section.stop))
        for meter in meters
        if (energy := energies.get(meter.number)) is not None
        and (facts := meter.facts_at(start_at)).is_member
    ]


def measured_flows(
    members: list[Member], length: int
) -> tuple[MeasuredFlows, dict[Mode, list[Member]]]:
    """Sum the members' energies by mode; also return the members by mode, ascending by id."""
    by_mode: dict[Mode, list[Member]] = {mode: [] for mode in Mode}
    for member in members:
        by_mode[member.mode].append(member)
    grid, storage = by_mode[Mode.INTRODUCTION], by_mode[Mode.BATTERY]
    has_grid = np.zeros(length, np.bool_)
    for member in grid:
        has_grid |= member.energy.alive
    # With a grid meter the sun's meter hides nothing but its own columns.
    qualities = [
        np.where(has_grid, Quality.ABSENT, member.quality).astype(np.uint8)
        if member.mode is Mode.PRODUCTION
        else member.quality
        for member in members
    ]
    flows = MeasuredFlows(
        consumed=total_of((m.energy.total(False) for m in by_mode[Mode.CONSUMPTION]), length),
        grid_im=total_of((m.energy.im for m in grid), length),
        grid_ex=total_of((m.energy.ex for m in grid), length),
        produced=total_of((m.energy.ex for m in by_mode[Mode.PRODUCTION]), length),
        charging=total_of((m.energy.im for m in storage), length),
        discharging=total_of((m.energy.ex for m in storage), length),
        has_grid=has_grid,
        quality=worst(qualities, length),
    )
    return flows, by_mode


def total_of(registers: Iterable[RegisterEnergy | None], length: int) -> Energy:
    """Sum registers over ``length`` quarter-hours [Wh, litre]; None is one that a meter lacks."""
    total = np.zeros(length, np.int64)
    for register in registers:
        if register is not None:
            total += register.energy
    return total
