"""Deterministic buildings: what every system in the benchmark is filled with and checked against.

A building has apartments, one PV meter and one grid meter. All energies are int64 Wh per
quarter-hour. The apartments' shares of the sun follow the documented pro-rata rule (cumulated
quotas, rounded with a low-discrepancy offset), written here a second time, so that a wrong answer
is never timed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]

ZONE = ZoneInfo("Europe/Zurich")
QUARTER_S = 900
QUARTERS_A_DAY = 96
APARTMENTS = 18
METERS_A_BUILDING = APARTMENTS + 2


def local_midnight(year: int, month: int, day: int) -> int:
    """Unix seconds of the local midnight that starts a day."""
    return int(datetime(year, month, day, tzinfo=ZONE).timestamp())


def naive_utc(instant: int) -> str:
    """An instant as the API takes it: ISO, UTC, without zone."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Building:
    """Energies of the quarter-hours [first_quarter, first_quarter + n).

    `totals` and `shares` have a row an apartment.
    """

    first_quarter: int
    totals: Column
    shares: Column
    sun: Column
    grid_import: Column
    grid_export: Column

    @property
    def quarters(self) -> int:
        """How many quarter-hours the building has."""
        return int(self.sun.size)

    def span(self, start: int, end: int) -> slice:
        """The positions of the quarter-hours of [start, end), both in Unix seconds."""
        return slice(start // QUARTER_S - self.first_quarter, end // QUARTER_S - self.first_quarter)


def make_building(seed: int, consumers: int, first_day: int, days: int) -> Building:
    """A building over the UTC days [first_day, first_day + days), the same for the same seed."""
    random = np.random.default_rng(seed)
    first_quarter = first_day * QUARTERS_A_DAY
    quarters = np.arange(first_quarter, first_quarter + days * QUARTERS_A_DAY, dtype=np.int64)
    clock = quarters % QUARTERS_A_DAY
    evening = 70 + 45 * np.sin(2 * np.pi * (clock - 32) / QUARTERS_A_DAY)
    totals = np.rint(evening + random.gamma(2.0, 40.0, (consumers, quarters.size))).astype(np.int64)
    sun = _sun(random, quarters, peak_wh=consumers * 420)
    net = totals.sum(axis=0) - sun
    grid_import, grid_export = np.maximum(net, 0), np.maximum(-net, 0)
    shares = _pro_rata(totals, totals.sum(axis=0) - grid_import, quarters)
    return Building(first_quarter, totals, shares, sun, grid_import, grid_export)


def _sun(random: np.random.Generator, quarters: Column, peak_wh: int) -> Column:
    clock, season = quarters % QUARTERS_A_DAY, (quarters // QUARTERS_A_DAY) % 365
    height = np.clip(np.sin(np.pi * (clock - 20) / 52), 0, None)
    summer = 0.55 + 0.45 * np.sin(2 * np.pi * (season - 80) / 365)
    clouds = np.clip(random.normal(0.55, 0.3, quarters.size), 0.02, 1)
    return np.rint(peak_wh * height * summer * clouds).astype(np.int64)


def _pro_rata(totals: Column, pool: Column, quarters: Column) -> Column:
    """share_i = floor(F_i + u) - floor(F_(i-1) + u), F_i = pool x (w_1 + … + w_i) / W, exactly."""
    weight = totals.sum(axis=0)
    spread = quarters.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    offset = (spread >> np.uint64(32)).astype(np.int64)
    product = pool * totals.cumsum(axis=0)
    whole, rest = product // weight, product % weight
    carry = rest * 2**32 + offset * weight >= weight * 2**32
    shares: Column = np.diff(whole + carry, axis=0, prepend=0)
    return shares
