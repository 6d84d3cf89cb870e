"""Rule ``clock-skew``: a quarter-hourly meter whose stamps are all off by the same amount."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

SKEW_S = 60
"""Nearer to a quarter-hour is punctual."""
SPREAD_S = 30
"""Nine of ten stamps of a day lie within this of the day's middle one."""
LEAST_READINGS = DAY_QUARTERS // 2
_MOST_READINGS = DAY_QUARTERS + 4


def clock_skews(
    meter: Meter, register: str, stamps: NDArray[np.int64], start_at: int, end_at: int
) -> list[Finding]:
    """Return a finding for each UTC day of [start, end) whose stamps stand beside the quarter-hour.

    Only days with about a reading a quarter-hour are judged; the offset is from the nearest one, in
    seconds, positive where the clock is ahead.
    """
    within = stamps[stamps.searchsorted(start_at) : stamps.searchsorted(end_at)]
    offsets = _offsets(within)
    if offsets.max(initial=0) <= SKEW_S and offsets.min(initial=0) >= -SKEW_S:
        return []
    days, starts, counts = np.unique(within // DAY_S, return_index=True, return_counts=True)
    regular = (counts >= LEAST_READINGS) & (counts <= _MOST_READINGS)
    findings = []
    for day, start, count in zip(
        days[regular].tolist(), starts[regular].tolist(), counts[regular].tolist(), strict=True
    ):
        offset_s = _common_offset(within[start : start + count])
        if offset_s is not None and abs(offset_s) > SKEW_S:
            evidence = {"offset": offset_s, "count": count}
            at = day * DAY_S
            findings.append(
                Finding(FindingRule.CLOCK_SKEW, meter.number, register, at, at + DAY_S, evidence)
            )
    return findings


def _offsets(instants: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the seconds from the nearest quarter-hour."""
    return instants - (instants + QUARTER_S // 2) // QUARTER_S * QUARTER_S


def _common_offset(stamps: NDArray[np.int64]) -> int | None:
    """Return the offset that nearly all stamps share, None if they do not."""
    first_at = int(stamps[0])
    # Seen from the first, so that offsets around half a quarter-hour do not jump.
    beside = _offsets(stamps - first_at)
    middle = int(np.partition(beside, len(beside) // 2)[len(beside) // 2])
    sharing = int((np.abs(beside - middle) <= SPREAD_S).sum())
    if 10 * sharing < 9 * len(stamps):
        return None
    return int(_offsets(np.array([first_at + middle]))[0])
