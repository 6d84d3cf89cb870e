"""What another platform says of a meter's quarter-hours: kept beside ours, never mixed with it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import QUARTER_S

NO_VALUE = -(2**63)
"""Stands where the other platform says nothing. Unlike readings, its values may be negative."""
VALUE_MAX = 2**62
"""The largest amount [mWh, ml], so that a difference of two never overflows."""


@dataclass(frozen=True, slots=True)
class ReferenceQuarters:
    """Quarter-hours of a meter as another platform answers them, as int64 columns of equal length.

    ``starts_at`` [Unix seconds] strictly ascend on quarter-hours and may have gaps. ``total``, and
    a consumer's ``self_`` and ``ext``, are in mWh (water: ml), since the other platform's values
    may have fractions of a Wh; NO_VALUE where it has none. They may be negative.

    Raises ValueError, which names the column and what would be right.

    >>> start_at = 1_767_222_000  # Zurich, 2026-01-01 00:00
    >>> quarters = ReferenceQuarters(
    ...     np.array([start_at, start_at + 900]),
    ...     total=np.array([250_000, 125_500]),
    ...     self_=np.array([NO_VALUE, 100_000]),
    ...     ext=np.array([NO_VALUE, 25_500]),
    ... )
    >>> quarters.between(start_at + 900, start_at + 1800).total.tolist()
    [125500]
    """

    starts_at: NDArray[np.int64]
    total: NDArray[np.int64]
    self_: NDArray[np.int64]
    ext: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse what is no run of quarter-hours."""
        for name in (field.name for field in fields(self)):
            column: NDArray[np.int64] = getattr(self, name)
            if column.dtype != np.int64 or column.shape != (len(self.starts_at),):
                raise ValueError(f"{name} must be int64, one value for each of starts_at")
        if (self.starts_at % QUARTER_S).any():
            raise ValueError("starts_at must lie on quarter-hours")
        if (np.diff(self.starts_at) <= 0).any():
            raise ValueError("starts_at must strictly ascend")
        for name, column in self.columns().items():
            beyond = (column > VALUE_MAX) | (column < -VALUE_MAX)
            if (beyond & (column != NO_VALUE)).any():
                raise ValueError(f"{name} must be at most {VALUE_MAX} either way, or NO_VALUE")

    @classmethod
    def joined(cls, parts: Sequence["ReferenceQuarters"]) -> "ReferenceQuarters":
        """Join parts that follow each other; at least one."""
        columns = (
            np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)
        )
        return cls(*columns)

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """The columns by their public names: total, self, ext."""
        return {"total": self.total, "self": self.self_, "ext": self.ext}

    def between(self, start_at: int, end_at: int) -> "ReferenceQuarters":
        """The quarter-hours that begin in [start, end) [Unix seconds]."""
        first, end = np.searchsorted(self.starts_at, (start_at, end_at)).tolist()
        section = slice(first, end)
        return ReferenceQuarters(
            self.starts_at[section], self.total[section], self.self_[section], self.ext[section]
        )

    def laid_out(self, first_quarter: int, end_quarter: int) -> dict[str, NDArray[np.int64]]:
        """One value for each of the quarter-hours [first, end), by column; NO_VALUE in gaps.

        All of these quarter-hours must lie within.
        """
        positions = self.starts_at // QUARTER_S - first_quarter
        found = {}
        for name, column in self.columns().items():
            found[name] = np.full(end_quarter - first_quarter, NO_VALUE, np.int64)
            found[name][positions] = column
        return found
