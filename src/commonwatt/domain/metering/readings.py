"""Readings as columns: what a sender says, what is stored, and which version counts.

A reading is the index of a register [mWh or ml, whole numbers] at an instant [Unix seconds].
Nothing is overwritten: every delivery is kept, and of several versions of one (meter, register,
instant) one counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.quality import Quality

Name = TypeVar("Name")
Scalar = TypeVar("Scalar", bound=np.generic)

NO_VALUE = -1
"""Stands in a register column where a row has no value; an index is never negative."""
NOT_ISSUED = -(2**63)
"""Stands in ``issued_at`` of what a sender says where it names no instant of issue."""
NAMED_ROWS_MAX = 1_000
"""A receipt names at most so many rows of a kind, and counts the others."""
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


def _column(
    values: Mapping[Register, NDArray[np.int64]], register: Register, length: int
) -> NDArray[np.int64]:
    column = values.get(register)
    return np.full(length, NO_VALUE, np.int64) if column is None else column


def _filled(
    columns: Sequence[NDArray[Scalar] | None], lengths: Sequence[int], fill: int
) -> list[NDArray[Scalar]] | None:
    """Fill columns that parts do not have; None where no part has one."""
    kind = next((column.dtype for column in columns if column is not None), None)
    if kind is None:
        return None
    return [
        np.full(length, fill, kind) if column is None else column
        for column, length in zip(columns, lengths, strict=True)
    ]


def _recoded(
    names: Sequence[Sequence[Name]], codes: Sequence[NDArray[np.signedinteger]]
) -> tuple[list[Name], NDArray[np.int32]]:
    """Join names and the codes that point to them; a code of -1 stays."""
    distinct = list(dict.fromkeys(chain.from_iterable(names)))
    places = {name: place for place, name in enumerate(distinct)}
    joined = [
        np.array([*(places[name] for name in of_part), -1], np.int32)[code]
        for of_part, code in zip(names, codes, strict=True)
    ]
    return distinct, np.concatenate(joined)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be a reading, counted from 1, and what would be right."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class NotEffective:
    """A row that is stored and does not count, and why another version does."""

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
    ``serials``, -1 for none. fractions_us: what was cut from ``stamps`` [microseconds], None for
    nothing. replaces: which rows count before all earlier ones, None for no row.
    ``total`` counts all rows seen. What is missing was rejected; ``rejected`` names the first.
    """

    rows: NDArray[np.int64]
    meter_codes: NDArray[np.int32]
    meters: Sequence[MeterName]
    stamps: NDArray[np.int64]
    values: Mapping[Register, NDArray[np.int64]]
    qualities: NDArray[np.uint8]
    issued_at: NDArray[np.int64]
    serials: Sequence[str] = ()
    serial_codes: NDArray[np.signedinteger] | None = None
    fractions_us: NDArray[np.int64] | None = None
    replaces: NDArray[np.bool_] | None = None
    rejected: Sequence[Rejected] = ()
    total: int

    def take(self, positions: NDArray[np.intp]) -> Self:
        """The rows at positions, in their order; ``rejected`` and ``total`` stay."""
        codes, fractions, replaces = self.serial_codes, self.fractions_us, self.replaces
        return replace(
            self,
            rows=self.rows[positions],
            meter_codes=self.meter_codes[positions],
            stamps=self.stamps[positions],
            values={register: column[positions] for register, column in self.values.items()},
            qualities=self.qualities[positions],
            issued_at=self.issued_at[positions],
            serial_codes=None if codes is None else codes[positions],
            fractions_us=None if fractions is None else fractions[positions],
            replaces=None if replaces is None else replaces[positions],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join parts of a file in their order; what was rejected of them is not told again."""
        meters, meter_codes = _recoded(
            [part.meters for part in parts], [p.meter_codes for p in parts]
        )
        registers = sorted({register for part in parts for register in part.values})
        lengths = [len(part.rows) for part in parts]
        codes = _filled([part.serial_codes for part in parts], lengths, -1)
        serials, serial_codes = (
            ((), None) if codes is None else _recoded([part.serials for part in parts], codes)
        )
        fractions = _filled([part.fractions_us for part in parts], lengths, 0)
        replaces = _filled([part.replaces for part in parts], lengths, False)
        return cls(
            rows=np.concatenate([part.rows for part in parts]),
            meter_codes=meter_codes,
            meters=meters,
            stamps=np.concatenate([part.stamps for part in parts]),
            values={
                register: np.concatenate(
                    [_column(part.values, register, len(part.rows)) for part in parts]
                )
                for register in registers
            },
            qualities=np.concatenate([part.qualities for part in parts]),
            issued_at=np.concatenate([part.issued_at for part in parts]),
            serials=serials,
            serial_codes=serial_codes,
            fractions_us=None if fractions is None else np.concatenate(fractions),
            replaces=None if replaces is None else np.concatenate(replaces),
            total=sum(part.total for part in parts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRows:
    """The sensor values of one body or file, as columns of equal length; ``values`` are floats.

    ``total`` counts all rows seen. What is missing was rejected; ``rejected`` names the first.
    """

    rows: NDArray[np.int64]
    sensor_codes: NDArray[np.int32]
    sensors: Sequence[str]
    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    rejected: Sequence[Rejected] = ()
    total: int

    def take(self, positions: NDArray[np.intp]) -> Self:
        """The rows at positions, in their order; ``rejected`` and ``total`` stay."""
        return replace(
            self,
            rows=self.rows[positions],
            sensor_codes=self.sensor_codes[positions],
            stamps=self.stamps[positions],
            values=self.values[positions],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join parts of a file in their order; what was rejected of them is not told again."""
        names = [part.sensors for part in parts]
        sensors, sensor_codes = _recoded(names, [part.sensor_codes for part in parts])
        return cls(
            rows=np.concatenate([part.rows for part in parts]),
            sensor_codes=sensor_codes,
            sensors=sensors,
            stamps=np.concatenate([part.stamps for part in parts]),
            values=np.concatenate([part.values for part in parts]),
            total=sum(part.total for part in parts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows:
    """Rows of a body that are stored and not used, of one meter and by one rule.

    ``reason`` says what they look like and which declaration makes them right.
    """

    meter_id: str
    meter_name: str
    rows: int
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a body of readings: accepted + unchanged + rejected_rows = its rows.

    ``delivery`` is the number under which the accepted rows are stored, None if none was.
    ``superseding`` counts the accepted rows that now count instead of an earlier value.
    ``rejected`` and ``not_counting`` name the first NAMED_ROWS_MAX of the rows that are rejected,
    and of the accepted and unchanged rows whose value does not count; ``rejected_rows`` and
    ``not_counting_rows`` are how many there are. ``held`` tells of which meters rows are held back,
    accepted and unchanged ones alike.
    """

    delivery: int | None
    accepted: int
    unchanged: int
    superseding: int
    rejected: Sequence[Rejected]
    rejected_rows: int
    not_counting: Sequence[NotEffective] = ()
    not_counting_rows: int = 0
    held: Sequence[HeldRows] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReadings:
    """Everything that was said of one meter, as columns of equal length.

    ``issued_at`` [Unix microseconds] is always known here (the delivery's own instant by default),
    and ``issued`` tells where the sender named it. ``ahead`` marks stamps that were more than 15
    minutes ahead of their delivery, until the time has come. ``replaces`` marks what counts before
    all earlier versions, None if nothing here does. Rows of one delivery stand in the order of
    arrival.
    """

    stamps: NDArray[np.int64]
    values: Mapping[Register, NDArray[np.int64]]
    qualities: NDArray[np.uint8]
    issued_at: NDArray[np.int64]
    issued: NDArray[np.bool_]
    ahead: NDArray[np.bool_]
    deliveries: NDArray[np.int64]
    serials: NDArray[np.str_]
    replaces: NDArray[np.bool_] | None = None

    def take(self, positions: NDArray[np.intp]) -> Self:
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
            replaces=None if self.replaces is None else self.replaces[positions],
        )

    def none_ahead(self) -> Self:
        """The readings as they are once none of their stamps is ahead any more."""
        return replace(self, ahead=np.zeros(len(self.stamps), np.bool_))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join parts in their order; a register that a part lacks has no value there."""
        if len(parts) == 1:
            return parts[0]
        registers = sorted({register for part in parts for register in part.values})
        lengths = [len(part.stamps) for part in parts]
        replaces = _filled([part.replaces for part in parts], lengths, False)
        return cls(
            stamps=np.concatenate([part.stamps for part in parts]),
            values={
                register: np.concatenate(
                    [_column(part.values, register, len(part.stamps)) for part in parts]
                )
                for register in registers
            },
            qualities=np.concatenate([part.qualities for part in parts]),
            issued_at=np.concatenate([part.issued_at for part in parts]),
            issued=np.concatenate([part.issued for part in parts]),
            ahead=np.concatenate([part.ahead for part in parts]),
            deliveries=np.concatenate([part.deliveries for part in parts]),
            serials=np.concatenate([part.serials for part in parts]),
            replaces=None if replaces is None else np.concatenate(replaces),
        )


@dataclass(frozen=True, slots=True)
class SensorValues:
    """What was said of one sensor, as columns of equal length, in the order of arrival.

    ``stamps`` [Unix seconds], ``values`` in the sensor's unit, and the delivery that brought each.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    deliveries: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RegisterReadings:
    """The effective readings of one register, strictly ascending in ``stamps`` [Unix seconds].

    ``values`` [mWh, ml]; ``at_best`` codes of `Quality`: what rests on a reading is no better;
    ``ahead`` of their delivery; ``serials`` of the devices ("" where none was sent), None if none
    was sent with any of them.
    """

    stamps: NDArray[np.int64]
    values: NDArray[np.int64]
    at_best: NDArray[np.uint8]
    ahead: NDArray[np.bool_]
    serials: NDArray[np.str_] | None = None

    def take(self, positions: NDArray[np.intp]) -> "RegisterReadings":
        """The readings at ascending positions."""
        return RegisterReadings(
            self.stamps[positions],
            self.values[positions],
            self.at_best[positions],
            self.ahead[positions],
            None if self.serials is None else self.serials[positions],
        )


@dataclass(frozen=True, slots=True)
class MetersReadings:
    """The readings of one register of many meters that count and whose stamps can be right.

    Ascending by meter, then by instant. ``stamps`` [Unix seconds], ``values`` [mWh, ml].
    """

    meters: NDArray[np.int64]
    stamps: NDArray[np.int64]
    values: NDArray[np.int64]

    def take(self, positions: NDArray[np.intp]) -> "MetersReadings":
        """The readings at ascending positions."""
        return MetersReadings(
            self.meters[positions], self.stamps[positions], self.values[positions]
        )

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Mark the readings that one of the same meter stands before."""
        marked = np.zeros(len(self.meters), np.bool_)
        marked[1:] = self.meters[1:] == self.meters[:-1]
        return marked


def effective_positions(
    stored: StoredReadings, register: Register, withdrawn: Collection[int]
) -> NDArray[np.intp]:
    """Return the positions of the versions that count, ascending by instant.

    Versions come after each other by ``issued_at``, then by delivery, then by row. One that
    replaces puts aside all that senders said before it. Of the others of an instant counts the best
    quality (edited before measured before estimated), then the last. Where that one says that the
    reading is cleared, none counts. Placeholders and the readings of withdrawn deliveries never
    count and replace nothing; one that is ahead of its delivery only where there is no other.
    """
    positions = _winning_positions(stored, register, withdrawn)
    effective: NDArray[np.intp] = positions[stored.qualities[positions] != ReadingQuality.CLEARED]
    return effective


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
            None if stored.replaces is None else stored.replaces[positions],
            stored.ahead[positions],
        )
    ]
    return winning


def best_versions(
    keys: NDArray[np.int64],
    qualities: NDArray[np.uint8],
    issued_at: NDArray[np.int64],
    deliveries: NDArray[np.int64],
    replaces: NDArray[np.bool_] | None,
    ahead: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Return the position of the version that counts of each key, ascending by key.

    The order of `effective_positions`; of what is equal in all of it, the later position counts.
    """
    ranks = _RANK[qualities]
    if replaces is not None and replaces.any():
        replaced = replaced_versions(keys, qualities, issued_at, deliveries, replaces & ~ahead)
        # What replaces it is at least estimated, and so before it.
        ranks[replaced] = _RANK[ReadingQuality.PLACEHOLDER]
    order = np.lexsort((np.arange(len(keys)), deliveries, issued_at, ranks, ~ahead, keys))
    ordered = keys[order]
    last_of_key = np.ones(len(ordered), np.bool_)
    last_of_key[:-1] = ordered[1:] != ordered[:-1]
    best: NDArray[np.intp] = order[last_of_key]
    return best


def replaced_versions(
    keys: NDArray[np.int64],
    qualities: NDArray[np.uint8],
    issued_at: NDArray[np.int64],
    deliveries: NDArray[np.int64],
    replaces: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Mark what a sender said and a later version of its key replaces; what a person set stays.

    No placeholder may be among them: it replaces nothing.
    """
    order = np.lexsort((np.arange(len(keys)), deliveries, issued_at, keys))
    ordered, count = keys[order], len(keys)
    # Of each version the nearest from it on that replaces, and where the versions of its key end.
    places = np.where(replaces[order], np.arange(count), count)
    nearest = np.minimum.accumulate(places[::-1])[::-1]
    ends = np.searchsorted(ordered, ordered, side="right")
    replaced = np.zeros(count, np.bool_)
    replaced[order[:-1]] = nearest[1:] < ends[:-1]
    result: NDArray[np.bool_] = replaced & (qualities <= ReadingQuality.PLACEHOLDER)
    return result


def effective_readings(
    stored: StoredReadings | None, register: Register, withdrawn: Collection[int]
) -> RegisterReadings:
    """Return the readings of a register that count (see `effective_positions`)."""
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
    positions = effective_positions(stored, register, withdrawn)
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
    return stored if bool(sent.all()) else stored.take(np.flatnonzero(sent))


def any_serial(serials: NDArray[np.str_]) -> bool:
    """Whether any serial was sent: an empty one is all zeros."""
    return bool(np.ascontiguousarray(serials).view(np.uint8).any())


def _sent(serials: NDArray[np.str_]) -> NDArray[np.str_] | None:
    return serials if any_serial(serials) else None
