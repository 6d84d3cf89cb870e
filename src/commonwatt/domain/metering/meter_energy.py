"""The energy of a meter per quarter-hour and register, with its quality."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.load_profile import Energy, Qualities
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S

ENERGY_MAX = 2**31 - 1
"""The most that a quarter-hour of a profile holds [Wh, litre]."""


@dataclass(frozen=True, slots=True)
class RegisterEnergy:
    """Energy [Wh] or volume [litre] of one register per quarter-hour, 0 where there is none."""

    energy: Energy
    quality: Qualities


@dataclass(frozen=True, slots=True)
class MeterEnergy:
    """Both registers of a meter over a run of quarter-hours; None where it has no such register.

    ``alive`` per quarter-hour; the qualities of the registers are ABSENT where it is not.
    ``method`` holds codes of `quality.Method` per quarter-hour, those of the main register; they
    mean nothing where it has no value.
    """

    im: RegisterEnergy | None
    ex: RegisterEnergy | None
    alive: NDArray[np.bool_]
    method: NDArray[np.uint8]

    def with_main(self, exported: bool) -> "MeterEnergy":
        """The same meter with a main register: what it has not is unknown there, not absent.

        An installed meter that never sent anything hides energy; a rule meter to which nothing
        contributes says nothing.
        """
        main = self.ex if exported else self.im
        if main is None:
            absent = np.full(len(self.alive), Quality.ABSENT, np.uint8)
            main = RegisterEnergy(np.zeros(len(self.alive), np.int64), absent)
        if main.quality.min(initial=Quality.MEASURED.value) == Quality.ABSENT.value:
            quality = main.quality.copy()
            quality[self.alive & (quality == Quality.ABSENT.value)] = Quality.MISSING
            main = RegisterEnergy(main.energy, quality)
        im, ex = (self.im, main) if exported else (main, self.ex)
        return MeterEnergy(im, ex, self.alive, self.method)

    def total(self, exported: bool) -> RegisterEnergy:
        """The main register (see `with_main`)."""
        main = self.ex if exported else self.im
        assert main is not None, "a meter has its main register"
        return main

    def part(self, start: int, end: int) -> "MeterEnergy":
        """The quarter-hours [start, end) by position."""
        if (start, end) == (0, len(self.alive)):
            return self
        section = slice(start, end)
        im, ex = (
            None if r is None else RegisterEnergy(r.energy[section], r.quality[section])
            for r in (self.im, self.ex)
        )
        return MeterEnergy(im, ex, self.alive[section], self.method[section])


def masked(energy: Energy, quality: Qualities) -> RegisterEnergy:
    """Return a register's energy with 0 wherever the quality says that there is none."""
    known = exists(quality)
    return RegisterEnergy(energy if known.all() else np.where(known, energy, 0), quality)


def joined(parts: Sequence[tuple[int, int, MeterEnergy]], length: int) -> MeterEnergy:
    """Join the parts [start, end) of a run; what no part has is absent there."""
    alive = np.zeros(length, np.bool_)
    method = np.zeros(length, np.uint8)
    columns: list[RegisterEnergy | None] = []
    for start, end, part in parts:
        alive[start:end], method[start:end] = part.alive, part.method
    for exported in (False, True):
        energy = np.zeros(length, np.int64)
        quality = np.full(length, Quality.ABSENT, np.uint8)
        found = False
        for start, end, part in parts:
            register = part.ex if exported else part.im
            if register is not None:
                found = True
                energy[start:end], quality[start:end] = register.energy, register.quality
        columns.append(RegisterEnergy(energy, quality) if found else None)
    return MeterEnergy(columns[0], columns[1], alive, method)


def within_int32(
    register: RegisterEnergy, meter: int, name: str, first_quarter: int, findings: list[Finding]
) -> RegisterEnergy:
    """Let the quarter-hours beyond what a profile holds be missing; add a finding for each.

    ``name`` is the register of the profile, ``first_quarter`` where its columns begin.
    """
    energy, quality = register.energy, register.quality
    if energy.max(initial=0) <= ENERGY_MAX and energy.min(initial=0) >= -ENERGY_MAX - 1:
        return register
    too_large = exists(quality) & ((energy > ENERGY_MAX) | (energy < -ENERGY_MAX - 1))
    for position in np.flatnonzero(too_large).tolist():
        start_at = (first_quarter + position) * QUARTER_S
        evidence = {"energy": int(energy[position])}
        findings.append(
            Finding(
                FindingRule.QUARTER_TOO_LARGE,
                meter,
                name,
                start_at,
                start_at + QUARTER_S,
                evidence,
            )
        )
    return masked(energy, np.where(too_large, Quality.MISSING, quality).astype(np.uint8))
