"""Sums of quarter-hours by the hours, days, months and years of a zone's own calendar.

A bucket is worked out from the zone's offset changes and calendar boundaries, a few hundred a year,
never from a label of each quarter-hour. A quarter-hour belongs to the bucket in which it begins.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.zones import first_instants, offset_changes, utc_offsets

_HOUR_S = 3600
# A bucket that began a year ago, and a margin for offsets.
_LONGEST_BUCKET_S = 368 * DAY_S


class Sampling(StrEnum):
    """The length of the periods of an answer; the values are those of the Climkit API."""

    QUARTER_HOUR = "15T"
    HOUR = "H"
    DAY = "D"
    MONTH = "M"
    YEAR = "Y"


@dataclass(frozen=True, slots=True)
class Merging:
    """How runs of quarter-hours make periods, where a period is more than one run.

    `run_order` sorts the runs by period; `period_edges` are the positions in that order at which a
    period begins.
    """

    run_order: NDArray[np.int64]
    period_edges: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Which quarter-hours of an array belong to which local period; none of the k is empty.

    `starts_at`: int64[k], ascending; the first instant of each period that exists, whether or not
    its first quarter-hours are among those given. `run_edges`: positions of the first quarter-hour
    of each run (None: each quarter-hour is a run of its own). `merging`: None where each run is a
    period; a period has several where the offset changes in it, and they need not be neighbours
    (the clock may go back over midnight, as in Newfoundland until 2011).
    """

    starts_at: NDArray[np.int64]
    run_edges: NDArray[np.int64] | None
    merging: Merging | None

    def sum(self, values: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the sum of each period, exact; one value a quarter-hour goes in."""
        if self.run_edges is None:
            return values.astype(np.int64, copy=False)
        runs: NDArray[np.int64] = np.add.reduceat(values, self.run_edges, dtype=np.int64)
        if self.merging is None:
            return runs
        return np.add.reduceat(runs[self.merging.run_order], self.merging.period_edges)

    def min(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the least of each period: of qualities, the worst."""
        if self.run_edges is None:
            return values.copy()
        runs: NDArray[np.uint8] = np.minimum.reduceat(values, self.run_edges)
        if self.merging is None:
            return runs
        return np.minimum.reduceat(runs[self.merging.run_order], self.merging.period_edges)

    def any(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of each period whether one of its quarter-hours has the flag."""
        none_has_it: NDArray[np.uint8] = self.min((~flags).view(np.uint8))
        return np.equal(none_has_it, 0)


def buckets(quarters: NDArray[np.int64], zone: str, sampling: Sampling) -> Buckets:
    """Return the local periods of quarter-hours, which ascend and may have gaps.

    Hours break at each full hour of the zone's clock and at each change of its offset, so an hour
    that happens twice makes two. Days, months and years are those of its calendar.

    Raises UnknownTimezone and InstantOutOfRange.

    >>> first = 1_792_879_200 // 900  # Zurich, 2026-10-25 00:00+02:00: the clock goes back
    >>> day = buckets(np.arange(first, first + 100), "Europe/Zurich", Sampling.DAY)
    >>> day.starts_at.tolist(), day.sum(np.ones(100, np.int32)).tolist()
    ([1792879200], [100])
    >>> buckets(np.arange(first, first + 100), "Europe/Zurich", Sampling.HOUR).starts_at.size
    25
    """
    if not quarters.size or sampling is Sampling.QUARTER_HOUR:
        return Buckets(quarters * QUARTER_S, run_edges=None, merging=None)
    walls_s, runs_at = _runs(quarters, zone, sampling)
    run_edges, kept = _occupied(quarters, runs_at)
    walls_s, runs_at = walls_s[kept], runs_at[kept]
    if sampling is Sampling.HOUR:
        return Buckets(runs_at, run_edges, merging=None)
    merging = _merging(walls_s)
    if merging is not None:
        walls_s = walls_s[merging.run_order][merging.period_edges]
    starts_at = first_instants(
        zone,
        walls_s,
        int(quarters[0]) * QUARTER_S - _LONGEST_BUCKET_S,
        int(quarters[-1]) * QUARTER_S,
    )
    return Buckets(starts_at, run_edges, merging)


def period_ends(starts_at: NDArray[np.int64], zone: str, sampling: Sampling) -> NDArray[np.int64]:
    """Return where the periods that begin at ascending instants end: where the next one begins.

    Raises UnknownTimezone and InstantOutOfRange.

    >>> starts_at = np.array([1_792_879_200])  # Zurich, 2026-10-25 00:00+02:00
    >>> period_ends(starts_at, "Europe/Zurich", Sampling.DAY) - starts_at
    array([90000])
    """
    if not starts_at.size or sampling is Sampling.QUARTER_HOUR:
        return starts_at + QUARTER_S
    first_at, last_at = int(starts_at[0]), int(starts_at[-1]) + _LONGEST_BUCKET_S
    walls_s = starts_at + utc_offsets(zone, starts_at)
    if sampling is Sampling.HOUR:
        changes_at = offset_changes(zone, first_at, last_at).starts_at
        following = np.append(changes_at, np.iinfo(np.int64).max)
        next_change_at = following[np.searchsorted(changes_at, starts_at, side="right")]
        ends_at: NDArray[np.int64] = np.minimum(
            starts_at + _HOUR_S - walls_s % _HOUR_S, next_change_at
        )
        return ends_at
    unit = {Sampling.DAY: "D", Sampling.MONTH: "M", Sampling.YEAR: "Y"}[sampling]
    next_periods = walls_s.astype("datetime64[s]").astype(f"datetime64[{unit}]") + 1
    next_walls_s = next_periods.astype("datetime64[s]").astype(np.int64)
    return first_instants(zone, next_walls_s, first_at, last_at)


def _merging(walls_s: NDArray[np.int64]) -> Merging | None:
    if bool(np.all(walls_s[1:] > walls_s[:-1])):
        return None
    run_order = np.argsort(walls_s, kind="stable")
    walls_s = walls_s[run_order]
    return Merging(run_order, np.flatnonzero(np.diff(walls_s, prepend=walls_s[0] - 1)))


def _runs(
    quarters: NDArray[np.int64], zone: str, sampling: Sampling
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spans in which neither period nor offset changes, in order of time.

    Of each: the wall time at which its period begins (which tells periods apart), and its first
    instant. They cover all quarters; some may have none.
    """
    first_at = int(quarters[0]) * QUARTER_S
    last_at = int(quarters[-1]) * QUARTER_S
    changes = offset_changes(zone, first_at - _HOUR_S, last_at)
    ends_at = [*changes.starts_at[1:].tolist(), last_at + 1]
    walls_s = []
    runs_at = []
    for start_at, end_at, offset in zip(
        changes.starts_at.tolist(), ends_at, changes.utc_offsets.tolist(), strict=True
    ):
        # One hour earlier, so that the hour in which the first quarter-hour lies begins in it.
        from_at = max(start_at, first_at - _HOUR_S)
        until_at = min(end_at, last_at + 1)
        if from_at >= until_at:
            continue
        boundaries = _wall_boundaries(sampling, from_at + offset, until_at - 1 + offset)
        walls_s.append(boundaries)
        runs_at.append(np.maximum(boundaries - offset, from_at))
    return np.concatenate(walls_s), np.concatenate(runs_at)


def _wall_boundaries(sampling: Sampling, first_s: int, last_s: int) -> NDArray[np.int64]:
    """Return the wall times at which the periods of [first_s, last_s] begin, the first included."""
    if sampling is Sampling.HOUR:
        return np.arange(first_s // _HOUR_S * _HOUR_S, last_s + 1, _HOUR_S)
    if sampling is Sampling.DAY:
        return np.arange(first_s // DAY_S * DAY_S, last_s + 1, DAY_S)
    unit = "datetime64[M]" if sampling is Sampling.MONTH else "datetime64[Y]"
    first, last = np.array([first_s, last_s], "datetime64[s]").astype(unit)
    periods = np.arange(first, last + 1)
    return periods.astype("datetime64[s]").astype(np.int64)


def _occupied(
    quarters: NDArray[np.int64], runs_at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the position of each run's first quarter-hour, and which runs have any."""
    first_quarters = -(-runs_at // QUARTER_S)
    if int(quarters[-1]) - int(quarters[0]) == quarters.size - 1:
        edges = np.clip(first_quarters - quarters[0], 0, quarters.size)
    else:
        edges = np.searchsorted(quarters, first_quarters)
    kept = np.diff(edges, append=quarters.size) > 0
    return edges[kept], kept
