"""What a right answer holds, so that a wrong one is never timed."""

import json
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.servers.raw_http import Answer
from benchmarks.site.building import QUARTER_S, QUARTERS_A_DAY, ZONE, Building, Column
from benchmarks.site.plan import Plan

METER = 0
"""The apartment of the building that is asked for."""


class WrongAnswer(Exception):
    """A server answered with other numbers than its readings say."""


class Checker:
    """Compares answers about a building with what it is made of: all rows, values within 1 Wh."""

    def __init__(self, building: Building, plan: Plan) -> None:
        self._building = building
        self._plan = plan

    def __call__(self, subject: str, figure: str, answer: Answer) -> None:
        """Raise WrongAnswer if the answer of `subject` for `figure` differs."""
        kind = figure.removesuffix(" gzip")
        if subject == "F" or kind not in CHECKED:
            return
        start, end = self._plan.day if kind == "day" else self._plan.year
        rows = json.loads(answer.text())
        if kind == "site year":
            self._compare_site(subject, rows, self._building.span(start, end))
            return
        span = self._building.span(start, end)
        total = self._building.totals[METER, span]
        own = self._building.shares[METER, span]
        if kind in ("days", "months"):
            starts = self._bucket_starts(start, end, kind)
            total, own = np.add.reduceat(total, starts), np.add.reduceat(own, starts)
        for name, wanted in (("total", total), ("self", own), ("ext", total - own)):
            compare(f"{subject}, {figure}, {name}", [row[name] for row in rows], wanted)

    def _bucket_starts(self, start: int, end: int, kind: str) -> Column:
        unit = "D" if kind == "days" else "M"
        instants = np.arange(start, end, QUARTER_S, dtype=np.int64)
        names = _local_dates(instants).astype(f"datetime64[{unit}]")
        return np.flatnonzero(np.r_[True, names[1:] != names[:-1]])

    def _compare_site(self, subject: str, rows: list[dict[str, float]], span: slice) -> None:
        building = self._building
        consumption = building.totals[:, span].sum(axis=0)
        columns = {
            "conso_total": consumption,
            "from_ext": building.grid_import[span],
            "to_ext": building.grid_export[span],
            "self": consumption - building.grid_import[span],
        }
        for name, wanted in columns.items():
            compare(f"{subject}, site, {name}", [row[name] for row in rows], wanted)
        if sum(key.startswith("self_") for key in rows[0]) != len(building.totals):
            raise WrongAnswer(f"{subject}, site: not every consumer has its columns: {rows[0]}")


CHECKED = ("year", "day", "days", "months", "site year")


def check_first_read(subject: str, building: Building, first: int, answer: Answer) -> None:
    """A day of the asked apartment from position `first` on; WrongAnswer if rows or sum differ."""
    kwh = [row["total"] for row in json.loads(answer.text())]
    wanted = building.totals[METER, first : first + QUARTERS_A_DAY]
    compare(f"{subject}, first read", kwh, wanted)


def _local_dates(instants: Column) -> NDArray[np.datetime64]:
    offsets = [datetime.fromtimestamp(t, ZONE).utcoffset() for t in instants[::4].tolist()]
    seconds = np.repeat([int(offset.total_seconds()) for offset in offsets if offset], 4)
    local: NDArray[np.datetime64] = (instants + seconds[: instants.size]).astype("datetime64[s]")
    return local


def compare(what: str, kwh: list[float], wanted_wh: Column) -> None:
    """Raise WrongAnswer unless there are as many values, each within 1 Wh."""
    if len(kwh) != wanted_wh.size:
        raise WrongAnswer(f"{what}: {len(kwh)} rows instead of {wanted_wh.size}")
    wh = np.rint(np.array(kwh) * 1000).astype(np.int64)
    differing = np.flatnonzero(np.abs(wh - wanted_wh) > 1)
    if differing.size:
        at = int(differing[0])
        raise WrongAnswer(
            f"{what}: {differing.size} of {wh.size} values differ,"
            f" first in row {at}: {wh[at]} Wh instead of {wanted_wh[at]} Wh"
        )
