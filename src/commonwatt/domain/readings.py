"""Readings as columns: what a sender says, what is stored, and which version counts.

A reading is the index of a register [mWh or ml, whole numbers] at an instant [Unix seconds].
Nothing is overwritten: every delivery is kept, and of several versions of one (meter, register,
instant) one counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.quality import Quality

NO_VALUE = -1
"""Stands in a register column where a row has no value; an index is never negative."""
NOT_ISSUED = -(2**63)
"""Stands in ``issued_at`` of what a sender says where it names no instant of issue."""
VALUE_MAX = 9_000_000_000_000_000
"""The largest index [mWh, ml]: 9e9 kWh or m3."""


class ReadingQuality(IntEnum):
    """What is said of a reading; a code never changes its meaning.

    Senders say the first three; a PLACEHOLDER is stored and never used. EDITED: a person set the
    index. CLEARED: a person set aside the reading that has this index.
    """

    MEASURED = 0
    ESTIMATED = 1
    PLACEHOLDER = 2
    EDITED = 3
    CLEARED = 4


_RANK = np.array([2, 1, 0, 3, 3], np.uint8)
"""By quality: of two versions the one of the greater rank counts."""
_AT_BEST = np.array(
    [Quality.MEASURED, Quality.ESTIMATED, Quality.MISSING, Quality.EDITED, Quality.MISSING],
    np.uint8,
)
"""By quality: what a quarter-hour that rests on such a reading is at best."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be a reading, counted from 1, and what would be right."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class MeterName:
    """How a row names its meter: by id, or by type and prim_ad."""

    id: str | None = None
    type: str | None = None
    prim_ad: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRows:
    """The readings of one body or file, as columns of equal length.

    rows: their numbers in the body, from 1. meter_codes: positions in ``meters``. stamps: Unix
    seconds. values: per register [mWh, ml], NO_VALUE where a row has none. qualities: codes of
    `ReadingQuality`. issued_at: Unix microseconds or NOT_ISSUED. serial_codes: positions in
    ``serials``, -1 for none. ``total`` counts all rows seen, those in ``rejected`` included.
    """

    rows: NDArray[np.int64]
    meter_codes: NDArray[np.int32]
    meters: Sequence[MeterName]
    stamps: NDArray[np.int64]
    values: Mapping[Register, NDArray[np.int64]]
    qualities: NDArray[np.uint8]
    issued_at: NDArray[np.int64]
    serials: Sequence[str] = ()
    serial_codes: NDArray[np.int16] | None = None
    rejected: Sequence[Rejected] = ()
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRows:
    """The sensor values of one body or file, as columns of equal length; ``values`` are floats."""

    rows: NDArray[np.int64]
    sensor_codes: NDArray[np.int32]
    sensors: Sequence[str]
    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    rejected: Sequence[Rejected] = ()
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a body of readings: accepted + unchanged + rejected = its rows.

    ``delivery`` is the number under which the accepted rows are stored, None if none was.
    ``superseding`` counts the accepted rows that now count instead of an earlier value.
    """

    delivery: int | None
    accepted: int
    unchanged: int
    superseding: int
    rejected: Sequence[Rejected]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReadings:
    """Everything that was said of one meter, as columns of equal length.

    ``issued_at`` [Unix microseconds] is always known here (the delivery's own instant by default),
    and ``issued`` tells where the sender named it. ``ahead`` marks stamps more than 15 minutes
    ahead of their delivery. Rows of one delivery stand in the order of arrival.
    """

    stamps: NDArray[np.int64]
    values: Mapping[Register, NDArray[np.int64]]
    qualities: NDArray[np.uint8]
    issued_at: NDArray[np.int64]
    issued: NDArray[np.bool_]
    ahead: NDArray[np.bool_]
    deliveries: NDArray[np.int64]
    serials: NDArray[np.str_]

    def at(self, positions: NDArray[np.intp]) -> Self:
        """The readings at positions, in their order."""
        return type(self)(
            stamps=self.stamps[positions],
            values={register: column[positions] for register, column in self.values.items()},
            qualities=self.qualities[positions],
            issued_at=self.issued_at[positions],
            issued=self.issued[positions],
            ahead=self.ahead[positions],
            deliveries=self.deliveries[positions],
            serials=self.serials[positions],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join parts in their order; a register that a part lacks has no value there."""
        if len(parts) == 1:
            return parts[0]
        registers = sorted({register for part in parts for register in part.values})
        return cls(
            stamps=np.concatenate([part.stamps for part in parts]),
            values={
                register: np.concatenate([_column(part, register) for part in parts])
                for register in registers
            },
            qualities=np.concatenate([part.qualities for part in parts]),
            issued_at=np.concatenate([part.issued_at for part in parts]),
            issued=np.concatenate([part.issued for part in parts]),
            ahead=np.concatenate([part.ahead for part in parts]),
            deliveries=np.concatenate([part.deliveries for part in parts]),
            serials=np.concatenate([part.serials for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class SensorValues:
    """What was said of one sensor, as columns of equal length, in the order of arrival.

    ``stamps`` [Unix seconds], ``values`` in the sensor's unit, and the delivery that brought each.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    deliveries: NDArray[np.int64]


def _column(part: StoredReadings, register: Register) -> NDArray[np.int64]:
    column = part.values.get(register)
    return np.full(len(part.stamps), NO_VALUE, np.int64) if column is None else column


@dataclass(frozen=True, slots=True)
class RegisterReadings:
    """The counting readings of one register, strictly ascending in ``stamps`` [Unix seconds].

    ``values`` [mWh, ml]; ``at_best`` codes of `Quality`: what rests on a reading is no better;
    ``ahead`` of their delivery; ``serials`` of the devices ("" where none was sent), None if none
    was sent with any of them.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.int64]
    at_best: NDArray[np.uint8]
    ahead: NDArray[np.bool_]
    serials: NDArray[np.str_] | None = None

    def at(self, positions: NDArray[np.intp]) -> "RegisterReadings":
        """The readings at ascending positions."""
        return RegisterReadings(
            self.stamps[positions],
            self.values[positions],
            self.at_best[positions],
            self.ahead[positions],
            None if self.serials is None else self.serials[positions],
        )


def counting_positions(
    stored: StoredReadings, register: Register, withdrawn: Collection[int]
) -> NDArray[np.intp]:
    """Return the positions of the versions that count, ascending by instant.

    Of the versions of an instant counts the best quality (edited before measured before
    estimated), then the greatest ``issued_at``, then the later delivery, then the later row. Where
    that one says that the reading is cleared, none counts. Placeholders and the readings of
    withdrawn deliveries never count.
    """
    positions = _winning_positions(stored, register, withdrawn)
    counting: NDArray[np.intp] = positions[stored.qualities[positions] != ReadingQuality.CLEARED]
    return counting


def cleared_positions(
    stored: StoredReadings, register: Register, withdrawn: Collection[int]
) -> NDArray[np.intp]:
    """Return the positions of what says that no reading counts, ascending by instant."""
    positions = _winning_positions(stored, register, withdrawn)
    cleared: NDArray[np.intp] = positions[stored.qualities[positions] == ReadingQuality.CLEARED]
    return cleared


def _winning_positions(
    stored: StoredReadings, register: Register, withdrawn: Collection[int]
) -> NDArray[np.intp]:
    usable = (stored.values[register] >= 0) & (stored.qualities != ReadingQuality.PLACEHOLDER)
    if withdrawn:
        usable &= ~np.isin(stored.deliveries, list(withdrawn))
    positions = np.flatnonzero(usable)
    stamps = stored.stamps[positions]
    if len(stamps) < 2 or bool((stamps[1:] > stamps[:-1]).all()):
        return positions
    winning: NDArray[np.intp] = positions[
        best_versions(
            stamps,
            stored.qualities[positions],
            stored.issued_at[positions],
            stored.deliveries[positions],
        )
    ]
    return winning


def best_versions(
    keys: NDArray[np.int64],
    qualities: NDArray[np.uint8],
    issued_at: NDArray[np.int64],
    deliveries: NDArray[np.int64],
) -> NDArray[np.intp]:
    """Return the position of the version that counts of each key, ascending by key.

    The order of `counting_positions`; of what is equal in all of it, the later position counts.
    """
    order = np.lexsort((np.arange(len(keys)), deliveries, issued_at, _RANK[qualities], keys))
    ordered = keys[order]
    last_of_key = np.ones(len(ordered), np.bool_)
    last_of_key[:-1] = ordered[1:] != ordered[:-1]
    best: NDArray[np.intp] = order[last_of_key]
    return best


def counting_readings(
    stored: StoredReadings | None, register: Register, withdrawn: Collection[int]
) -> RegisterReadings:
    """Return the readings of a register that count (see `counting_positions`)."""
    if stored is None or register not in stored.values:
        nothing = np.empty(0, np.int64)
        return RegisterReadings(nothing, nothing, np.empty(0, np.uint8), np.empty(0, np.bool_))
    values, stamps = stored.values[register], stored.stamps
    usable = values.min(initial=0) >= 0 and (
        stored.qualities.max(initial=0) < ReadingQuality.PLACEHOLDER.value
    )
    if usable and not withdrawn and bool((stamps[1:] > stamps[:-1]).all()):
        at_best = _AT_BEST.take(stored.qualities)
        return RegisterReadings(stamps, values, at_best, stored.ahead, _sent(stored.serials))
    positions = counting_positions(stored, register, withdrawn)
    return RegisterReadings(
        stored.stamps[positions],
        stored.values[register][positions],
        _AT_BEST.take(stored.qualities[positions]),
        stored.ahead[positions],
        _sent(stored.serials[positions]),
    )


def as_sent(stored: StoredReadings) -> StoredReadings:
    """Return what senders said, without edits."""
    sent = stored.qualities <= ReadingQuality.PLACEHOLDER
    return stored if bool(sent.all()) else stored.at(np.flatnonzero(sent))


def any_serial(serials: NDArray[np.str_]) -> bool:
    """Whether any serial was sent: an empty one is all zeros."""
    return bool(np.ascontiguousarray(serials).view(np.uint8).any())


def _sent(serials: NDArray[np.str_]) -> NDArray[np.str_] | None:
    return serials if any_serial(serials) else None
