"""The energy of a meter per quarter-hour and register, with quality: what rules and balance work on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.load_profile import Energy, Qualities
from commonwatt.domain.quality import Quality


@dataclass(frozen=True, slots=True)
class RegisterEnergy:
    """Energy [Wh] or volume [litre] of one register per quarter-hour, 0 where there is none."""

    energy: Energy
    quality: Qualities


@dataclass(frozen=True, slots=True)
class MeterEnergy:
    """Both registers of a meter over a run of quarter-hours; None where it has no such register.

    ``alive`` per quarter-hour; the qualities of the registers are ABSENT where it is not.
    ``method`` holds codes of `quality.Method`.
    """

    im: RegisterEnergy | None
    ex: RegisterEnergy | None
    alive: NDArray[np.bool_]
    method: int

    def total(self, exported: bool) -> RegisterEnergy:
        """The main register; MISSING where alive if the meter has no such register."""
        main = self.ex if exported else self.im
        if main is None:
            quality = np.where(self.alive, Quality.MISSING, Quality.ABSENT).astype(np.uint8)
            return RegisterEnergy(np.zeros(len(quality), np.int64), quality)
        lacking = self.alive & (main.quality == Quality.ABSENT)
        if lacking.any():
            return RegisterEnergy(
                main.energy, np.where(lacking, Quality.MISSING, main.quality).astype(np.uint8)
            )
        return main

    def part(self, start: int, end: int) -> "MeterEnergy":
        """The quarter-hours [start, end) by position."""
        here = slice(start, end)
        im, ex = (
            None if r is None else RegisterEnergy(r.energy[here], r.quality[here])
            for r in (self.im, self.ex)
        )
        return MeterEnergy(im, ex, self.alive[here], self.method)


def masked(energy: Energy, quality: Qualities) -> RegisterEnergy:
    """Return a register's energy with 0 wherever the quality says that there is none."""
    return RegisterEnergy(np.where(quality >= Quality.ESTIMATED, energy, 0), quality)
