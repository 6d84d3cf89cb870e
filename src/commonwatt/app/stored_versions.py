"""Which rows of a delivery say something new, and which now count instead of earlier ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.readings import (
    NO_VALUE,
    ReadingQuality,
    StoredReadings,
    best_versions,
)

_STAMP_BITS = 41
_STAMP_OFFSET = 1 << 39
"""Makes every stamp of 15,000 years around 1970 positive within its bits."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The rows that are stored: their positions, their readings, and how many now supersede.

    A register that says nothing new has no value in ``readings``.
    """

    said: NDArray[np.intp]
    readings: StoredReadings
    superseding: int

    @property
    def accepted(self) -> int:
        """How many rows are stored."""
        return len(self.said)


def compare_with_stored(
    numbers: NDArray[np.int64],
    incoming: StoredReadings,
    stored: Sequence[tuple[int, StoredReadings]],
    withdrawn: frozenset[int],
) -> Versions:
    """Compare the rows of a delivery, ``numbers`` naming their meters, with what is stored.

    A row is unchanged if a stored version (or an earlier row) has its value and quality and its
    explicit ``issued_at``, if any, is not newer. Readings of withdrawn deliveries make nothing
    unchanged.
    """
    keys = _keys(numbers, incoming.stamps)
    everything = np.arange(len(keys))
    counting = _Stored.of(stored, withdrawn)
    repeated = len(np.unique(keys)) < len(keys)
    met = np.isin(keys, counting.keys)
    if not repeated and not met.any():
        return Versions(everything, incoming, 0)
    said = {register: _says_new(keys, incoming, register, counting) for register in incoming.values}
    accepted = np.flatnonzero(np.logical_or.reduce(list(said.values())))
    values = {
        register: np.where(said[register], column, NO_VALUE)[accepted]
        for register, column in incoming.values.items()
    }
    readings = replace(incoming.at(accepted), values=values)
    superseding = np.zeros(len(accepted), np.bool_)
    for register in values:
        superseding |= _supersedes(keys[accepted], readings, register, counting)
    return Versions(accepted, readings, int(superseding.sum()))


def _keys(numbers: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each (meter, instant)."""
    return (numbers << _STAMP_BITS) + stamps + _STAMP_OFFSET


@dataclass(frozen=True, slots=True)
class _Stored:
    """All stored versions that were not withdrawn, with their keys; None if there are none."""

    keys: NDArray[np.int64]
    readings: StoredReadings | None

    @classmethod
    def of(
        cls, stored: Sequence[tuple[int, StoredReadings]], withdrawn: frozenset[int]
    ) -> "_Stored":
        if not stored:
            return cls(np.empty(0, np.int64), None)
        numbers = np.repeat(
            np.array([meter for meter, _ in stored], np.int64),
            [len(readings.stamps) for _, readings in stored],
        )
        readings = StoredReadings.joined([readings for _, readings in stored])
        kept = np.flatnonzero(~np.isin(readings.deliveries, list(withdrawn)))
        readings = readings.at(kept)
        return cls(_keys(numbers[kept], readings.stamps), readings)

    def with_value(self, register: Register) -> NDArray[np.intp]:
        """Positions of the versions that carry a register."""
        if self.readings is None or register not in self.readings.values:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.readings.values[register] != NO_VALUE)


def _says_new(
    keys: NDArray[np.int64], incoming: StoredReadings, register: Register, stored: _Stored
) -> NDArray[np.bool_]:
    """Mark the rows whose value of a register is stored nowhere yet."""
    column = incoming.values[register]
    rows = np.flatnonzero(column != NO_VALUE)
    old = stored.with_value(register)
    versions = [(keys[rows], column[rows], incoming.qualities[rows])]
    if stored.readings is not None and len(old):
        said = stored.readings
        versions.insert(0, (stored.keys[old], said.values[register][old], said.qualities[old]))
    codes = _codes(*(np.concatenate(each).astype(np.int64) for each in zip(*versions, strict=True)))
    newest = np.full(int(codes.max(initial=-1)) + 1, np.iinfo(np.int64).min)
    if stored.readings is not None:
        np.maximum.at(newest, codes[: len(old)], stored.readings.issued_at[old])
    codes = codes[len(old) :]
    issued, issued_at = incoming.issued[rows], incoming.issued_at[rows]
    known = newest[codes] > np.iinfo(np.int64).min
    new = ~known | (issued & (issued_at > newest[codes]))
    # Rows of one body that say the same: the first is stored, then those that were issued later.
    times = np.bincount(codes[new], minlength=len(newest))
    for row in np.flatnonzero(new & (times[codes] > 1)).tolist():
        code = codes[row]
        first = newest[code] == np.iinfo(np.int64).min
        new[row] = first or bool(issued[row] and issued_at[row] > newest[code])
        if new[row]:
            newest[code] = max(newest[code], issued_at[row])
    says = np.zeros(len(keys), np.bool_)
    says[rows[new]] = True
    return says


def _codes(*columns: NDArray[np.int64]) -> NDArray[np.intp]:
    """Number the distinct rows of the columns."""
    order = np.lexsort(columns)
    differs = np.zeros(len(order), np.bool_)
    for column in columns:
        ordered = column[order]
        differs[1:] |= ordered[1:] != ordered[:-1]
    codes = np.empty(len(order), np.intp)
    codes[order] = np.cumsum(differs)
    return codes


def _supersedes(
    keys: NDArray[np.int64], accepted: StoredReadings, register: Register, stored: _Stored
) -> NDArray[np.bool_]:
    """Mark the accepted rows that now count where a stored version counted before."""
    marked = np.zeros(len(keys), np.bool_)
    old = stored.with_value(register)
    if stored.readings is None or not len(old):
        return marked
    said = stored.readings
    old = old[said.qualities[old] != ReadingQuality.PLACEHOLDER]
    old = old[np.isin(stored.keys[old], keys)]
    rows = np.flatnonzero(
        (accepted.values[register] != NO_VALUE) & (accepted.qualities != ReadingQuality.PLACEHOLDER)
    )
    all_keys = np.concatenate((stored.keys[old], keys[rows]))
    winners = best_versions(
        all_keys,
        np.concatenate((said.qualities[old], accepted.qualities[rows])),
        np.concatenate((said.issued_at[old], accepted.issued_at[rows])),
        np.concatenate((said.deliveries[old], accepted.deliveries[rows])),
    )
    winning = winners[winners >= len(old)]
    winning = winning[np.isin(all_keys[winning], stored.keys[old])]
    marked[rows[winning - len(old)]] = True
    return marked
