"""Real quarter-hour shapes of a year: the SimBench profiles that the demo brings along.

Their licence is the Open Database License; the notice stands beside the data file of the demo.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.demo.simulated.profiles import SCALE, STANDARD_TIME, Calendar
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, QUARTER_S

Column = NDArray[np.int64]
ZONE = "Europe/Berlin"
FIRST_DAY, DAYS = 16_801, 365
"""2016, UTC."""
FIRST_QUARTER, END_QUARTER = FIRST_DAY * DAY_QUARTERS, (FIRST_DAY + DAYS) * DAY_QUARTERS
HOUSEHOLD, BUSINESS, CHARGING, SUN = "households", "trade, heat pump", "home charging", "PV"


@dataclass(frozen=True, slots=True)
class Shape:
    """A profile at a rated power [W], a multiple of 200 so that quarter-hours are whole mWh."""

    profile: str
    rated_w: int
    kind: str

    @property
    def produces(self) -> bool:
        """Whether its energy is exported."""
        return self.kind == SUN

    def energy(self) -> Column:
        """Energy per quarter-hour of the year [mWh]."""
        calendar = Calendar.of(ZONE, FIRST_QUARTER, END_QUARTER)
        of_weather = self.profile in STANDARD_TIME
        parts = (calendar.weather if of_weather else calendar.habits)(self.profile)
        return parts * (self.rated_w * 1_000 // 4) // SCALE


SHAPES = (
    Shape("H0-A", 1_800, HOUSEHOLD),
    Shape("H0-B", 3_400, HOUSEHOLD),
    Shape("H0-C", 2_800, HOUSEHOLD),
    Shape("H0-G", 5_000, HOUSEHOLD),
    Shape("H0-L", 3_600, HOUSEHOLD),
    Shape("G0-A", 8_000, BUSINESS),
    Shape("Soil_Alternative_1", 6_000, BUSINESS),
    Shape("HLS_A_11.0", 11_000, CHARGING),
    Shape("PV3", 10_000, SUN),
    Shape("PV4", 30_000, SUN),
)


def boundaries() -> Column:
    """The quarter-hour boundaries of the year [Unix seconds], one more than quarter-hours."""
    return np.arange(FIRST_QUARTER, END_QUARTER + 1) * QUARTER_S


def indexes(energy: Column, first: int) -> Column:
    """The register at the boundaries [mWh], from ``first`` on."""
    return first + np.concatenate((np.zeros(1, np.int64), np.cumsum(energy)))
