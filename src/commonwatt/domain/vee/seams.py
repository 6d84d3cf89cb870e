"""Cutting a register where its index begins anew, and joining what each segment counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from, quarter_of
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.vee.boundary_index import AcceptedReadings, AcceptedSegment
from commonwatt.domain.vee.declared_segments import DeclaredSegment
from commonwatt.domain.vee.history import RegisterHistory, set_aside
from commonwatt.domain.vee.verdicts import zeros_in_doubt

_NOT_JUDGED = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Segment:
    """Readings over which the index of a register counts on, from ``start_at`` to ``end_at``.

    Within one declared segment. ``after_reset``: it begins with a reset, of which only the reading
    before is known. Once it is judged only the accepted readings are left: ``added`` [mWh, ml] to
    each index counts its rollovers, ``breaks_before`` the breaks before it; both are empty until
    then.
    """

    declared: DeclaredSegment
    readings: RegisterReadings
    start_at: int | None
    end_at: int | None
    after_reset: bool = False
    added: NDArray[np.int64] = field(default_factory=lambda: _NOT_JUDGED)
    breaks_before: NDArray[np.int64] = field(default_factory=lambda: _NOT_JUDGED)


def cut_at_seams(readings: RegisterReadings, declared: Sequence[DeclaredSegment]) -> list[Segment]:
    """Cut readings into those of each declared segment.

    A reading at the very instant of an exchange is the new device's, unless it has the serial of
    the old one or, without a serial, the index that the old one was taken out with.
    """
    if len(declared) == 1:
        return [Segment(declared[0], readings, declared[0].start_at, declared[0].end_at)]
    edges = [0]
    for before, after in pairwise(declared):
        edge = int(np.searchsorted(readings.stamps, after.first_stamp))
        edges.append(edge + _is_of_old(readings, edge, before, after))
    edges.append(len(readings.stamps))
    return [
        Segment(
            each,
            readings.take(np.arange(first, end)),
            each.start_at,
            each.end_at,
            each.after_reset,
        )
        for each, (first, end) in zip(declared, pairwise(edges), strict=True)
    ]


def _is_of_old(
    readings: RegisterReadings, position: int, before: DeclaredSegment, after: DeclaredSegment
) -> bool:
    """Whether a reading stands at the very instant of an exchange and is the old device's."""
    if after.after_reset or position == len(readings.stamps):
        return False
    if int(readings.stamps[position]) != after.first_stamp:
        return False
    serial = "" if readings.serials is None else str(readings.serials[position])
    if serial:
        return serial == before.serial
    return int(readings.values[position]) == before.end_index != after.start_index


def with_declared_indexes(
    history: RegisterHistory, segment: Segment, sight: tuple[int, int], findings: list[Finding]
) -> Segment:
    """Insert the indexes that are declared to stand at the ends of a segment, where in ``sight``.

    At the installation a real reading counts instead. At an exchange the declared index does; a
    reading of that very instant that says otherwise is set aside.
    """
    declared, readings = segment.declared, segment.readings
    for at, index, real_counts in (
        (declared.start_at, declared.start_index, declared.installed),
        (declared.end_at, declared.end_index, False),
    ):
        if at is None or index is None or not sight[0] <= at <= sight[1]:
            continue
        standing = readings.stamps == at
        if standing.any():
            if real_counts:
                continue
            rule = FindingRule.INDEX_OUT_OF_ORDER
            otherwise = standing & (readings.values != index)
            readings = set_aside(history, readings, otherwise, rule, findings)
            readings = readings.take(np.flatnonzero(readings.stamps != at))
        readings = _inserted(readings, at, index)
    return replace(segment, readings=readings)


def _inserted(readings: RegisterReadings, at: int, index: int) -> RegisterReadings:
    position = int(np.searchsorted(readings.stamps, at))
    return RegisterReadings(
        np.insert(readings.stamps, position, at),
        np.insert(readings.values, position, index),
        np.insert(readings.at_best, position, Quality.MEASURED),
        np.insert(readings.ahead, position, False),
        None if readings.serials is None else np.insert(readings.serials, position, ""),
    )


def cut_at_serials(
    history: RegisterHistory, segment: Segment, findings: list[Finding]
) -> list[Segment]:
    """Cut a segment where the serial changes between two readings; each such change is a finding.

    Before the order of indexes is judged: another device may begin higher or lower.
    """
    serials = segment.readings.serials
    if serials is None:
        return [segment]
    before, after = serials[:-1], serials[1:]
    cuts = np.flatnonzero((before != after) & (before != "") & (after != "")) + 1
    stamps, values = segment.readings.stamps.tolist(), segment.readings.values.tolist()
    for cut in cuts.tolist():
        evidence = {"index_before": values[cut - 1], "index_after": values[cut]}
        findings.append(
            Finding(
                FindingRule.SERIAL_CHANGED,
                history.meter,
                history.register,
                stamps[cut - 1],
                stamps[cut],
                evidence,
            )
        )
    edges = [0, *cuts.tolist(), len(stamps)]
    edges_at = [segment.start_at, *(stamps[cut] for cut in cuts.tolist()), segment.end_at]
    return [
        Segment(
            segment.declared,
            segment.readings.take(np.arange(first, end)),
            *between,
            after_reset=segment.after_reset and not first,
        )
        for (first, end), between in zip(pairwise(edges), pairwise(edges_at), strict=True)
    ]


def cut_at_falls(segment: Segment) -> list[Segment]:
    """Cut a segment wherever its index falls: its counter began again, unless that is not sure."""
    stamps, values = segment.readings.stamps, segment.readings.values
    falls = (values[1:] < values[:-1]) & ~zeros_in_doubt(stamps, values)[1:]
    cuts = (np.flatnonzero(falls) + 1).tolist()
    if not cuts:
        return [segment]
    edges = [0, *cuts, len(stamps)]
    edges_at = [segment.start_at, *stamps[cuts].tolist(), segment.end_at]
    return [
        Segment(
            segment.declared,
            segment.readings.take(np.arange(first, end)),
            *between,
            after_reset=segment.after_reset or first > 0,
        )
        for (first, end), between in zip(pairwise(edges), pairwise(edges_at), strict=True)
    ]


def with_resets(segments: Sequence[Segment], to_end: bool) -> list[Segment]:
    """Let what was counted after a reset begin with 0 at the last reading of before.

    ``to_end``: nothing was said after the readings in sight.
    """
    joined = list(segments[:1])
    for after in segments[1:]:
        before = joined[-1]
        if after.after_reset:
            joined[-1:] = _reset(before, after, to_end)
        else:
            joined.append(after)
    return joined


def joined_segments(
    history: RegisterHistory, segments: Sequence[Segment], findings: list[Finding]
) -> tuple[AcceptedSegment, ...]:
    """Make accepted segments of those judged; an exchange without the indexes it needs breaks."""
    filled = [each for each in segments if len(each.readings.stamps)]
    for before, after in pairwise(filled):
        if _breaks_at_seam(before, after):
            _add_break(history, before, after, findings)
    return tuple(
        AcceptedSegment(_stand_still(each), *_edges(each), each.declared.factor)
        for each in segments
    )


def _edges(segment: Segment) -> tuple[int | None, int | None]:
    """The edges of a segment; those of the meter's life cut nothing off."""
    declared, start_at, end_at = segment.declared, segment.start_at, segment.end_at
    return (
        None if declared.installed and start_at == declared.start_at else start_at,
        None if declared.removed and end_at == declared.end_at else end_at,
    )


def _reset(before: Segment, after: Segment, to_end: bool) -> list[Segment]:
    """End a segment at its last reading and begin the next there, with 0 as an estimate."""
    if not len(before.readings.stamps) or not (len(after.readings.stamps) or to_end):
        return [before, after]
    at = int(before.readings.stamps[-1])
    readings = _inserted(after.readings, at, 0)
    readings.at_best[0] = Quality.ESTIMATED
    begun = replace(
        after,
        readings=readings,
        start_at=at,
        added=np.insert(after.added, 0, 0),
        breaks_before=np.insert(after.breaks_before, 0, 0),
    )
    return [replace(before, end_at=at), begun]


def _breaks_at_seam(before: Segment, after: Segment) -> bool:
    """Whether an exchange lies between two segments of which one lacks its index there."""
    if before.declared is after.declared:
        return False
    seams_at = before.end_at, after.start_at
    return seams_at != (int(before.readings.stamps[-1]), int(after.readings.stamps[0]))


def _add_break(
    history: RegisterHistory, before: Segment, after: Segment, findings: list[Finding]
) -> None:
    evidence = {
        "index_before": int(before.readings.values[-1]),
        "index_after": int(after.readings.values[0]),
    }
    bounds = int(before.readings.stamps[-1]), int(after.readings.stamps[0])
    rule = FindingRule.INDEX_BREAK
    findings.append(Finding(rule, history.meter, history.register, *bounds, evidence))


def _stand_still(segment: Segment) -> AcceptedReadings:
    """Let the register stand still before the start of its segment and after its end.

    So the quarter-hours of both count whole. Needs an accepted reading at that very instant.
    """
    start_at, end_at, breaks_before = segment.start_at, segment.end_at, segment.breaks_before
    stamps, at_best = segment.readings.stamps, segment.readings.at_best
    values = segment.readings.values
    if segment.added.any():
        values = values + segment.added
    if start_at is not None and len(stamps) and stamps[0] == start_at:
        still_from = quarter_of(start_at) * QUARTER_S
        if still_from < start_at:
            stamps = np.insert(stamps, 0, still_from)
            values = np.insert(values, 0, values[0])
            at_best = np.insert(at_best, 0, at_best[0])
            breaks_before = np.insert(breaks_before, 0, breaks_before[0])
    if end_at is not None and len(stamps) and stamps[-1] == end_at:
        still_until = first_quarter_from(end_at) * QUARTER_S
        if still_until > end_at:
            stamps = np.append(stamps, still_until)
            values = np.append(values, values[-1])
            at_best = np.append(at_best, at_best[-1])
            breaks_before = np.append(breaks_before, breaks_before[-1])
    return AcceptedReadings(stamps, values, at_best, breaks_before)
