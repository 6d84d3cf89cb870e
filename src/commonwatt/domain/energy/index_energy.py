"""Index registers: from segments to energy per quarter-hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from, quarter_of
from commonwatt.domain.vee.boundary_index import (
    AcceptedSegment,
    BoundaryIndex,
    interpolate,
    rounded,
)


class QuarterColumns(NamedTuple):
    """Energy [Wh, litre], quality and method per quarter-hour of one register."""

    energy: NDArray[np.int64]
    quality: NDArray[np.uint8]
    method: NDArray[np.uint8]

    @classmethod
    def joined(cls, parts: Sequence["QuarterColumns"]) -> "QuarterColumns":
        """The columns of runs that follow one another."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    @classmethod
    def absent(cls, length: int) -> "QuarterColumns":
        """The columns of a register that does not exist."""
        codes = np.full(length, Quality.ABSENT, np.uint8)
        return cls(np.zeros(length, np.int64), codes, np.zeros(length, np.uint8))


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """A segment with its index at the boundaries of its quarter-hours [first, end) of a run."""

    segment: AcceptedSegment
    index: BoundaryIndex
    first_quarter: int
    end_quarter: int

    def columns(self, start: int, end: int, factor: Decimal) -> QuarterColumns:
        """Energy, quality and method of the quarter-hours [start, end), all of them its own.

        ``factor`` is that of the meter, which counts unless the segment has one.
        """
        part = self.index.part(start - self.first_quarter, end - self.first_quarter + 1)
        quality = np.minimum(part.quality[:-1], part.quality[1:])
        if part.break_count[0] != part.break_count[-1]:
            quality[part.break_count[:-1] != part.break_count[1:]] = Quality.MISSING
        own = self.segment.factor
        index = rounded(part, factor if own is None else own)
        return QuarterColumns(
            index[1:] - index[:-1], quality, np.maximum(part.method[:-1], part.method[1:])
        )


def index_segments(
    segments: Sequence[AcceptedSegment],
    first_quarter: int,
    end_quarter: int,
    interpolated_gap_s: int,
) -> tuple[SegmentIndex, ...]:
    """Interpolate the segments that have a part in the quarter-hours [first, end)."""
    found: list[SegmentIndex] = []
    for segment in segments:
        first, end = first_quarter, end_quarter
        if segment.start_at is not None:
            first = max(first, quarter_of(segment.start_at))
        if segment.end_at is not None:
            end = min(end, first_quarter_from(segment.end_at))
        if first < end:
            boundaries = np.arange(first, end + 1) * QUARTER_S
            index = interpolate(segment.readings, boundaries, interpolated_gap_s)
            found.append(SegmentIndex(segment, index, first, end))
    return tuple(found)


def index_energy(
    indexes: Sequence[SegmentIndex], start: int, end: int, factor: Decimal
) -> QuarterColumns:
    """Return the columns of the quarter-hours [start, end): the sum of their segments.

    Quality is the worst of them; where several have a part it is at best ESTIMATED, for nobody
    read the boundary between them, and the method SEAM.
    """
    if len(indexes) == 1 and indexes[0].first_quarter <= start and end <= indexes[0].end_quarter:
        return indexes[0].columns(start, end, factor)
    energy = np.zeros(end - start, np.int64)
    quality = np.full(end - start, Quality.ABSENT, np.uint8)
    method = np.zeros(end - start, np.uint8)
    for each in indexes:
        first, last = max(start, each.first_quarter), min(end, each.end_quarter)
        if first >= last:
            continue
        section = slice(first - start, last - start)
        part = each.columns(first, last, factor)
        shared = quality[section] != Quality.ABSENT
        energy[section] += part.energy
        worst = np.minimum(part.quality, np.minimum(quality[section], np.uint8(Quality.ESTIMATED)))
        quality[section] = np.where(shared, worst, part.quality)
        method[section] = np.where(shared, np.uint8(Method.SEAM), part.method)
    return QuarterColumns(energy, quality, method)
