"""How near the quarter-hours of filled gaps come to the truth, commonwatt beside other methods."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.faults.imputation import METHODS, GapToFill, filled
from benchmarks.site.settled_site import Column, Sent, SettledSite
from benchmarks.site.shapes import FIRST_QUARTER, SHAPES, ZONE, boundaries, indexes
from commonwatt.domain.metering.catalogue import Mode
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS

_SEED = 20_160_101
OURS = "commonwatt"
LENGTHS: Mapping[str, tuple[int, int]] = {
    "3 h": (12, 24),
    "12 h": (48, 24),
    "1 day": (96, 20),
    "3 days": (288, 12),
    "7 days": (672, 8),
    "14 days": (1_344, 5),
    "46 days": (46 * 96, 2),
}
"""Quarter-hours of a gap, and gaps in a meter's year."""
_MARGIN = 7 * DAY_QUARTERS
"""A gap has data before and after it."""


@dataclass
class Errors:
    """Sums over gaps [mWh]: of what was true, and of the absolute differences from it."""

    truth: float = 0.0
    of_gaps: float = 0.0
    of_quarters: float = 0.0
    largest: list[float] = field(default_factory=list)

    def add(self, truth: Column, found: NDArray[np.float64]) -> None:
        """Add a gap."""
        self.truth += float(truth.sum())
        self.of_gaps += abs(float(found.sum() - truth.sum()))
        self.of_quarters += float(np.abs(found - truth).sum())
        if truth.max():
            self.largest.append(float(found.max() / truth.max()))

    @property
    def energy(self) -> float:
        """Error of the gaps' energy, part of the true energy."""
        return self.of_gaps / self.truth

    @property
    def shape(self) -> float:
        """Error of the quarter-hours, part of the true energy: 2 is all of it at a wrong time."""
        return self.of_quarters / self.truth

    @property
    def peak(self) -> float:
        """The largest quarter-hour of a gap, part of the true one; the median of all gaps."""
        return float(np.median(self.largest))


Outcome = Mapping[tuple[str, str, str], Errors]
"""Errors by kind of shape, length of the gaps and method."""


def estimate(lengths: Sequence[str]) -> Outcome:
    """Make gaps of each length in a year of all shapes, and let all methods fill them."""
    outcome: dict[tuple[str, str, str], Errors] = {}
    for length in lengths:
        for position, gap in _filled_by_commonwatt(*LENGTHS[length]):
            kind, truth = SHAPES[position].kind, gap.task.energy[gap.task.start : gap.task.end]
            found = {name: filled(gap.task, method) for name, method in METHODS.items()}
            for name, energy in {OURS: gap.ours, **found}.items():
                outcome.setdefault((kind, length, name), Errors()).add(truth, energy)
    return outcome


@dataclass(frozen=True, slots=True)
class _FilledGap:
    task: GapToFill
    ours: NDArray[np.float64]


def _filled_by_commonwatt(length: int, count: int) -> Iterator[tuple[int, _FilledGap]]:
    """Deliver the year with gaps, settle it, and yield each gap with what commonwatt made of it."""
    random = np.random.default_rng([_SEED, length])
    modes = [Mode.PRODUCTION if shape.produces else Mode.CONSUMPTION for shape in SHAPES]
    energies = [shape.energy() for shape in SHAPES]
    starts = [_starts(random, len(energy), length, count) for energy in energies]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        SettledSite(Path(folder), modes, ZONE, balance=False) as site,
    ):
        for position, energy in enumerate(energies):
            sent = Sent(stamps=boundaries(), values=indexes(energy, 5_000_000_000))
            kept = np.ones(len(sent.stamps), np.bool_)
            for start in starts[position]:
                kept[start + 1 : start + length] = False
            site.send(position, Sent(stamps=sent.stamps[kept], values=sent.values[kept]))
        site.settle()
        for position, energy in enumerate(energies):
            known = np.ones(len(energy), np.bool_)
            for start in starts[position]:
                known[start : start + length] = False
            for start in starts[position]:
                first = FIRST_QUARTER + start
                ours = site.series(position, first, first + length).total.astype(np.float64) * 1_000
                yield position, _FilledGap(GapToFill(energy, known, start, start + length), ours)


def _starts(random: np.random.Generator, quarters: int, length: int, count: int) -> list[int]:
    """Draw gaps that do not touch."""
    room = quarters - 2 * _MARGIN - count * (length + DAY_QUARTERS)
    drawn = np.sort(random.integers(0, room, count))
    starts: list[int] = (drawn + _MARGIN + np.arange(count) * (length + DAY_QUARTERS)).tolist()
    return starts
