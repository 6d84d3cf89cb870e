"""The quarter-hours of a run as whole UTC days, a row a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.load_profile import Qualities
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class WholeDays:
    """The whole UTC days [first_day, end_day) in a run of quarter-hours from ``first_quarter``.

    A rule about a day looks at nothing else, so it finds the same in whatever run the day is.
    """

    first_quarter: int
    first_day: int
    end_day: int

    @classmethod
    def within(cls, first_quarter: int, end_quarter: int) -> "WholeDays":
        """The whole days of the quarter-hours [first, end)."""
        first_day = -(-first_quarter // DAY_QUARTERS)
        return cls(first_quarter, first_day, max(first_day, end_quarter // DAY_QUARTERS))

    @property
    def starts_at(self) -> NDArray[np.int64]:
        """The first instant of each day [Unix seconds]."""
        return np.arange(self.first_day, self.end_day) * DAY_S

    @property
    def quarters_at(self) -> NDArray[np.int64]:
        """The start of each quarter-hour [Unix seconds], a row a day."""
        first, end = self.first_day * DAY_QUARTERS, self.end_day * DAY_QUARTERS
        return (np.arange(first, end) * QUARTER_S).reshape(-1, DAY_QUARTERS)

    def rows(self, column: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """A column of the run, a row a day."""
        start = self.first_day * DAY_QUARTERS - self.first_quarter
        length = (self.end_day - self.first_day) * DAY_QUARTERS
        return column[start : start + length].reshape(-1, DAY_QUARTERS)

    def read(self, quality: Qualities) -> NDArray[np.bool_]:
        """Tell for each day whether all its quarter-hours rest on readings, none on an estimate."""
        rested: NDArray[np.bool_] = np.all(self.rows(quality) > Quality.ESTIMATED, axis=1)
        return rested

    def finding(
        self,
        rule: FindingRule,
        meter: int,
        register: str,
        position: int,
        evidence: Mapping[str, int],
    ) -> Finding:
        """Make a finding about the day at a position."""
        start_at = (self.first_day + position) * DAY_S
        return Finding(rule, meter, register, start_at, start_at + DAY_S, evidence)
