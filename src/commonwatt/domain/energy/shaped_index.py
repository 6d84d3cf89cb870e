"""The index at boundaries within gaps, by the shape of what the register counted around them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.comparable_quarters import MEASURED_HOUR_S, ReferenceDays
from commonwatt.domain.energy.estimation import Gap, gap_weights, gaps_between, index_in_gap
from commonwatt.domain.energy.index_energy import (
    QuarterColumns,
    SegmentIndex,
    index_energy,
    index_segments,
)
from commonwatt.domain.energy.interval_energy import JudgedIntervals, interval_energy
from commonwatt.domain.energy.register_gaps import interpolated_gap_s, reference_reach
from commonwatt.domain.metering.catalogue import Meter, valid_spans
from commonwatt.domain.metering.meter_energy import ENERGY_MAX
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from
from commonwatt.domain.vee.boundary_index import AcceptedSegment, BoundaryIndex


def shape_gaps(
    meter: Meter,
    segments: Sequence[AcceptedSegment],
    indexes: tuple[SegmentIndex, ...],
    zone: str,
) -> tuple[SegmentIndex, ...]:
    """Let the index within gaps follow the shape of comparable quarter-hours, where there is one.

    ``segments`` are all of the register in sight: each may hold reference days for every other.
    Without a gap the indexes are returned as they are.
    """
    gaps_of = [_gaps(meter, each) for each in indexes]
    if not any(gaps_of):
        return indexes
    start_at, end_at = reference_reach((gap for gaps in gaps_of for gap in gaps), 2**62, 0)
    reference_days = measured_reference_days(
        meter, segments, first_quarter_from(start_at), end_at // QUARTER_S
    )
    return tuple(
        replace(each, index=_shaped(meter, each, gaps, reference_days, zone))
        for each, gaps in zip(indexes, gaps_of, strict=True)
    )


def _gaps(meter: Meter, each: SegmentIndex) -> list[Gap]:
    start_at, end_at = each.first_quarter * QUARTER_S, each.end_quarter * QUARTER_S
    return gaps_between(each.segment.readings, interpolated_gap_s(meter.medium), start_at, end_at)


def measured_reference_days(
    meter: Meter,
    source: Sequence[AcceptedSegment] | JudgedIntervals,
    first_quarter: int,
    end_quarter: int,
) -> ReferenceDays:
    """Return what a register measured in the quarter-hours [first, end), hours apart.

    ``source`` are the segments of an index register, or its intervals. With the factor of the
    device or else of the meter at each quarter-hour.
    """
    columns_of: Callable[[int, int, Decimal], QuarterColumns]
    if isinstance(source, JudgedIntervals):
        columns_of = partial(_interval_columns, source)
    else:
        # What is interpolated is then a measured hour, whatever the medium.
        indexes = index_segments(source, first_quarter, end_quarter, MEASURED_HOUR_S)
        columns_of = partial(index_energy, indexes)
    spans = valid_spans(first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts)
    columns = QuarterColumns.joined(
        [
            columns_of(start // QUARTER_S, end // QUARTER_S, meter.facts_at(start).factor)
            for start, end in spans
        ]
    )
    known = columns.energy <= ENERGY_MAX
    return replace(
        _of_quality(columns, known, Quality.MEASURED, first_quarter),
        of_hours=_of_quality(columns, known, Quality.INTERPOLATED, first_quarter),
    )


def _of_quality(
    columns: QuarterColumns, known: NDArray[np.bool_], quality: Quality, first_quarter: int
) -> ReferenceDays:
    positions = np.flatnonzero(known & (columns.quality == quality.value))
    return ReferenceDays(positions + first_quarter, columns.energy[positions])


def _interval_columns(
    intervals: JudgedIntervals, start: int, end: int, factor: Decimal
) -> QuarterColumns:
    energy, quality = interval_energy(intervals, start, end, factor)
    return QuarterColumns(energy, quality, np.full(end - start, Method.INTERVAL, np.uint8))


def _shaped(
    meter: Meter, each: SegmentIndex, gaps: Sequence[Gap], reference_days: ReferenceDays, zone: str
) -> BoundaryIndex:
    """Replace the index within the gaps that have a shape."""
    index = each.index
    whole, rest, span = index.whole.copy(), index.rest.copy(), index.span.copy()
    method = index.method.copy()
    for gap in gaps:
        own = each.segment.factor
        factor = meter.facts_at(gap.start_at).factor if own is None else own
        numerator, denominator = factor.as_integer_ratio()
        energy = gap.rise * numerator // denominator
        weights = gap_weights(gap, reference_days.within(*gap.reference_spans), zone, energy)
        if weights is None:
            continue
        first = max(gap.first_quarter + 1, each.first_quarter)
        end = min(first_quarter_from(gap.end_at), each.end_quarter + 1)
        section = slice(first - each.first_quarter, end - each.first_quarter)
        inside = index_in_gap(gap, weights, np.arange(first, end) * QUARTER_S)
        whole[section], rest[section], span[section] = inside.whole, inside.rest, inside.span
        method[section] = Method.SHAPE
    return replace(index, whole=whole, rest=rest, span=span, method=method)
