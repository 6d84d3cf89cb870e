"""Which version of a reading counts; what of a delivery is new, counts, or does not and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    ReadingQuality,
    StoredReadings,
    best_versions,
)


class WhyNot(IntEnum):
    """Why a row that is stored does not count."""

    IT_COUNTS = 0
    PLACEHOLDER = 1
    EDITED = 2
    SAID_BEFORE = 3
    REPLACED = 4
    BETTER = 5
    LATER = 6


WHY_NOT: Mapping[WhyNot, str] = {
    WhyNot.PLACEHOLDER: "a placeholder is stored and never used",
    WhyNot.EDITED: "somebody edited this reading; the edit counts until it is undone",
    WhyNot.SAID_BEFORE: "it was said before and another version counts since; send it with "
    "replaces: true, or with a later issued_at, if it is to count again",
    WhyNot.REPLACED: "a version that replaces earlier ones counts, and comes after it",
    WhyNot.BETTER: "a version of better quality counts; send it with replaces: true if it is to "
    "count instead",
    WhyNot.LATER: "a version that was issued later counts",
}
"""The reasons in words, for receipts."""


@dataclass(frozen=True, slots=True)
class EffectiveVersions:
    """The versions of a register at some keys, each a (meter, instant), and which of them count.

    The first ``stored`` of what is ``said`` were stored before. ``winning`` are the positions of
    those that count, ascending by key; ``met`` those among them that count instead of a stored one.
    """

    register: Register
    keys: NDArray[np.int64]
    said: StoredReadings
    stored: int
    winning: NDArray[np.intp]
    met: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        register: Register,
        stored_keys: NDArray[np.int64],
        stored: StoredReadings | None,
        added_keys: NDArray[np.int64],
        added: StoredReadings,
    ) -> "EffectiveVersions":
        """Find those that count; all that is given carries the register."""
        said = added if stored is None else StoredReadings.joined([stored, added])
        keys = np.concatenate((stored_keys, added_keys))
        usable = np.flatnonzero(said.qualities != ReadingQuality.PLACEHOLDER)
        replaces = said.replaces
        winning = usable[
            best_versions(
                keys[usable],
                said.qualities[usable],
                said.issued_at[usable],
                said.deliveries[usable],
                None if replaces is None else replaces[usable],
                said.ahead[usable],
            )
        ]
        count = len(stored_keys)
        known = keys[usable[usable < count]]
        met = winning[(winning >= count) & np.isin(keys[winning], known)]
        return cls(register, keys, said, count, winning, met)

    def superseding(self) -> NDArray[np.intp]:
        """The positions among what was added of what counts instead of a stored version."""
        return self.met - self.stored

    def why_not(
        self, keys: NDArray[np.int64], rows: StoredReadings, added: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Return a code of `WhyNot` for each row; a row counts if its value does.

        ``added`` tells of each whether it is stored now; the others were said before.
        """
        reasons = np.full(len(keys), WhyNot.IT_COUNTS, np.uint8)
        if len(self.winning):
            place = np.searchsorted(self.keys[self.winning], keys)
            effective = self.winning[np.minimum(place, len(self.winning) - 1)]
            quality = self.said.qualities[effective]
            set_by_hand = quality > ReadingQuality.PLACEHOLDER
            other = self.said.values[self.register][effective] != rows.values[self.register]
            other |= quality == ReadingQuality.CLEARED
            other &= self.keys[effective] == keys
            reasons[other] = WhyNot.LATER
            reasons[other & (quality < rows.qualities)] = WhyNot.BETTER
            if self.said.replaces is not None:
                reasons[other & self.said.replaces[effective]] = WhyNot.REPLACED
            reasons[other & ~added] = WhyNot.SAID_BEFORE
            reasons[other & set_by_hand] = WhyNot.EDITED
        reasons[rows.qualities == ReadingQuality.PLACEHOLDER] = WhyNot.PLACEHOLDER
        return reasons


_STAMP_BITS = 41
_STAMP_OFFSET = 1 << 39
"""Makes every stamp of 15,000 years around 1970 positive within its bits."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The rows that are stored: their positions, their readings, and how many now supersede.

    A register that says nothing new has no value in ``readings``. ``why_not`` has a code
    of `WhyNot` for each row of the delivery, stored now or before.
    """

    said: NDArray[np.intp]
    readings: StoredReadings
    superseding: int
    why_not: NDArray[np.uint8]

    @property
    def accepted(self) -> int:
        """How many rows are stored."""
        return len(self.said)


def compare_with_stored(
    numbers: NDArray[np.int64],
    incoming: StoredReadings,
    stored: Sequence[tuple[int, StoredReadings]],
    withdrawn: frozenset[int],
    now_us: int,
) -> Versions:
    """Compare the rows of a delivery, ``numbers`` naming their meters, with what is stored.

    A row is unchanged if a stored version (or an earlier row) has its value and quality and its
    explicit ``issued_at``, if any, is not newer; one that replaces, if such a version replaces too.
    Readings of withdrawn deliveries make nothing unchanged, nor does one that is ahead of its
    delivery where the row is not. What claims to be issued after ``now_us`` [Unix microseconds], by
    a clock that was ahead, is no reason that a later delivery does not count.
    """
    keys = instant_keys(numbers, incoming.stamps)
    everything = np.arange(len(keys))
    kept = _Stored.of(stored, withdrawn)
    unused = incoming.qualities == ReadingQuality.PLACEHOLDER
    why_not = np.where(unused, WhyNot.PLACEHOLDER, WhyNot.IT_COUNTS).astype(np.uint8)
    ordered = np.sort(keys)
    repeated = bool((ordered[1:] == ordered[:-1]).any())
    if not repeated and not _any_among(kept.keys, ordered):
        return Versions(everything, incoming, 0, why_not)
    incoming = _after_what_is_not_issued_yet(keys, incoming, kept, now_us)
    said = {register: _says_new(keys, incoming, register, kept) for register in incoming.values}
    accepted = np.flatnonzero(np.logical_or.reduce(list(said.values())))
    values = {
        register: np.where(said[register], column, NO_VALUE)[accepted]
        for register, column in incoming.values.items()
    }
    readings = replace(incoming.take(accepted), values=values)
    superseding = np.zeros(len(accepted), np.bool_)
    for register, column in values.items():
        positions = np.flatnonzero(column != NO_VALUE)
        winners = EffectiveVersions.of(
            register,
            *kept.met_by(register, keys),
            keys[accepted[positions]],
            readings.take(positions),
        )
        superseding[positions[winners.superseding()]] = True
        rows = np.flatnonzero(incoming.values[register] != NO_VALUE)
        reasons = winners.why_not(
            keys[rows], incoming.take(rows), np.isin(rows, accepted[positions])
        )
        why_not[rows] = np.maximum(why_not[rows], reasons)
    return Versions(accepted, readings, int(superseding.sum()), why_not)


def _any_among(keys: NDArray[np.int64], ordered: NDArray[np.int64]) -> bool:
    """Whether one of the keys is among others, which ascend."""
    if not len(ordered):
        return False
    at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return bool((ordered[at] == keys).any())


def _after_what_is_not_issued_yet(
    keys: NDArray[np.int64], incoming: StoredReadings, stored: "_Stored", now_us: int
) -> StoredReadings:
    """Let rows come after stored versions of their instant whose issue lies ahead of now.

    Of what senders say of issue only that which no clock can be off by; of what has only the time
    at which it was recorded, which is ours, any.
    """
    said = stored.readings
    if said is None or not (said.issued_at > now_us).any():
        return incoming
    issued_at = incoming.issued_at.copy()
    for rows, limit_us in (
        (np.flatnonzero(~incoming.issued), now_us),
        (np.flatnonzero(incoming.issued), now_us + AHEAD_S * 1_000_000),
    ):
        later = np.flatnonzero((said.issued_at > limit_us) & np.isin(stored.keys, keys[rows]))
        for key, at_us in zip(stored.keys[later], said.issued_at[later], strict=True):
            same_key = rows[keys[rows] == key]
            issued_at[same_key] = np.maximum(issued_at[same_key], at_us)
    return replace(incoming, issued_at=issued_at)


def instant_keys(numbers: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]:
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
        if withdrawn:
            kept = np.flatnonzero(~np.isin(readings.deliveries, list(withdrawn)))
            numbers, readings = numbers[kept], readings.take(kept)
        return cls(instant_keys(numbers, readings.stamps), readings)

    def met_by(
        self, register: Register, keys: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], StoredReadings | None]:
        """The versions that carry a register at one of the keys, with their keys."""
        old = self.with_value(register)
        old = old[np.isin(self.keys[old], keys)]
        readings = self.readings if self.readings is None else self.readings.take(old)
        return self.keys[old], readings

    def replacing(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Of some positions those of versions that replace."""
        if self.readings is None or self.readings.replaces is None:
            return positions[:0]
        return positions[self.readings.replaces[positions]]

    def with_value(self, register: Register) -> NDArray[np.intp]:
        """Positions of the versions that carry a register."""
        if self.readings is None or register not in self.readings.values:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.readings.values[register] != NO_VALUE)


def _says_new(
    keys: NDArray[np.int64], incoming: StoredReadings, register: Register, stored: _Stored
) -> NDArray[np.bool_]:
    """Mark the rows whose value of a register is stored nowhere yet."""
    rows = np.flatnonzero(incoming.values[register] != NO_VALUE)
    old = stored.with_value(register)
    if stored.readings is not None and stored.readings.ahead.any():
        ahead = stored.readings.ahead[old] & ~np.isin(stored.keys[old], keys[incoming.ahead])
        old = old[~ahead]
    says = np.zeros(len(keys), np.bool_)
    if incoming.replaces is None:
        says[rows] = _is_new(keys, incoming, register, rows, stored, old)
        return says
    replacing = incoming.replaces[rows]
    # What replaces says more than what has the same value and does not.
    for some, beside in (
        (rows[~replacing], old),
        (rows[replacing], stored.replacing(old)),
    ):
        says[some] = _is_new(keys, incoming, register, some, stored, beside)
    return says


def _is_new(
    keys: NDArray[np.int64],
    incoming: StoredReadings,
    register: Register,
    rows: NDArray[np.intp],
    stored: _Stored,
    old: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Tell of some rows whether none of the versions at ``old`` says the same."""
    column = incoming.values[register]
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
    return new


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
