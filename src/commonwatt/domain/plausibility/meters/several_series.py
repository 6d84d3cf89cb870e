"""Whether deliveries tell several series under one meter: phases, tariffs, another meter.

A correction changes some readings, or many a little. Where most instants of a day are said again
with wholly different values, and nothing says that the later ones replace the earlier, taking the
last would lose the others.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings, replaced_versions
from commonwatt.domain.plausibility.steps.limits import LIMITS
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT
from commonwatt.domain.vee.history import placed, usable

FEWEST = 8
"""So many instants of a day, and at least half of them, are said differently."""
LEAST_SHARE = 0.1
"""The values differ by so much in all: less is a correction."""
UNIT_TIMES = 100
"""Values so many times the others are those in another unit, corrected."""


def days_of_several(
    meter: Meter, stored: StoredReadings | None, withdrawn: Collection[int]
) -> NDArray[np.int64]:
    """Return the UTC days, ascending, of which deliveries tell several series of a register.

    What is issued at an instant that its sender names, replaces or is replaced is a version and
    does not contradict, nor does what is of another quality.
    """
    nothing = np.empty(0, np.int64)
    if stored is None or bool((stored.stamps[1:] > stored.stamps[:-1]).all()):
        return nothing
    if len(np.unique(stored.stamps)) == len(stored.stamps):
        return nothing
    found = [
        _days_of_register(meter, stored, register, withdrawn) for register in sorted(stored.values)
    ]
    return np.unique(np.concatenate(found)) if found else nothing


def _days_of_register(
    meter: Meter, stored: StoredReadings, register: Register, withdrawn: Collection[int]
) -> NDArray[np.int64]:
    said = (stored.values[register] >= 0) & usable(stored) & ~stored.issued
    said &= stored.qualities <= ReadingQuality.ESTIMATED
    said &= ~np.isin(stored.deliveries, list(withdrawn))
    nearby = stored.take(np.flatnonzero(said))
    if nearby.replaces is not None and nearby.replaces.any():
        replaced = replaced_versions(
            nearby.stamps, nearby.qualities, nearby.issued_at, nearby.deliveries, nearby.replaces
        )
        nearby = nearby.take(np.flatnonzero(~replaced & ~nearby.replaces))
    if not len(nearby.stamps):
        return np.empty(0, np.int64)
    values = nearby.values[register]
    order = np.lexsort((values, nearby.qualities, nearby.stamps))
    stamps, qualities = nearby.stamps[order], nearby.qualities[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (stamps[1:] != stamps[:-1]) | (qualities[1:] != qualities[:-1])
    starts = np.flatnonzero(begins)
    lasts = np.append(starts[1:], len(order)) - 1
    numbers = nearby.deliveries[order]
    several = np.minimum.reduceat(numbers, starts) != np.maximum.reduceat(numbers, starts)
    lowest, highest = (values[order][each].astype(np.float64) for each in (starts, lasts))
    against = several & (lowest != highest)
    days, of_group = np.unique(placed(stamps[starts], meter) // DAY_S, return_inverse=True)
    instants = np.unique(placed(np.unique(nearby.stamps), meter) // DAY_S, return_counts=True)[1]
    counts = np.bincount(of_group[against], minlength=len(days))
    low = np.bincount(of_group[against], lowest[against], len(days))
    high = np.bincount(of_group[against], highest[against], len(days))
    often = (counts >= FEWEST) & (2 * counts >= instants)
    other_unit = (low > 0) & (high >= UNIT_TIMES * low)
    if meter.interval_s is not None:
        far = high - low >= LEAST_SHARE * high
    else:
        rise = np.minimum(_rises(lowest, of_group, len(days)), _rises(highest, of_group, len(days)))
        step = LIMITS[meter.medium].step * RAW_PER_UNIT
        far = high - low > np.maximum(rise, step) * counts
    return days[often & far & ~other_unit]


def _rises(
    values: NDArray[np.float64], of_group: NDArray[np.intp], count: int
) -> NDArray[np.float64]:
    """From the least to the greatest value of each day."""
    least, greatest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, of_group, values)
    np.maximum.at(greatest, of_group, values)
    rises: NDArray[np.float64] = greatest - least
    return rises
