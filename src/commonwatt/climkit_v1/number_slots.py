"""Integer columns as decimal numbers in a slot of fixed width, blank on the left.

A slot is chosen for the numbers of a whole answer: the narrowest ready-made table that holds them
all, else digits in groups.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from commonwatt.climkit_v1 import text_tables
from commonwatt.climkit_v1.text_tables import BLANK, MINUS, Bytes, Texts

_POWERS = 10 ** np.arange(1, 19, dtype=np.int64)
_GROUP = 4


class NumberSlot(Protocol):
    """Where the numbers of one column go in every row."""

    @property
    def width(self) -> int:
        """Bytes in each row."""

    def write(self, rows: Bytes, at: int, first: int) -> None:
        """Write the numbers from position `first` on into all `rows`, beginning at byte `at`."""


def place(rows: Bytes, at: int, texts: Texts) -> None:
    """Write one text into each row, beginning at byte `at`; `rows` must be contiguous."""
    slot: Texts = np.ndarray(len(texts), texts.dtype, rows, at, rows.strides[:1])
    slot[:] = texts


@dataclass(frozen=True, slots=True)
class TableSlot:
    """Numbers few enough to have their texts ready made."""

    values: NDArray[np.integer]
    texts: Texts

    @property
    def width(self) -> int:
        """Bytes in each row."""
        return self.texts.dtype.itemsize

    def write(self, rows: Bytes, at: int, first: int) -> None:
        """Write the numbers from position `first` on into all `rows`, beginning at byte `at`."""
        place(rows, at, self.texts.take(self.values[first : first + len(rows)]))


@dataclass(frozen=True, slots=True)
class DigitSlot:
    """Numbers of any size, their whole part from `fewest` to `most` digits long."""

    values: NDArray[np.integer]
    decimals: int
    fewest: int
    most: int
    signed: bool

    @property
    def width(self) -> int:
        """Bytes in each row."""
        return self.signed + self.most + 1 + self.decimals

    def write(self, rows: Bytes, at: int, first: int) -> None:
        """Write the numbers from position `first` on into all `rows`, beginning at byte `at`."""
        values = self.values[first : first + len(rows)].astype(np.int64)
        whole = np.abs(values)
        end = at + self.width
        if self.decimals == 6:
            whole, rest = _split(whole, 1000)
            end -= 3
            place(rows, end, text_tables.fraction_end().take(rest))
        whole, rest = _split(whole, 1000)
        end -= 4
        place(rows, end, text_tables.fraction().take(rest))
        self._write_whole(rows, end, whole)
        if self.signed:
            rows[:, at] = BLANK
        for length in range(self.fewest, self.most):
            rows[whole < 10**length, end - length - 1] = BLANK
        if self.signed:
            negative = np.flatnonzero(values < 0)
            lengths = _digit_counts(whole[negative])
            rows[negative, end - lengths - 1] = MINUS

    def _write_whole(self, rows: Bytes, end: int, whole: NDArray[np.int64]) -> None:
        left = self.most
        while left:
            width = min(_GROUP, left)
            whole, part = _split(whole, 10**width)
            end -= width
            place(rows, end, text_tables.group(width).take(part))
            left -= width


def number_slot(values: NDArray[np.integer], decimals: int) -> NumberSlot:
    """Return the slot for numbers in units of 10 ** -`decimals`, at least one; 3 or 6 decimals.

    Three decimals are always written, more only where a number of the column needs them.
    """
    if decimals == 6 and not np.any(values % 1000):
        values, decimals = values // 1000, 3
    lowest = int(np.minimum.reduce(values))
    highest = int(np.maximum.reduce(values))
    if decimals == 3 and lowest >= 0 and highest < text_tables.SMALL_END:
        return TableSlot(values, text_tables.small_thousandths())
    if decimals == 3 and lowest >= text_tables.SIGNED_FIRST and highest < text_tables.SIGNED_END:
        return TableSlot(values, text_tables.signed_thousandths())
    unit = 10**decimals
    nearest = 0 if lowest < 0 < highest else min(abs(lowest), abs(highest))
    return DigitSlot(
        values,
        decimals,
        fewest=len(str(nearest // unit)),
        most=len(str(max(abs(lowest), abs(highest)) // unit)),
        signed=lowest < 0,
    )


def _split(numbers: NDArray[np.int64], base: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Division by a constant runs on whole vectors, the remainder does not.
    quotients = numbers // base
    return quotients, numbers - quotients * base


def _digit_counts(numbers: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.searchsorted(_POWERS, numbers, side="right") + 1
