"""Rule ``duplicate-reading``: an instant was said more than once, and differently."""

from collections.abc import Collection

import numpy as np

from commonwatt.domain.catalogue import Meter, Register
from commonwatt.domain.findings import Finding, FindingRule
from commonwatt.domain.readings import ReadingQuality, StoredReadings


def duplicate_readings(
    meter: Meter, stored: StoredReadings | None, withdrawn: Collection[int]
) -> list[Finding]:
    """Return a finding for each instant whose versions of the quality that counts differ.

    Of each register, in any delivery that is not withdrawn; placeholders say nothing, and where
    somebody edited the reading nothing is left in doubt.
    """
    if stored is None:
        return []
    twice = _said_twice(stored)
    if twice is None:
        return []
    findings = []
    for register in sorted(twice.values):
        findings += _of_register(meter, twice, register, withdrawn)
    return findings


def _said_twice(stored: StoredReadings) -> StoredReadings | None:
    """Return the readings of instants with several, None without any."""
    stamps = stored.stamps
    if bool((stamps[1:] > stamps[:-1]).all()):
        return None
    order = np.argsort(stamps, kind="stable")
    ordered = stamps[order]
    again = ordered[1:] == ordered[:-1]
    if not again.any():
        return None
    marked = np.zeros(len(stamps), np.bool_)
    marked[1:] |= again
    marked[:-1] |= again
    return stored.at(order[marked])


def _of_register(
    meter: Meter, twice: StoredReadings, register: Register, withdrawn: Collection[int]
) -> list[Finding]:
    said = (twice.values[register] >= 0) & ~np.isin(twice.deliveries, list(withdrawn))
    edited = said & (twice.qualities > ReadingQuality.PLACEHOLDER)
    usable = said & (twice.qualities < ReadingQuality.PLACEHOLDER)
    usable &= ~np.isin(twice.stamps, twice.stamps[edited])
    if not usable.any():
        return []
    twice = twice.at(np.flatnonzero(usable))
    values, qualities = twice.values[register], twice.qualities
    order = np.lexsort((values, qualities, twice.stamps))
    stamps, values, qualities = twice.stamps[order], values[order], qualities[order]
    new_stamp = np.ones(len(stamps), np.bool_)
    new_stamp[1:] = stamps[1:] != stamps[:-1]
    ends = new_stamp.copy()
    ends[1:] |= qualities[1:] != qualities[:-1]
    # A group of one instant and quality ends where the next begins; the best quality comes first.
    starts = np.flatnonzero(ends)
    lasts = np.append(starts[1:], len(stamps)) - 1
    differing = new_stamp[starts] & (values[starts] != values[lasts])
    return [
        Finding(
            FindingRule.DUPLICATE_READING,
            meter.number,
            register.value,
            int(stamps[first]),
            int(stamps[first]),
            {
                "count": last - first + 1,
                "lowest": int(values[first]),
                "highest": int(values[last]),
            },
        )
        for first, last in zip(starts[differing].tolist(), lasts[differing].tolist(), strict=True)
    ]
