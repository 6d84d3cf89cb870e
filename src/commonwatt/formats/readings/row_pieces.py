"""Files that come in pieces: pieces joined, wall times placed, rows with faults left out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.readings import NAMED_ROWS_MAX, ReadingRows, Rejected, SensorRows
from commonwatt.formats.readings.row_source import RowFaults
from commonwatt.formats.stamps.switch_hours import (
    WallStamps,
    instants_of_stamps,
    is_within_switches,
)

Rows = TypeVar("Rows", ReadingRows, SensorRows)


@dataclass(frozen=True, slots=True)
class RowPiece(Generic[Rows]):
    """All rows of a part of a file, also those with ``faults``.

    The stamps of ``naive`` rows are wall times, read as if of UTC.
    """

    rows: Rows
    naive: NDArray[np.bool_]
    faults: RowFaults


@dataclass(frozen=True, slots=True)
class WallClock:
    """The zone of a file's naive stamps, None for UTC; ``by_order`` as `instants_of_stamps`."""

    zone: str | None
    by_order: bool = False


def whole_rows(
    pieces: Iterable[RowPiece[Rows]], clock: WallClock, most_rows: int
) -> Iterator[Rows]:
    """Yield the rows of a file, at most ``most_rows`` at a time, on instants and without faults.

    The hour of a clock change is not parted where the file is in order. At least once, if without
    rows.
    """
    waiting: list[RowPiece[Rows]] = []
    for piece in pieces:
        waiting.append(piece)
        while sum(len(each.naive) for each in waiting) > most_rows:
            joined = _joined(waiting)
            end = _last_cut(joined, clock.zone, most_rows)
            yield _finished(_part(joined, 0, end), clock)
            waiting = [_part(joined, end, len(joined.naive))]
    yield _finished(_joined(waiting), clock)


def without_faults(rows: Rows, faults: RowFaults, broken: Sequence[Rejected] = ()) -> Rows:
    """Leave the rows with a fault out; name the first of them and of those ``broken`` before."""
    named = [*faults.rejected(rows.rows), *broken]
    rejected = sorted(named, key=lambda each: each.row)[:NAMED_ROWS_MAX]
    return replace(rows.take(np.flatnonzero(~faults.faulty)), rejected=rejected)


def _finished(piece: RowPiece[Rows], clock: WallClock) -> Rows:
    """Put the wall times of a piece on instants, and leave its faults out."""
    rows, naive = piece.rows, np.flatnonzero(piece.naive)
    if clock.zone is not None and len(naive):
        owners, blank = _owners_and_blank(rows)
        stamps = WallStamps(walls_s=rows.stamps[naive], owners=owners[naive], blank=blank[naive])
        instants, wrong = instants_of_stamps(stamps, clock.zone, by_order=clock.by_order)
        placed = rows.stamps.copy()
        placed[naive] = instants
        rows = replace(rows, stamps=placed)
        piece.faults.add_all("timestamp", {int(naive[at]): why for at, why in wrong.items()})
    return without_faults(rows, piece.faults)


def _owners_and_blank(rows: Rows) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return whose each row is, and which say 0 or nothing."""
    if isinstance(rows, SensorRows):
        return rows.sensor_codes, rows.values == 0
    blank = np.ones(len(rows.rows), np.bool_)
    for column in rows.values.values():
        blank &= column <= 0
    return rows.meter_codes, blank


def _last_cut(piece: RowPiece[Rows], zone: str | None, most_rows: int) -> int:
    """Return where to end the first ``most_rows`` rows so that no hour of a change is parted."""
    if zone is None:
        return most_rows
    within = is_within_switches(piece.rows.stamps, zone) & piece.naive
    apart = np.flatnonzero(~(within[:most_rows] & within[1 : most_rows + 1])) + 1
    return int(apart[-1]) if len(apart) else most_rows


def _part(piece: RowPiece[Rows], start: int, end: int) -> RowPiece[Rows]:
    rows = replace(piece.rows.take(np.arange(start, end)), total=end - start)
    return RowPiece(rows, piece.naive[start:end], piece.faults.between(start, end))


def _joined(pieces: Sequence[RowPiece[Rows]]) -> RowPiece[Rows]:
    if len(pieces) == 1:
        return pieces[0]
    rows = type(pieces[0].rows).joined([piece.rows for piece in pieces])
    return RowPiece(
        rows,
        np.concatenate([piece.naive for piece in pieces]),
        RowFaults.joined([piece.faults for piece in pieces]),
    )
