"""What a register counts in a quarter-hour of its kind, on average: the shape of estimates.

Quarter-hours are compared by the clock of the site: the same quarter of the local day, best of the
same weekday, next of another working day, else of any day. Only what was measured is compared,
never an estimate: quarter-hours, or hours where no quarter-hour of that part of the day was.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.load_profile import Energy
from commonwatt.domain.metering.quarter_hours import (
    DAY_QUARTERS,
    DAY_S,
    QUARTER_S,
    first_quarter_from,
)
from commonwatt.domain.metering.zones import utc_offsets

MEASURED_HOUR_S = 65 * 60
"""Readings up to this far apart measured an hour: a meter read hourly is a little late at times."""
REFERENCE_S = 35 * DAY_S
"""Reference days lie this near, to either side: five of every weekday."""
MILLI = 1_000
"""Means are kept in mWh [ml]."""
NO_REFERENCE = -1
_WEEKDAYS = 7
_FIRST_WEEKEND_DAY = 5
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""


def _likeness() -> NDArray[np.int64]:
    """How much a reference day of a weekday (column) counts for a day of a weekday (row)."""
    weekdays = np.arange(_WEEKDAYS)
    working = weekdays < _FIRST_WEEKEND_DAY
    both_working = working[:, None] & working[None, :]
    same_day = weekdays[:, None] == weekdays[None, :]
    return np.where(same_day, 32, np.where(both_working, 16, 1)).astype(np.int64)


_LIKENESS = _likeness()


@dataclass(frozen=True, slots=True)
class ReferenceDays:
    """Measured quarter-hours of a register, ascending, and their energy [Wh, litre].

    The energy is what the quarter-hours are settled with, factor applied; below 0 counts as 0.
    ``of_hours`` are quarters of measured hours, which count where nothing finer compares.
    """

    quarters: NDArray[np.int64]
    energy: Energy
    of_hours: "ReferenceDays | None" = None

    def within(self, *spans: tuple[int, int]) -> "ReferenceDays":
        """Those that lie wholly in one of the spans [start, end] of instants [Unix seconds]."""
        inside = np.zeros(len(self.quarters), np.bool_)
        for start_at, end_at in spans:
            first, end = first_quarter_from(start_at), end_at // QUARTER_S
            inside |= (self.quarters >= first) & (self.quarters < end)
        of_hours = None if self.of_hours is None else self.of_hours.within(*spans)
        return ReferenceDays(self.quarters[inside], self.energy[inside], of_hours)


def comparable_means(
    reference_days: ReferenceDays, quarters: NDArray[np.int64], zone: str
) -> NDArray[np.int64]:
    """Return the mean energy of what compares with each quarter-hour, in whole mWh [ml].

    The mean counts a reference day 32 times if it is of the same local weekday, 16 times if both
    are working days (Monday to Friday), else once. It is cut to whole mWh. Where no measured
    quarter-hour is of the same quarter of the local day, quarters of measured hours are taken;
    NO_REFERENCE where there is none of them either.

    The quarter-hour from 00:00 on a Thursday, after 8 Wh on a Tuesday and 25 Wh on a Sunday:

    >>> tuesday, sunday, thursday = 96 * 5, 96 * 10, 96 * 14
    >>> reference_days = ReferenceDays(np.array([tuesday, sunday]), np.array([8, 25]))
    >>> comparable_means(reference_days, np.array([thursday, thursday + 1]), "UTC").tolist()
    [9000, -1]
    """
    sums = np.zeros(_WEEKDAYS * DAY_QUARTERS, np.int64)
    counts = np.zeros_like(sums)
    cells = _cells(reference_days.quarters, zone)
    np.add.at(sums, cells, np.maximum(reference_days.energy, 0))
    np.add.at(counts, cells, 1)
    weighted = (_LIKENESS @ sums.reshape(_WEEKDAYS, -1)).ravel() * MILLI
    weights = (_LIKENESS @ counts.reshape(_WEEKDAYS, -1)).ravel()
    means = np.where(weights > 0, weighted // np.maximum(weights, 1), NO_REFERENCE)
    found = means[_cells(quarters, zone)]
    if reference_days.of_hours is None or (found != NO_REFERENCE).all():
        return found
    return np.where(
        found == NO_REFERENCE, comparable_means(reference_days.of_hours, quarters, zone), found
    )


def _cells(quarters: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Number the local (weekday, quarter of the day) of each quarter-hour."""
    starts_at = quarters * QUARTER_S
    local_s = starts_at + utc_offsets(zone, starts_at)
    weekday = (local_s // DAY_S + _EPOCH_WEEKDAY) % _WEEKDAYS
    return weekday * DAY_QUARTERS + local_s % DAY_S // QUARTER_S
