"""Stored results as far as they are as old as an instant of the past, and what was locked then."""

from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import DayState, Known, Snapshot
from commonwatt.domain.metering.catalogue import Group, Medium, SiteCatalogue
from commonwatt.domain.metering.load_profile import LoadProfile, Qualities, SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, QUARTER_S

Column = NDArray[np.int64] | NDArray[np.uint8]
Flags = NDArray[np.bool_]

_FIRST_DAY, _END_DAY = -(2**31), 2**31 - 1


class LocksAsOf:
    """What was locked at an instant and has stayed so."""

    def __init__(self, snapshot: Snapshot, at_us: int) -> None:
        self._locks = snapshot.locks
        self._at_us = at_us

    def locked_until(self, site: int, group: Group) -> int | None:
        """The instant [Unix seconds] before which a group was locked and still is."""
        locked = [
            step.until_at
            for step in self._locks.steps(site)
            if step.group is group and step.locked_us <= self._at_us
        ]
        return max(locked, default=None)


class ResultsAsOf:
    """Stored results where they are as old as an instant; the days to settle again are dirty."""

    def __init__(
        self, snapshot: Snapshot, catalogue: SiteCatalogue, known: Known, locks: LocksAsOf
    ) -> None:
        self._snapshot = snapshot
        self._known = known
        self._locks = locks
        self._groups = {meter.number: meter.medium.group for meter in catalogue.meters}

    def dirty_days(
        self, site: int, group: Group, first_day: int | None = None, end_day: int | None = None
    ) -> list[int]:
        """The days of [first, end) whose stored result is not what was known then."""
        states = self._snapshot.results.day_states(
            site,
            group,
            _FIRST_DAY if first_day is None else first_day,
            _END_DAY if end_day is None else end_day,
        )
        return [each.day for each in states if self._is_there(each) and not self._is_old(each)]

    def _is_there(self, state: DayState) -> bool:
        """Whether the day had results then."""
        return state.since_generation <= self._known.concerned_until

    def _is_old(self, state: DayState) -> bool:
        """Whether what is stored of the day is what was known then."""
        if state.generation is None or state.generation > self._known.generation:
            return False
        return state.dirty_since is None or state.dirty_since > self._known.concerned_until

    def report_damaged(self, site: int, group: Group, days: Collection[int]) -> None:
        """Report damaged days to the results themselves."""
        self._snapshot.results.report_damaged(site, group, days)

    def profile(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> LoadProfile:
        """The quarter-hours of the days [first, end) that need no settling."""
        return replace(self._profile(site, meter, first_day, end_day, apart_from), method=None)

    def methods(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> Qualities:
        """Their methods."""
        methods = self._profile(site, meter, first_day, end_day, apart_from).method
        assert methods is not None, "they were read on both sides"
        return methods

    def _profile(
        self, site: int, meter: int, first_day: int, end_day: int, apart_from: Collection[int]
    ) -> LoadProfile:
        window = first_day, end_day
        results, locks = self._snapshot.results, self._snapshot.locks
        answered = replace(
            results.profile(site, meter, *window, apart_from),
            method=results.methods(site, meter, *window, apart_from),
        )
        current = locks.open_profile(site, meter, *window, apart_from)
        return LoadProfile(
            meter=meter, **self._then(site, self._groups[meter], *window, answered, current)
        )

    def balance(
        self,
        site: int,
        medium: Medium,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> SiteBalance:
        """The balance of the days [first, end) that need no settling."""
        window = first_day, end_day
        answered = self._snapshot.results.balance(site, medium, *window, apart_from)
        current = self._snapshot.locks.open_balance(site, medium, *window, apart_from)
        return SiteBalance(**self._then(site, medium.group, *window, answered, current))

    def _then(
        self,
        site: int,
        group: Group,
        first_day: int,
        end_day: int,
        answered: LoadProfile | SiteBalance,
        current: LoadProfile | SiteBalance,
    ) -> dict[str, Any]:
        """Columns: what was locked as it is answered, the rest as it is without a lock.

        Zero on days that had no results then.
        """
        quarters = np.arange(first_day * DAY_QUARTERS, end_day * DAY_QUARTERS)
        locked_until_at = self._locks.locked_until(site, group)
        locked = np.zeros(len(quarters), np.bool_)
        if locked_until_at is not None:
            locked = quarters < locked_until_at // QUARTER_S
        states = self._snapshot.results.day_states(site, group, first_day, end_day)
        there = np.isin(
            quarters // DAY_QUARTERS, [each.day for each in states if self._is_there(each)]
        )
        return {
            name: _joined(getattr(answered, name), locked, getattr(current, name), there)
            for name in (field.name for field in fields(answered))
            if name != "meter"
        }


def _joined(
    answered: Column | None, locked: Flags, current: Column | None, there: Flags
) -> Column | None:
    """One column where it is locked, the other elsewhere where the day had results; 0 else."""
    present = [each for each in (answered, current) if each is not None]
    if not present:
        return None
    zeros = np.zeros_like(present[0])
    before, now = (zeros if each is None else each for each in (answered, current))
    return np.where(locked, before, np.where(there, now, zeros))
