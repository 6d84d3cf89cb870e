"""Make the demo's profile file out of the SimBench selection (a CSV of 2016, gzipped).

    python tools/take_simbench_profiles.py PROFILES.csv.gz

Written beside its notice in src/commonwatt/demo/simulated/data. Run again only to take other
profiles.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonwatt.demo.simulated.profiles import (
    DAYS,
    PROFILES_FILE,
    SCALE,
    SLOTS,
    STANDARD_TIME,
    WALL_TIME,
)

_SUMMER_FIRST, _SUMMER_END = "27.03.2016 03:00", "30.10.2016 03:00"
_HOUR = 4


def on_wall_clock(profile: NDArray[np.float64], times: list[str]) -> NDArray[np.float64]:
    """Return 366 x 96 values by wall clock: the absent hour copied, the second of two dropped."""
    absent = times.index(_SUMMER_FIRST)
    twice = times.index(_SUMMER_END) - _HOUR
    parts = [profile[:absent], profile[absent - _HOUR : absent], profile[absent:twice]]
    return np.concatenate([*parts, profile[twice + _HOUR :]]).reshape(DAYS, SLOTS)


def in_standard_time(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 366 x 96 values by UTC+1: the rows in their order are just that."""
    return profile.reshape(DAYS, SLOTS)


def taken_over(source: Path) -> dict[str, NDArray[np.uint16]]:
    """Return the arrays of the project's file, made from the source file."""
    table = pl.read_csv(source, columns=["time", *WALL_TIME, *STANDARD_TIME])
    times = table["time"].to_list()
    grids = {name: on_wall_clock(table[name].to_numpy(), times) for name in WALL_TIME}
    grids |= {name: in_standard_time(table[name].to_numpy()) for name in STANDARD_TIME}
    return {name: np.rint(grid * SCALE).astype(np.uint16) for name, grid in grids.items()}


if __name__ == "__main__":
    # Without pickling, the file holds plain arrays and nothing that could run.
    np.savez_compressed(PROFILES_FILE, allow_pickle=False, **taken_over(Path(sys.argv[1])))
    print(f"{PROFILES_FILE}: {PROFILES_FILE.stat().st_size} bytes")
