"""Tables of periods as typed columns, to be written as JSON, CSV, Arrow or Parquet.

A table holds numbers, never texts of its rows: texts are made some thousand rows at a time while an
answer is written, so that a long one takes no more memory than a short one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.zones import utc_offsets


@dataclass(frozen=True, slots=True)
class Instants:
    """Instants [Unix seconds], shown in UTC: ``2026-03-22T04:30:00Z``."""

    name: str
    at: NDArray[np.int64]

    def part(self, rows: slice) -> "Instants":
        """The column of some rows."""
        return Instants(self.name, self.at[rows])

    def texts(self) -> list[str]:
        """The instants as ISO 8601."""
        return _iso_texts(self.at, "Z")


@dataclass(frozen=True, slots=True)
class LocalInstants:
    """Instants [Unix seconds], shown in a zone with its offset: ``2026-03-22T05:30:00+01:00``."""

    name: str
    at: NDArray[np.int64]
    zone: str

    def part(self, rows: slice) -> "LocalInstants":
        """The column of some rows."""
        return LocalInstants(self.name, self.at[rows], self.zone)

    def texts(self) -> list[str]:
        """The instants as ISO 8601."""
        offsets = utc_offsets(self.zone, self.at)
        walls = _iso_texts(self.at + offsets, "")
        ends = {offset: _offset_text(offset) for offset in np.unique(offsets).tolist()}
        return [wall + ends[each] for wall, each in zip(walls, offsets.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class Amounts:
    """Energies or volumes in thousandths [Wh, litre], shown in kWh or m3; none where not known."""

    name: str
    thousandths: NDArray[np.int64]
    known: NDArray[np.bool_]

    def part(self, rows: slice) -> "Amounts":
        """The column of some rows."""
        return Amounts(self.name, self.thousandths[rows], self.known[rows])

    def numbers(self) -> list[float | None]:
        """The amounts as doubles: each is the one nearest to its three decimals."""
        return _where_known((self.thousandths / 1000).tolist(), self.known)


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of a whole, in millionths, shown as 0 to 1; none where there is no whole."""

    name: str
    millionths: NDArray[np.int64]
    known: NDArray[np.bool_]

    def part(self, rows: slice) -> "Shares":
        """The column of some rows."""
        return Shares(self.name, self.millionths[rows], self.known[rows])

    def numbers(self) -> list[float | None]:
        """The shares as doubles."""
        return _where_known((self.millionths / 1_000_000).tolist(), self.known)


@dataclass(frozen=True, slots=True)
class Words:
    """Words by code: ``of[code]`` is the word of a row, None for none."""

    name: str
    codes: NDArray[np.integer]
    of: Sequence[str | None]

    def part(self, rows: slice) -> "Words":
        """The column of some rows."""
        return Words(self.name, self.codes[rows], self.of)

    def words(self) -> list[str | None]:
        """The words."""
        return [self.of[code] for code in self.codes.tolist()]


Column: TypeAlias = Instants | LocalInstants | Amounts | Shares | Words


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of ``length`` rows each, in the order in which they are written."""

    columns: Sequence[Column]
    length: int

    def part(self, first: int, end: int) -> "Table":
        """The rows [first, end)."""
        end = min(end, self.length)
        return Table([column.part(slice(first, end)) for column in self.columns], end - first)


def _where_known(numbers: list[float], known: NDArray[np.bool_]) -> list[float | None]:
    if known.all():
        return list(numbers)
    return [
        number if there else None for number, there in zip(numbers, known.tolist(), strict=True)
    ]


def _iso_texts(at: NDArray[np.int64], end: str) -> list[str]:
    texts: list[str] = np.datetime_as_string(at.astype("datetime64[s]"), unit="s").tolist()
    return [text + end for text in texts]


def _offset_text(offset_s: int) -> str:
    minutes, seconds = divmod(abs(offset_s), 60)
    text = f"{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text
