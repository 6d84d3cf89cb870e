"""Interval meters: each value is the energy of the interval that ends at its stamp."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, QUARTER_S
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT, BoundaryIndex, rounded
from commonwatt.domain.vee.finer_intervals import REACH as FINER_REACH
from commonwatt.domain.vee.finer_intervals import add_up_finer
from commonwatt.domain.vee.history import (
    STAMP_TOLERANCE_S,
    RegisterHistory,
    drop_implausible_stamps,
    set_aside,
)
from commonwatt.domain.vee.verdicts import SIGHT

_PARTS = 4
"""Energies are cumulated in quarters of a raw unit, so that an hour's quarter is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedIntervals:
    """The accepted intervals of a register, ascending: where each ends, and its energy.

    ``at_best`` codes of `Quality`: what rests on an interval is no better.
    """

    end_quarters: NDArray[np.int64]
    values: NDArray[np.int64]
    at_best: NDArray[np.uint8]
    interval_quarters: int
    findings: tuple[Finding, ...]
    from_start: bool
    to_end: bool
    reach: int = SIGHT

    @property
    def first_accepted_at(self) -> int | None:
        """The start of the first accepted interval [Unix seconds], None without one."""
        if not len(self.end_quarters):
            return None
        return (int(self.end_quarters[0]) - self.interval_quarters) * QUARTER_S

    def enough_before(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest intervals that end at or before an instant are sure."""
        # The first in sight may overlap one that is not, or be finer beside one that is not.
        ended = int(np.searchsorted(self.end_quarters * QUARTER_S, instant_at, side="right"))
        return self.from_start or ended > count + FINER_REACH

    def enough_after(self, instant_at: int, count: int) -> bool:
        """Whether the ``count`` nearest intervals that end at or after an instant are sure."""
        ended = int(np.searchsorted(self.end_quarters * QUARTER_S, instant_at))
        return self.to_end or len(self.end_quarters) - ended >= count + FINER_REACH

    @property
    def accepted_stamps(self) -> NDArray[np.int64]:
        """The ends of the accepted intervals [Unix seconds], ascending."""
        return self.end_quarters * QUARTER_S


def judge_intervals(history: RegisterHistory, meter: Meter) -> JudgedIntervals:
    """Judge the readings of a register of an interval meter.

    Finer intervals are added up where they fill one of the meter's. Set aside are implausible
    stamps, readings outside the life, finer intervals that fill none, stamps more than 60 s off a
    quarter-hour, of several at one boundary all but the nearest (of a tie the earlier), and
    intervals that begin before the reading before them ended.
    """
    findings: list[Finding] = []
    assert meter.interval_s is not None, "an interval meter"
    readings = drop_implausible_stamps(history, meter, findings)
    off = _off_quarter(readings.stamps)
    readings = add_up_finer(history, readings, off, meter.interval_s, findings)
    off = _off_quarter(readings.stamps)
    readings = set_aside(history, readings, off, FindingRule.STAMP_OFF_INTERVAL, findings)
    interval_quarters = meter.interval_s // QUARTER_S
    ends = (readings.stamps + STAMP_TOLERANCE_S) // QUARTER_S
    beside = _beside_a_nearer(readings.stamps, ends)
    readings = set_aside(history, readings, beside, FindingRule.INTERVAL_OVERLAP, findings)
    ends = ends[~beside]
    overlapping = np.zeros(len(ends), np.bool_)
    overlapping[1:] = np.diff(ends) < interval_quarters
    readings = set_aside(history, readings, overlapping, FindingRule.INTERVAL_OVERLAP, findings)
    return JudgedIntervals(
        end_quarters=ends[~overlapping],
        values=readings.values,
        at_best=readings.at_best,
        interval_quarters=interval_quarters,
        findings=tuple(findings),
        from_start=history.from_start,
        to_end=history.to_end,
    )


def _off_quarter(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the stamps that are beside the quarter-hour."""
    return (stamps + STAMP_TOLERANCE_S) % QUARTER_S > 2 * STAMP_TOLERANCE_S


def _beside_a_nearer(stamps: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the ascending stamps whose boundary another is nearer to, or as near and earlier."""
    beside = np.zeros(len(stamps), np.bool_)
    if not (ends[1:] == ends[:-1]).any():
        return beside
    nearest_first = np.lexsort((stamps, np.abs(stamps - ends * QUARTER_S), ends))
    in_order = ends[nearest_first]
    beside[nearest_first[1:]] = in_order[1:] == in_order[:-1]
    return beside


def interval_energy(
    judged: JudgedIntervals, first_quarter: int, end_quarter: int, factor: Decimal
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return energy [Wh, litre] and quality per quarter-hour of [first, end).

    An interval's energy is spread evenly over its quarter-hours, cumulated within the UTC day and
    rounded at the boundaries, so that the sum of a day is right. Half-hours count as measured,
    hours as interpolated.
    """
    first_day, end_day = first_quarter // DAY_QUARTERS, -(-end_quarter // DAY_QUARTERS)
    base = first_day * DAY_QUARTERS
    length = (end_day - first_day) * DAY_QUARTERS
    parts = np.zeros(length, np.int64)
    quality = np.full(length, Quality.MISSING, np.uint8)
    hourly = judged.interval_quarters == _PARTS
    as_measured = Quality.INTERPOLATED if hourly else Quality.MEASURED
    each = np.minimum(judged.at_best, np.uint8(as_measured))
    for part in range(judged.interval_quarters):
        at = judged.end_quarters - judged.interval_quarters + part - base
        inside = (at >= 0) & (at < length)
        parts[at[inside]] = judged.values[inside] * (_PARTS // judged.interval_quarters)
        quality[at[inside]] = each[inside]
    cumulated = np.zeros((end_day - first_day, DAY_QUARTERS + 1), np.int64)
    np.cumsum(parts.reshape(-1, DAY_QUARTERS), axis=1, out=cumulated[:, 1:])
    nothing = np.zeros_like(cumulated)
    no_code = nothing.astype(np.uint8)
    index = BoundaryIndex(cumulated, nothing, nothing + 1, no_code, nothing, no_code)
    energy = np.diff(rounded(index, factor, RAW_PER_UNIT * _PARTS), axis=1).ravel()
    wanted = slice(first_quarter - base, end_quarter - base)
    return energy[wanted], quality[wanted]
