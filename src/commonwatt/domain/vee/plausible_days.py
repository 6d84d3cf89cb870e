"""Stamps years before all others of a meter: a clock that started with some date.

The days of a meter hang together as long as no two neighbours are `FAR_DAYS` apart. Those that hang
together with the newest are plausible, the others not, whatever came first.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import StoredReadings
from commonwatt.domain.vee.history import usable

FAR_DAYS = 5 * 365
"""Farther apart the stamps of one meter are hardly both right [days]."""


class PlausibleDays(NamedTuple):
    """The UTC days from the first to the last plausible one, both inclusive."""

    first_day: int
    last_day: int


def telling_days(meter: Meter, stored: StoredReadings, withdrawn: Iterable[int]) -> list[int]:
    """Return the UTC days, ascending, on which something was said that can be of the meter.

    Not withdrawn, neither ahead of its delivery nor before 2000 nor after the meter's removal.
    Whether it is plausible is judged by these days alone; a declared installation does not matter
    for them, as it makes the rule idle.
    """
    tells = can_tell(stored, withdrawn)
    if meter.removed_at is not None:
        tells &= stored.stamps <= meter.removed_at
    days: list[int] = np.unique(stored.stamps[tells] // DAY_S).tolist()
    return days


def can_tell(stored: StoredReadings, withdrawn: Iterable[int]) -> NDArray[np.bool_]:
    """Mark what can be of a meter that was not removed."""
    return usable(stored) & ~np.isin(stored.deliveries, list(withdrawn))
