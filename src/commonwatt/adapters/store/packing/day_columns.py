"""Day profiles as they are stored: a UTC day of each column is one BLOB of 96 values.

Little endian: int32 for the energies of meters, int64 for those of sites, uint8 for codes. A day of
zeros, or a column that there is not, is NULL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.load_profile import LoadProfile, SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS

DayColumns = Mapping[str, bytes | None]
"""The columns of one stored day."""
DayKey = tuple[int | str, int]
"""A meter's number or a medium, and a UTC day."""
PROFILE_COLUMNS = ("im", "ex", "self", "quality_total", "quality_self")
"""What `profile_of` reads of a stored meter-day, after its day."""
_T = TypeVar("_T", bound=np.generic)
BALANCE_COLUMNS = {
    "conso_total": "conso_total",
    "from_ext": "from_ext",
    "self": "self_energy",
    "to_ext": "to_ext",
    "storage_charging": "storage_charging",
    "storage_discharging": "storage_discharging",
    "storage_charging_self": "storage_charging_self",
    "allocated": "allocated",
    "unmetered": "unmetered",
}
"""Columns of a stored site-day and the fields of a `SiteBalance` they hold."""


class StoredRun:
    """Joins the columns of stored days into arrays over the days [first, end)."""

    def __init__(self, first_day: int, end_day: int, stored_days: Sequence[int]) -> None:
        self._length = end_day - first_day
        self._whole = len(stored_days) == self._length
        self._positions = [day - first_day for day in stored_days]

    def filled(self, blobs: Sequence[bytes | None], kind: type[_T]) -> NDArray[_T]:
        """Join a column; zeros where a day or its value is not stored."""
        if self._whole and None not in blobs:
            return np.frombuffer(b"".join(blobs), kind)  # type: ignore[arg-type]
        blank = bytes(DAY_QUARTERS * np.dtype(kind).itemsize)
        days: list[bytes] = [blank] * self._length
        for position, blob in zip(self._positions, blobs, strict=True):
            days[position] = blob or blank
        return np.frombuffer(b"".join(days), kind)

    def energy(self, blobs: Sequence[bytes | None]) -> NDArray[np.int64] | None:
        """Join a column of stored int32; None if no day has it."""
        if blobs.count(None) == len(blobs):
            return None
        return self.filled(blobs, np.int32).astype(np.int64)


def _packed(
    column: NDArray[np.generic] | None, kind: type[np.generic], days: int
) -> list[bytes | None]:
    """Cut a column over whole days into the stored form of each day; None for a day of zeros."""
    if column is None:
        return [None] * days
    stored = np.ascontiguousarray(column, np.dtype(kind).newbyteorder("<")).reshape(days, -1)
    set_days: list[bool] = np.any(stored, axis=1).tolist()
    return [row.tobytes() if is_set else None for row, is_set in zip(stored, set_days, strict=True)]


def packed_profile(profile: LoadProfile) -> dict[str, list[bytes | None]]:
    """Pack whole days of a profile, column by column; a day without its quality is none."""
    days = len(profile.quality_total) // DAY_QUARTERS
    return {
        "im": _packed(profile.im, np.int32, days),
        "ex": _packed(profile.ex, np.int32, days),
        "self": _packed(profile.self_energy, np.int32, days),
        "quality_total": _packed(profile.quality_total, np.uint8, days),
        "quality_self": _packed(profile.quality_self, np.uint8, days),
        "method": _packed(profile.method, np.uint8, days),
    }


def packed_balance(balance: SiteBalance) -> dict[str, list[bytes | None]]:
    """Pack whole days of a balance, column by column; a day without its quality is none."""
    days = len(balance.quality) // DAY_QUARTERS
    columns = {"quality": _packed(balance.quality, np.uint8, days)}
    for name, field in BALANCE_COLUMNS.items():
        columns[name] = _packed(getattr(balance, field), np.int64, days)
    return columns


def profile_of(
    meter: int, first_day: int, end_day: int, rows: Sequence[tuple[Any, ...]]
) -> LoadProfile:
    """Join rows of (day, *PROFILE_COLUMNS, …), ascending by day, over the days [first, end).

    ABSENT where there is none; without the method.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(PROFILE_COLUMNS))
    run = StoredRun(first_day, end_day, columns[0])
    return LoadProfile(
        meter=meter,
        im=run.energy(columns[1]),
        ex=run.energy(columns[2]),
        self_energy=run.energy(columns[3]),
        quality_total=run.filled(columns[4], np.uint8),
        quality_self=None if not any(columns[5]) else run.filled(columns[5], np.uint8),
        method=None,
    )


def balance_of(first_day: int, end_day: int, rows: Sequence[tuple[Any, ...]]) -> SiteBalance:
    """Join rows of (day, *BALANCE_COLUMNS, quality, …), ascending, over the days [first, end).

    ABSENT where there is none.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * (2 + len(BALANCE_COLUMNS))
    run = StoredRun(first_day, end_day, columns[0])
    fields = {
        field: run.filled(column, np.int64)
        for field, column in zip(BALANCE_COLUMNS.values(), columns[1:], strict=False)
    }
    quality = run.filled(columns[1 + len(BALANCE_COLUMNS)], np.uint8)
    return SiteBalance(quality=quality, **fields)


def packed_rule_change(change: RuleChange) -> dict[str, bytes | None]:
    """Pack the change of one day, column by column."""
    columns: tuple[tuple[str, NDArray[np.generic], type[np.generic]], ...] = (
        ("im", change.im, np.int32),
        ("ex", change.ex, np.int32),
        ("self", change.self_energy, np.int32),
        ("quality_total", change.quality_total, np.uint8),
        ("quality_self", change.quality_self, np.uint8),
        ("changed", change.changed, np.uint8),
    )
    return {name: _packed(column, kind, 1)[0] for name, column, kind in columns}


def rule_change_of(first_day: int, end_day: int, rows: Sequence[tuple[Any, ...]]) -> RuleChange:
    """Join rows of (day, im, ex, self, quality_total, quality_self, changed, …), ascending by day.

    Over the days [first, end); unchanged where there is none.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    run = StoredRun(first_day, end_day, columns[0])
    im, ex, own = (run.filled(column, np.int32).astype(np.int64) for column in columns[1:4])
    total, quality_self, changed = (run.filled(column, np.uint8) for column in columns[4:7])
    return RuleChange(
        changed=changed.astype(np.bool_),
        im=im,
        ex=ex,
        self_energy=own,
        quality_total=total,
        quality_self=quality_self,
    )
