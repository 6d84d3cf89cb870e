"""Which rows of a body are rejected, and why: contradicting ones, and those that cannot be."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import NAMED_ROWS_MAX, NO_VALUE, ReadingRows, Rejected


class Rejections:
    """The rows of a body that are rejected on the way into the store.

    ``rows`` are the numbers of those that could be parsed, ``total`` how many were sent, and
    ``named`` what is wrong with the first of the others.
    """

    def __init__(self, rows: NDArray[np.int64], total: int, named: Sequence[Rejected]) -> None:
        self._rows = rows
        self._total = total
        self._named = list(named)
        self.kept = np.ones(len(rows), np.bool_)
        """Which of the rows are not rejected so far."""

    def reject(self, marked: NDArray[np.bool_], reason: Callable[[int], str]) -> None:
        """Reject marked rows; ``reason`` says why one is, by its position."""
        new = np.flatnonzero(marked & self.kept)
        self._named += [
            Rejected(int(self._rows[position]), reason(position))
            for position in new[:NAMED_ROWS_MAX].tolist()
        ]
        self.kept[new] = False

    @property
    def count(self) -> int:
        """How many rows are rejected, those that could not be parsed included."""
        return self._total - int(self.kept.sum())

    def named(self) -> tuple[Rejected, ...]:
        """The first of the rejected rows, ascending, with their reasons."""
        return tuple(sorted(self._named, key=lambda each: each.row)[:NAMED_ROWS_MAX])


_OTHERS_NAMED = 3
_FEWEST_INSTANTS = 4
"""So many instants with equally many rows show how a sender tells its phases."""


class ContradictingRows:
    """Rows of a meter and an instant with different values of a register, and nothing to choose by.

    They have the same quality, ``issued_at`` and ``replaces``, and no serials that tell two devices
    apart. ``meters`` are the numbers of the rows' meters.
    """

    def __init__(self, rows: ReadingRows, meters: NDArray[np.int64]) -> None:
        self._rows = rows
        self._groups = _groups(rows, meters)
        self.marked = np.zeros(len(rows.rows), np.bool_)
        """Which rows contradict another."""
        self._differing: dict[Register, NDArray[np.bool_]] = {}
        if self._groups is None:
            return
        for register, column in rows.values.items():
            differing = _differing(column, self._groups)
            self.marked |= differing
            self._differing[register] = differing

    def reason(self, position: int) -> str:
        """Say which other rows a marked row contradicts, and what would be right."""
        assert self._groups is not None, "there are marked rows"
        register = next(r for r, differing in self._differing.items() if differing[position])
        column = self._rows.values[register]
        group = self._groups == self._groups[position]
        others = np.flatnonzero(group & (column != NO_VALUE) & (column != column[position]))
        named = ", ".join(str(row) for row in self._rows.rows[others[:_OTHERS_NAMED]].tolist())
        more = f" and {len(others) - _OTHERS_NAMED} more" if len(others) > _OTHERS_NAMED else ""
        word = "row" if len(others) == 1 else "rows"
        return (
            f"{register} is another than in {word} {named}{more} of the same instant; send one "
            f"reading of an instant, or versions with issued_at{self._as_phases()}"
        )

    def _as_phases(self) -> str:
        """Say what it looks like if each instant has as many rows as every other."""
        assert self._groups is not None, "there are marked rows"
        sizes = np.bincount(self._groups[self._groups >= 0])
        alike = bool((self._groups >= 0).all()) and len(set(sizes.tolist())) == 1
        if not alike or len(sizes) < _FEWEST_INSTANTS:
            return ""
        return f" ({sizes[0]} rows an instant look like one row a phase; send their sum)"


def _groups(rows: ReadingRows, meters: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """Number what rows speak of, -1 of those that nothing else speaks of; None without others."""
    order = np.lexsort((rows.stamps, meters))
    same = np.diff(rows.stamps[order]) == 0
    same &= np.diff(meters[order]) == 0
    if not same.any():
        return None
    again = np.zeros(len(order), np.bool_)
    again[1:] |= same
    again[:-1] |= same
    some = np.sort(order[again])
    nothing = np.zeros(len(some), np.int64)
    columns = (
        meters[some],
        rows.stamps[some],
        nothing if rows.fractions_us is None else rows.fractions_us[some],
        rows.qualities[some],
        rows.issued_at[some],
        nothing if rows.replaces is None else rows.replaces[some],
        nothing if rows.serial_codes is None else rows.serial_codes[some],
    )
    sorted_ = np.lexsort(columns)
    differs = np.zeros(len(some), np.bool_)
    for column in columns:
        ordered = column[sorted_]
        differs[1:] |= ordered[1:] != ordered[:-1]
    groups = np.full(len(order), -1, np.intp)
    groups[some[sorted_]] = np.cumsum(differs)
    return groups


def _differing(column: NDArray[np.int64], groups: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark the rows with a value whose group has several values."""
    said = np.flatnonzero((groups >= 0) & (column != NO_VALUE))
    marked = np.zeros(len(column), np.bool_)
    if len(said):
        of, values = groups[said], column[said]
        lowest = np.full(int(of.max()) + 1, np.iinfo(np.int64).max)
        highest = np.full(len(lowest), NO_VALUE)
        np.minimum.at(lowest, of, values)
        np.maximum.at(highest, of, values)
        marked[said] = (lowest != highest)[of]
    return marked
