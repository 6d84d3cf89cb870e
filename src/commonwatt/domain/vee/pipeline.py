"""From the counting readings of a register to those that are used; a finding for each other.

Every reading ends in exactly one of accepted or set aside. Readings of a part of the history give
the same verdicts as the whole, `verdicts.SIGHT` readings away from where the part was cut.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.findings import Finding, FindingRule
from commonwatt.domain.readings import RegisterReadings
from commonwatt.domain.vee import verdicts
from commonwatt.domain.vee.boundary_index import AcceptedReadings
from commonwatt.domain.vee.history import (
    RegisterHistory,
    begins_in_sight,
    drop_implausible_stamps,
    ends_in_sight,
    set_aside,
)
from commonwatt.domain.vee.life import Life
from commonwatt.domain.vee.segments import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRegister:
    """What judging a `RegisterHistory` gives.

    Verdicts are final for stamps in [sure_from, sure_to] [Unix seconds]; outside of it the history
    was cut too near. ``from_start`` and ``to_end``: nothing that could be used lies before the
    first or after the last reading in sight.
    """

    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...]
    sure_from: int
    sure_to: int
    from_start: bool
    to_end: bool

    @property
    def first_accepted_at(self) -> int | None:
        """The first accepted reading that is sure [Unix seconds], None if there is none."""
        stamps = self.accepted_stamps
        position = int(np.searchsorted(stamps, self.sure_from))
        return int(stamps[position]) if position < len(stamps) else None

    def enough_before(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest accepted at or before an instant are known for sure."""
        return self.from_start or len(self._between(self.sure_from, instant_at)) >= count

    def enough_after(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest accepted at or after an instant are known for sure."""
        return self.to_end or len(self._between(instant_at, self.sure_to)) >= count

    @property
    def accepted_stamps(self) -> NDArray[np.int64]:
        """The stamps of the accepted readings [Unix seconds], ascending."""
        if len(self.segments) == 1:
            return self.segments[0].readings.stamps
        return np.concatenate([segment.readings.stamps for segment in self.segments])

    def _between(self, from_at: int, to_at: int) -> NDArray[np.int64]:
        stamps = self.accepted_stamps
        start, end = np.searchsorted(stamps, (from_at, to_at + 1))
        return stamps[start:end]


_EARLIEST_AT = -(2**62)
_LATEST_AT = 2**62


def judge_index_register(
    history: RegisterHistory, life: Life, installed_index: int
) -> JudgedRegister:
    """Judge the readings of an index register.

    In this order: implausible stamps and readings outside the life are set aside; the index at the
    installation is inserted; zeros after a positive index are set aside; then what stands against
    its surroundings. Falls that remain are breaks. ``installed_index`` [mWh, ml].
    """
    findings: list[Finding] = []
    readings = drop_implausible_stamps(history, life, findings)
    readings = _insert_installation(readings, life, installed_index, history)
    zeros = verdicts.zero_after_positive(
        readings.stamps, readings.values, history.first_positive_at
    )
    readings = set_aside(history, readings, zeros, FindingRule.ZERO_AFTER_POSITIVE, findings)
    from_start, to_end = begins_in_sight(history, life), ends_in_sight(history, life)
    sure_from, sure_to = _sure_span(readings.stamps, from_start, to_end)
    dropped = verdicts.out_of_order(readings.values)
    readings = set_aside(history, readings, dropped, FindingRule.INDEX_OUT_OF_ORDER, findings)
    breaks_before = _count_breaks(history, readings, findings)
    return JudgedRegister(
        segments=(Segment(_stand_still(readings, breaks_before, life)),),
        findings=tuple(findings),
        sure_from=sure_from,
        sure_to=sure_to,
        from_start=from_start,
        to_end=to_end,
    )


def _insert_installation(
    readings: RegisterReadings, life: Life, installed_index: int, history: RegisterHistory
) -> RegisterReadings:
    """Insert the index at the installation, unless a reading stands there or it is out of sight."""
    at = life.installed_at
    if at is None or not len(history.readings.stamps) or not len(readings.stamps):
        return readings
    if not begins_in_sight(history, life) or int(readings.stamps[0]) <= at:
        return readings
    return RegisterReadings(
        np.insert(readings.stamps, 0, at),
        np.insert(readings.values, 0, installed_index),
        np.insert(readings.estimated, 0, False),
        np.insert(readings.ahead, 0, False),
    )


def _sure_span(stamps: NDArray[np.int64], from_start: bool, to_end: bool) -> tuple[int, int]:
    """Return the instants between which verdicts do not depend on what was cut off."""
    sight = verdicts.SIGHT
    enough = len(stamps) > sight
    sure_from = int(stamps[sight]) if enough else _LATEST_AT
    sure_to = int(stamps[-1 - sight]) if enough else _EARLIEST_AT
    return (
        _EARLIEST_AT if from_start else sure_from,
        _LATEST_AT if to_end else sure_to,
    )


def _count_breaks(
    history: RegisterHistory, readings: RegisterReadings, findings: list[Finding]
) -> NDArray[np.int64]:
    """Count the falls that remain before each reading; each is a finding."""
    stamps, values = readings.stamps, readings.values
    falls = np.zeros(len(values), np.int64)
    falls[1:] = values[1:] < values[:-1]
    findings.extend(
        Finding(
            FindingRule.INDEX_BREAK,
            history.meter,
            history.register,
            int(stamps[after - 1]),
            int(stamps[after]),
            {"index_before": int(values[after - 1]), "index_after": int(values[after])},
        )
        for after in np.flatnonzero(falls).tolist()
    )
    return np.cumsum(falls)


def _stand_still(
    readings: RegisterReadings, breaks_before: NDArray[np.int64], life: Life
) -> AcceptedReadings:
    """Let the register stand still before the installation and after the removal.

    So the quarter-hours of both count whole. Needs an accepted reading at that very instant.
    """
    stamps, values, estimated = readings.stamps, readings.values, readings.estimated
    still_from, still_until = life.still_from(), life.still_until()
    if len(stamps) and still_from is not None and still_from < stamps[0] == life.installed_at:
        stamps = np.insert(stamps, 0, still_from)
        values, estimated = np.insert(values, 0, values[0]), np.insert(estimated, 0, estimated[0])
        breaks_before = np.insert(breaks_before, 0, breaks_before[0])
    if len(stamps) and still_until is not None and still_until > stamps[-1] == life.removed_at:
        stamps = np.append(stamps, still_until)
        values, estimated = np.append(values, values[-1]), np.append(estimated, estimated[-1])
        breaks_before = np.append(breaks_before, breaks_before[-1])
    return AcceptedReadings(stamps, values, estimated, breaks_before)
