"""Rule ``duplicate-reading``: an instant was said more than once, and differently."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings, replaced_versions


def duplicate_readings(
    meter: Meter, stored: StoredReadings | None, withdrawn: Collection[int]
) -> list[Finding]:
    """Return a finding for each instant whose versions of the quality that counts differ.

    Of each register, in any delivery that is not withdrawn; placeholders say nothing, and where
    somebody edited the reading, or a sender says that one replaces the others, nothing is left in
    doubt.
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
    return stored.take(order[marked])


def _of_register(
    meter: Meter, twice: StoredReadings, register: Register, withdrawn: Collection[int]
) -> list[Finding]:
    said = (twice.values[register] >= 0) & ~np.isin(twice.deliveries, list(withdrawn))
    edited = said & (twice.qualities > ReadingQuality.PLACEHOLDER)
    usable = said & (twice.qualities < ReadingQuality.PLACEHOLDER)
    usable &= ~np.isin(twice.stamps, twice.stamps[edited])
    if not usable.any():
        return []
    twice = twice.take(np.flatnonzero(usable))
    if twice.replaces is not None:
        twice = twice.take(np.flatnonzero(~_replaced(twice)))
    values, qualities = twice.values[register], twice.qualities
    order = np.lexsort((values, qualities, twice.stamps))
    deliveries = np.where(twice.issued, -1, twice.deliveries)[order]
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
                "in_one_delivery": _in_one(deliveries[first : last + 1]),
            },
        )
        for first, last in zip(starts[differing].tolist(), lasts[differing].tolist(), strict=True)
    ]


def _in_one(deliveries: NDArray[np.int64]) -> int:
    """How many of some versions one delivery says without calling them later ones; 0 of one."""
    _, counts = np.unique(deliveries[deliveries >= 0], return_counts=True)
    most = int(counts.max(initial=0))
    return most if most > 1 else 0


def _replaced(said: StoredReadings) -> NDArray[np.bool_]:
    assert said.replaces is not None, "one of them replaces"
    return replaced_versions(
        said.stamps, said.qualities, said.issued_at, said.deliveries, said.replaces
    )
