"""The readings of a register in sight, and setting aside what cannot be one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import (
    AcceptedSpan,
    HeldSpan,
    Meter,
    Register,
    ResolutionKind,
)
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.life import OLDEST_STAMP_AT, Life
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import RegisterReadings, StoredReadings
from commonwatt.domain.vee.interval_totals import IntervalTotals

STAMP_TOLERANCE_S = 60
"""A stamp of an interval this near to a quarter-hour boundary is taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHistory:
    """The effective readings of one register around a window, and what is known of the rest.

    ``from_start`` and ``to_end``: nothing was said before the first or after the last of them.
    ``implausible_before`` [UTC day]: stamps on earlier days are too far before the others of the
    meter. ``first_positive_at`` [Unix seconds] is that of the whole history (see `verdicts`),
    ``first_positive_of`` by their ``from_at`` the first after it, of devices with a 0 in sight.
    ``totals``: which of the readings are of an interval that finer ones lie in.
    """

    meter: int
    register: str
    readings: RegisterReadings
    from_start: bool
    to_end: bool
    first_positive_at: int | None
    implausible_before: int | None = None
    first_positive_of: Mapping[int, int | None] = field(default_factory=dict)
    totals: IntervalTotals = field(default_factory=IntervalTotals)


def begins_in_sight(history: RegisterHistory, life: Life) -> bool:
    """Whether nothing that could be used lies before the readings in sight."""
    stamps = history.readings.stamps
    installed_in_sight = (
        life.installed_at is not None and len(stamps) > 0 and int(stamps[0]) <= life.installed_at
    )
    return history.from_start or installed_in_sight


def ends_in_sight(history: RegisterHistory, life: Life) -> bool:
    """Whether nothing that could be used lies after the readings in sight."""
    stamps = history.readings.stamps
    removed_in_sight = (
        life.removed_at is not None and len(stamps) > 0 and int(stamps[-1]) >= life.removed_at
    )
    return history.to_end or removed_in_sight


def drop_implausible_stamps(
    history: RegisterHistory, meter: Meter, findings: list[Finding]
) -> RegisterReadings:
    """Set aside stamps ahead of their delivery, before 2000, or outside the meter's life.

    And those years before the others of the meter, and the readings that somebody declared faulty.
    Those that are held back are left out.
    """
    readings = history.readings
    if meter.held:
        readings = readings.take(np.flatnonzero(~held_back(readings.stamps, meter)))
    stamps, life = readings.stamps, Life.of(meter)
    if not len(stamps):
        return readings
    plain = life == Life(None, None) and not meter.resolutions
    oldest_at = max(OLDEST_STAMP_AT, (history.implausible_before or 0) * DAY_S)
    if plain and stamps[0] >= oldest_at and not readings.ahead.any():
        return readings
    register = Register(history.register)
    for rule, marked_by in (
        (FindingRule.STAMP_AHEAD, lambda r: r.ahead),
        (FindingRule.STAMP_TOO_OLD, lambda r: r.stamps < OLDEST_STAMP_AT),
        (FindingRule.OUTSIDE_LIFE, lambda r: life.outside(r.stamps)),
        (FindingRule.STAMP_FAR_BEFORE, lambda r: r.stamps < oldest_at),
        (FindingRule.DECLARED_FAULTY, lambda r: declared_faulty(r.stamps, meter, register)),
    ):
        readings = set_aside(history, readings, marked_by(readings), rule, findings)
    return readings


def set_aside(
    history: RegisterHistory,
    readings: RegisterReadings,
    marked: NDArray[np.bool_],
    rule: FindingRule,
    findings: list[Finding],
) -> RegisterReadings:
    """Take the marked readings out, each with a finding."""
    if not marked.any():
        return readings
    for stamp, value in zip(
        readings.stamps[marked].tolist(), readings.values[marked].tolist(), strict=True
    ):
        findings.append(
            Finding(rule, history.meter, history.register, stamp, stamp, {"index": value})
        )
    return readings.take(np.flatnonzero(~marked))


def declared_faulty(
    stamps: NDArray[np.int64], meter: Meter, register: Register
) -> NDArray[np.bool_]:
    """Mark the readings that somebody declared to be faulty."""
    faulty = np.zeros(len(stamps), np.bool_)
    for each in meter.resolutions:
        if each.kind is ResolutionKind.FAULTY and each.register is register:
            faulty |= (stamps >= each.start_at) & (stamps <= each.end_at)
    return faulty


def held_back(stamps: NDArray[np.int64], meter: Meter) -> NDArray[np.bool_]:
    """Mark the readings that are held back since they look like something else."""
    held = np.zeros(len(stamps), np.bool_)
    lying_at = placed(stamps, meter)
    for span in meter.held:
        held |= within(span, lying_at)
    return held


def placed(stamps: NDArray[np.int64], meter: Meter) -> NDArray[np.int64]:
    """Return the instants [Unix seconds] by which it is told where readings lie.

    Of an index its stamp. Of an interval one within it, so that the one that ends at midnight lies
    on the day that ends there.
    """
    return stamps if meter.interval_s is None else stamps - STAMP_TOLERANCE_S - 1


def within(span: HeldSpan | AcceptedSpan, lying_at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark which of the instants of `placed` readings lie in a span."""
    marked = np.ones(len(lying_at), np.bool_)
    if span.from_at is not None:
        marked &= lying_at >= span.from_at
    if span.until_at is not None:
        marked &= lying_at < span.until_at
    return marked


def usable(readings: RegisterReadings | StoredReadings) -> NDArray[np.bool_]:
    """Mark the stamps that can be right: not ahead of their delivery, nor before 2000."""
    marked: NDArray[np.bool_] = ~readings.ahead & (readings.stamps >= OLDEST_STAMP_AT)
    return marked


def first_positive(readings: RegisterReadings, meter: Meter, register: Register) -> int | None:
    """Return the first instant of a plausible index above 0 [Unix seconds], None without one."""
    plausible = (readings.values > 0) & usable(readings)
    plausible &= ~Life.of(meter).outside(readings.stamps)
    if meter.resolutions:
        plausible &= ~declared_faulty(readings.stamps, meter, register)
    if meter.held:
        plausible &= ~held_back(readings.stamps, meter)
    positions = np.flatnonzero(plausible)
    return int(readings.stamps[positions[0]]) if len(positions) else None
