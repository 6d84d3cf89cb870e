"""The 15-minute shapes behind the demo, laid on any calendar.

The shapes are SimBench profiles of 2016 (see the notice beside the data file): average power per
quarter-hour as a part of the rated power. What people do is stored by wall clock and follows the
weekday and the season; what sun and weather do is stored in standard time (UTC+1) and follows the
date alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.zones import utc_offsets

DAYS, SLOTS = 366, 96
SCALE = 50_000
"""What stands for the rated power in the data file."""
WALL_TIME = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L", "G0-A", "HLS_A_11.0")
STANDARD_TIME = ("Soil_Alternative_1", "PV3", "PV4")
PROFILES_FILE = Path(__file__).parent / "data" / "simbench_2016_15min.npz"

_STANDARD_OFFSET_S = 3600
_FRIDAY = 4  # 2016-01-01; Monday is 0, and 1970-01-01 was a Thursday
_THURSDAY = 3
# Days of 2016 before each month.
_MONTH_STARTS = np.cumsum([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30])


@lru_cache(maxsize=1)
def load_profiles() -> Mapping[str, NDArray[np.uint16]]:
    """Return per profile its 366 x 96 values [parts of SCALE of the rated power]."""
    with np.load(PROFILES_FILE, allow_pickle=False) as stored:
        return {name: stored[name] for name in (*WALL_TIME, *STANDARD_TIME)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The quarter-hours [start, end) on the clocks of a zone, as columns.

    ``day_of_2016`` counts the days of the leap year 2016 from 0, by the same month and day;
    ``slot`` is the quarter-hour of the day. Both exist by wall clock and in standard time (UTC+1).
    """

    year: NDArray[np.int64]
    month: NDArray[np.int64]
    weekday: NDArray[np.int64]
    day_of_2016: NDArray[np.int64]
    slot: NDArray[np.int64]
    standard_year: NDArray[np.int64]
    standard_day_of_2016: NDArray[np.int64]
    standard_slot: NDArray[np.int64]

    @classmethod
    def of(cls, zone: str, start: int, end: int) -> "Calendar":
        """Return the calendar of the quarter-hours [start, end) in an IANA zone."""
        starts_at = np.arange(start, end, dtype=np.int64) * QUARTER_S
        wall_s = starts_at + utc_offsets(zone, starts_at)
        standard_s = starts_at + _STANDARD_OFFSET_S
        year, month, day_of_2016 = _dates(wall_s // DAY_S)
        standard_year, _, standard_day = _dates(standard_s // DAY_S)
        return cls(
            year=year,
            month=month,
            weekday=(wall_s // DAY_S + _THURSDAY) % 7,
            day_of_2016=day_of_2016,
            slot=wall_s % DAY_S // QUARTER_S,
            standard_year=standard_year,
            standard_day_of_2016=standard_day,
            standard_slot=standard_s % DAY_S // QUARTER_S,
        )

    def habits(self, profile: str, weeks_later: int = 0) -> NDArray[np.int64]:
        """Return a profile of people [parts of SCALE], taken from the nearest like weekday of 2016.

        ``weeks_later`` takes another week of the season, so that no two homes live alike.
        """
        like_weekday = (self.weekday - (_FRIDAY + self.day_of_2016) + 3) % 7 - 3
        days = (self.day_of_2016 + like_weekday + 7 * weeks_later) % DAYS
        parts: NDArray[np.int64] = load_profiles()[profile].astype(np.int64)[days, self.slot]
        return parts

    def weather(self, profile: str) -> NDArray[np.int64]:
        """Return a profile of sun or cold [parts of SCALE] by date, some days off in each year."""
        days = (self.standard_day_of_2016 + self.standard_year * 5 % 13 - 6) % DAYS
        shape = load_profiles()[profile].astype(np.int64)
        parts: NDArray[np.int64] = shape[days, self.standard_slot]
        return parts


def _dates(
    days: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return year, month (1..12) and the day of 2016 of days counted from 1970-01-01."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12
    day_of_month = (dates - months.astype("datetime64[D]")).astype(np.int64)
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    return year, month + 1, _MONTH_STARTS[month] + day_of_month
