"""From the effective readings of a register to those that are used; a finding for each other.

Every reading ends in exactly one of accepted or set aside. Readings of a part of the history give
the same verdicts as the whole, `verdicts.SIGHT` readings away from where the part was cut.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Register, RegisterKind
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.life import Life
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.vee import verdicts
from commonwatt.domain.vee.boundary_index import AcceptedSegment
from commonwatt.domain.vee.declared_segments import declared_segments
from commonwatt.domain.vee.history import (
    RegisterHistory,
    begins_in_sight,
    drop_implausible_stamps,
    ends_in_sight,
    set_aside,
)
from commonwatt.domain.vee.rollover import RolloverRule, Rollovers
from commonwatt.domain.vee.seams import (
    Segment,
    cut_at_falls,
    cut_at_seams,
    cut_at_serials,
    joined_segments,
    with_declared_indexes,
    with_resets,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRegister:
    """What judging a `RegisterHistory` gives.

    ``accepted_stamps`` [Unix seconds] ascend; at a seam both registers may have one. Verdicts are
    final for stamps in [sure_from, sure_to] [Unix seconds]; outside of it the history was cut too
    near: they may depend on ``reach`` readings to each side. ``from_start`` and ``to_end``: nothing
    that could be used lies before the first or after the last reading in sight.
    """

    segments: tuple[AcceptedSegment, ...]
    accepted_stamps: NDArray[np.int64]
    findings: tuple[Finding, ...]
    sure_from: int
    sure_to: int
    from_start: bool
    to_end: bool
    reach: int

    @property
    def first_accepted_at(self) -> int | None:
        """The first accepted reading that is sure [Unix seconds], None if there is none."""
        stamps = self.accepted_stamps
        position = int(stamps.searchsorted(self.sure_from))
        return int(stamps[position]) if position < len(stamps) else None

    def enough_before(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest accepted at or before an instant are known for sure."""
        return self.from_start or len(self._between(self.sure_from, instant_at)) >= count

    def enough_after(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest accepted at or after an instant are known for sure."""
        return self.to_end or len(self._between(instant_at, self.sure_to)) >= count

    def _between(self, from_at: int, to_at: int) -> NDArray[np.int64]:
        stamps = self.accepted_stamps
        start, end = np.searchsorted(stamps, (from_at, to_at + 1))
        return stamps[start:end]


_EARLIEST_AT = -(2**62)
_LATEST_AT = 2**62


def judge_index_register(history: RegisterHistory, meter: Meter) -> JudgedRegister:
    """Judge the readings of an index register.

    In this order: implausible stamps, readings outside the life and those declared faulty are set
    aside; the register is cut where it was declared to begin anew; zeros after a positive index of
    the same device are set aside; declared indexes are inserted; the register is cut where its
    serial changes; rollovers are counted; then what stands against its surroundings is set aside.
    Falls that remain are breaks. Of a meter whose counters begin again a zero is a beginning and a
    fall a reset, but for zeros amid an index that goes on: there it breaks. None of its readings
    stands against the others.
    """
    findings: list[Finding] = []
    register, life = Register(history.register), Life.of(meter)
    resets = meter.register_kind is RegisterKind.RESETS
    readings = drop_implausible_stamps(history, meter, findings)
    from_start, to_end = begins_in_sight(history, life), ends_in_sight(history, life)
    sight = _sight(readings.stamps, from_start, to_end)
    cut: list[Segment] = []
    for segment in cut_at_seams(readings, declared_segments(meter, register)):
        positive = segment if resets else _without_zeros(history, segment, findings)
        begun = with_declared_indexes(history, positive, sight, findings)
        cut += cut_at_serials(history, begun, findings)
    raw = [each for segment in cut for each in cut_at_falls(segment)] if resets else cut
    rolled = [
        None
        if resets
        else RolloverRule.of(meter, register, segment.declared).find(
            segment.readings.stamps, segment.readings.values
        )
        for segment in raw
    ]
    reach = verdicts.SIGHT + max((each.reach for each in rolled if each is not None), default=0)
    sure_from, sure_to = _sure_span(cut, reach, from_start, to_end)
    judged = [
        _judge_segment(history, segment, rollovers, findings)
        for segment, rollovers in zip(raw, rolled, strict=True)
    ]
    judged = with_resets(judged, to_end)
    segments = joined_segments(history, judged, findings)
    one = len(segments) == 1
    return JudgedRegister(
        segments=segments,
        accepted_stamps=segments[0].readings.stamps
        if one
        else np.concatenate([each.readings.stamps for each in judged]),
        findings=tuple(findings),
        sure_from=sure_from,
        sure_to=sure_to,
        from_start=from_start,
        to_end=to_end,
        reach=reach,
    )


def _sight(stamps: NDArray[np.int64], from_start: bool, to_end: bool) -> tuple[int, int]:
    """The instants between which every reading is in sight; none of a register without any."""
    if not len(stamps):
        return _LATEST_AT, _EARLIEST_AT
    return (
        _EARLIEST_AT if from_start else int(stamps[0]),
        _LATEST_AT if to_end else int(stamps[-1]),
    )


def _without_zeros(history: RegisterHistory, segment: Segment, findings: list[Finding]) -> Segment:
    """Set aside the zeros of a segment that follow a positive index of its device."""
    readings, declared = segment.readings, segment.declared
    if readings.values.all():
        return segment
    from_at = declared.device_from_at
    if from_at is None:
        first_positive_at = history.first_positive_at
    else:
        first_positive_at = from_at if declared.device_index else history.first_positive_of[from_at]
    zeros = verdicts.zero_after_positive(readings.stamps, readings.values, first_positive_at)
    rule = FindingRule.ZERO_AFTER_POSITIVE
    return replace(segment, readings=set_aside(history, readings, zeros, rule, findings))


def _sure_span(
    segments: list[Segment], reach: int, from_start: bool, to_end: bool
) -> tuple[int, int]:
    """Return the instants between which verdicts do not depend on what was cut off.

    They never look across the edge of a segment.
    """
    filled = [each.readings.stamps for each in segments if len(each.readings.stamps)]
    sure_from, sure_to = _LATEST_AT, _EARLIEST_AT
    if len(filled) > 1:
        sure_from, sure_to = int(filled[1][0]), int(filled[-2][-1])
    if filled and len(filled[0]) > reach:
        sure_from = int(filled[0][reach])
    if filled and len(filled[-1]) > reach:
        sure_to = int(filled[-1][-1 - reach])
    return (
        _EARLIEST_AT if from_start else sure_from,
        _LATEST_AT if to_end else sure_to,
    )


def _judge_segment(
    history: RegisterHistory, segment: Segment, rollovers: Rollovers | None, findings: list[Finding]
) -> Segment:
    """Set aside what stands against its surroundings; falls and parted orders are breaks."""
    readings = segment.readings
    if rollovers is None:
        # Nothing falls but to zeros of which nobody knows whether the counter began again.
        doubt = verdicts.zeros_in_doubt(readings.stamps, readings.values)
        at_doubt = doubt[1:] != doubt[:-1]
        _add_pairs(history, readings, at_doubt, FindingRule.INDEX_BREAK, findings)
        breaks_before = _numbered(at_doubt, len(doubt))
        added = np.zeros(len(doubt), np.int64)
        return replace(segment, added=added, breaks_before=breaks_before)
    counted, added = readings.values + rollovers.added, rollovers.added
    order = verdicts.out_of_order(readings.stamps, counted)
    dropped, parts = order.dropped, np.cumsum(order.parted)
    rule = FindingRule.INDEX_OUT_OF_ORDER
    readings = set_aside(history, readings, dropped, rule, findings)
    if dropped.any():
        counted, added, parts = counted[~dropped], added[~dropped], parts[~dropped]
    breaks = (counted[1:] < counted[:-1]) | (parts[1:] > parts[:-1])
    _add_pairs(history, readings, breaks, FindingRule.INDEX_BREAK, findings)
    rolls = (added[1:] > added[:-1]) & ~breaks
    _add_pairs(history, readings, rolls, FindingRule.ROLLOVER, findings)
    breaks_before = _numbered(breaks, len(counted))
    return replace(segment, readings=readings, added=added, breaks_before=breaks_before)


def _numbered(breaks: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Count before each of so many readings the breaks between it and the first one."""
    breaks_before = np.zeros(count, np.int64)
    np.cumsum(breaks, out=breaks_before[1:])
    return breaks_before


def _add_pairs(
    history: RegisterHistory,
    readings: RegisterReadings,
    marked: NDArray[np.bool_],
    rule: FindingRule,
    findings: list[Finding],
) -> None:
    """Add a finding for each marked pair of neighbouring readings."""
    for before in np.flatnonzero(marked).tolist():
        bounds = int(readings.stamps[before]), int(readings.stamps[before + 1])
        evidence = {
            "index_before": int(readings.values[before]),
            "index_after": int(readings.values[before + 1]),
        }
        findings.append(Finding(rule, history.meter, history.register, *bounds, evidence))
