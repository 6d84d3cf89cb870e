"""Rows of a body as columns of raw values, and the faults found in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import NAMED_ROWS_MAX, ReadingQuality, Rejected
from commonwatt.formats.errors import UnreadableBody, shown

NAME_KEYS = ("meter", "type", "prim_ad")
REGISTER_KEYS = tuple(register.value for register in Register)
READING_KEYS = (
    *NAME_KEYS,
    "timestamp",
    *REGISTER_KEYS,
    "quality",
    "issued_at",
    "serial",
    "replaces",
)
SENSOR_KEYS = ("sensor", "timestamp", "value")

BODY_ROWS_MAX = 500_000
"""A body has at most this many rows: each may need a line in the receipt. Files have no limit."""
SERIALS_MAX = 2**15 - 1
"""A body or a delivery of a file names at most this many serials."""

Column = Sequence[object]
T = TypeVar("T")


class RowFaults:
    """Which of ``count`` rows have a fault, and the first fault of each row.

    Of NAMED_ROWS_MAX rows at most it is known what is wrong: a body of nothing but faults must not
    cost more than one of readings.
    """

    def __init__(self, count: int) -> None:
        self.faulty = np.zeros(count, np.bool_)
        self.reasons: dict[int, str] = {}

    def add(self, position: int, reason: str) -> None:
        """Note a fault, unless the row has one already."""
        if not self.faulty[position]:
            self.faulty[position] = True
            if self.names_more:
                self.reasons[position] = reason

    @property
    def names_more(self) -> bool:
        """Whether what is wrong with one more row would be kept."""
        return len(self.reasons) < NAMED_ROWS_MAX

    def add_all(self, key: str, reasons: Mapping[int, str]) -> None:
        """Note the faults of the values under a key."""
        for position, reason in reasons.items():
            self.add(position, f"{key}: {reason}")

    @classmethod
    def joined(cls, parts: Sequence["RowFaults"]) -> "RowFaults":
        """Join the faults of rows that come one after the other."""
        joined = cls(0)
        joined.faulty = np.concatenate([part.faulty for part in parts])
        start = 0
        for part in parts:
            for position in sorted(part.reasons):
                if joined.names_more:
                    joined.reasons[start + position] = part.reasons[position]
            start += len(part.faulty)
        return joined

    def between(self, start: int, end: int) -> "RowFaults":
        """The faults of the rows at [start, end)."""
        part = RowFaults(0)
        part.faulty = self.faulty[start:end]
        part.reasons = {at - start: r for at, r in self.reasons.items() if start <= at < end}
        return part

    def rejected(self, rows: NDArray[np.int64]) -> list[Rejected]:
        """Return the rows with a named fault under their numbers, in their order."""
        return [
            Rejected(int(rows[position]), self.reasons[position])
            for position in sorted(self.reasons)
        ]


@dataclass(frozen=True, slots=True)
class RowSource:
    """Columns as a source gives them: raw values by key, None where a row has none.

    rows: row numbers, from 1. faults: what the source itself found wrong with a row. left_out: so
    many rows more were too broken to have columns; ``broken`` names the first. zone: the zone
    of naive stamps, None for UTC. quality and replaces: those of the rows that do not say.
    """

    rows: NDArray[np.int64]
    columns: Mapping[str, Column]
    faults: RowFaults
    zone: str | None = None
    quality: ReadingQuality = ReadingQuality.MEASURED
    replaces: bool = False
    left_out: int = 0
    broken: Sequence[Rejected] = ()

    @property
    def count(self) -> int:
        """The number of rows with columns, faulty ones included."""
        return len(self.rows)

    def column(self, key: str) -> Column:
        """Return the values under a key, all None if the source has no such key."""
        column = self.columns.get(key)
        return [None] * self.count if column is None else column

    def only(self, kind: type, what: str, key: str) -> Column:
        """Return a column whose values are of one type or None; others become a fault and None."""
        column = self.column(key)
        if set(map(type, column)) <= {kind, NoneType}:
            return column
        for position, value in enumerate(column):
            if type(value) not in (kind, NoneType):
                self.faults.add(position, f"{key}: {shown(value)} is not {what}")
        return [value if type(value) is kind else None for value in column]


def refuse_too_many_rows(count: int) -> None:
    """Raise `UnreadableBody` for a body of more than BODY_ROWS_MAX rows."""
    if count > BODY_ROWS_MAX:
        raise UnreadableBody(
            0, 0, f"{count} rows; a body has at most {BODY_ROWS_MAX}, send several"
        )


def coded(values: Sequence[T]) -> tuple[list[T], NDArray[np.int32]]:
    """Return the distinct values in the order of appearance, and each value's position there."""
    distinct = list(dict.fromkeys(values))
    positions = {value: position for position, value in enumerate(distinct)}
    return distinct, np.fromiter(map(positions.__getitem__, values), np.int32, len(values))


def add_coded_faults(
    faults: RowFaults, codes: NDArray[np.int32], reasons: Mapping[int, str]
) -> None:
    """Note the faults of coded values: of each row whose code is among ``reasons``."""
    if reasons:
        for position in np.flatnonzero(np.isin(codes, list(reasons))).tolist():
            faults.add(position, reasons[int(codes[position])])
