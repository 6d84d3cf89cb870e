"""A meter's life: which readings lie in it, and which quarter-hours it is alive in."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from, quarter_of

AHEAD_S = 15 * 60
"""A stamp may be this much ahead of its delivery."""
OLDEST_STAMP_AT = 946_684_800
"""2000-01-01T00:00:00Z; a stamp before is a clock that was never set."""


@dataclass(frozen=True, slots=True)
class Life:
    """From installation to removal [Unix seconds], both None where not declared."""

    installed_at: int | None
    removed_at: int | None

    @classmethod
    def of(cls, meter: Meter) -> Self:
        """The declared life of a meter."""
        return cls(meter.installed_at, meter.removed_at)

    def outside(self, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark the stamps before the installation or after the removal."""
        outside = np.zeros(len(stamps), np.bool_)
        if self.installed_at is not None:
            outside |= stamps < self.installed_at
        if self.removed_at is not None:
            outside |= stamps > self.removed_at
        return outside

    def alive(
        self, first_quarter: int, end_quarter: int, first_accepted_at: int | None
    ) -> NDArray[np.bool_]:
        """Tell for each quarter-hour of [first, end) whether the meter is alive in it.

        From the quarter-hour of the installation, else from the first whole one after the first
        accepted reading (None: it has none and is never alive), to that of the removal.
        """
        if self.installed_at is not None:
            begin = quarter_of(self.installed_at)
        elif first_accepted_at is not None:
            begin = first_quarter_from(first_accepted_at)
        else:
            begin = end_quarter
        end = end_quarter if self.removed_at is None else first_quarter_from(self.removed_at)
        alive = np.zeros(end_quarter - first_quarter, np.bool_)
        alive[max(begin - first_quarter, 0) : max(end - first_quarter, 0)] = True
        return alive

    def still_from(self) -> int | None:
        """The boundary from which the register stands still until the installation."""
        return None if self.installed_at is None else quarter_of(self.installed_at) * QUARTER_S

    def still_until(self) -> int | None:
        """The boundary to which the register stands still after the removal."""
        return None if self.removed_at is None else first_quarter_from(self.removed_at) * QUARTER_S
