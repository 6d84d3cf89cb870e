"""Which rows of a body are rejected, told in words for so many of them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.readings import NAMED_ROWS_MAX, Rejected


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
