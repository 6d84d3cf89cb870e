"""Settling without store and servers, as ratios to the bare arithmetic on the same arrays."""

import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.report import PER_BARE, VALUE, Bound, Line
from benchmarks.site.plan import Plan
from benchmarks.site.remembered import RememberedSnapshot
from benchmarks.site.settled_site import Column, Sent, SettledSite
from commonwatt.app.ports import Snapshot
from commonwatt.app.settling.load import judge_meters
from commonwatt.app.settling.settle_site import settle_days
from commonwatt.domain.allocation import KEYS, SharingTerms, share_out
from commonwatt.domain.metering.catalogue import Group, Mode, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, QUARTER_S
from commonwatt.domain.plausibility.findings import plausibility_findings
from commonwatt.domain.settlement import group_energies

_ZONE = "Europe/Zurich"
_FIRST_DAY = 16_801
_MONTH_DAYS = 31
_CONSUMERS = 98
_YEAR_QUARTERS = 35_040
_QUARTERS_A_SECOND = 5_000_000

Times = Sequence[float]


def readings(random: np.random.Generator, first_day: int, days: int) -> Sent:
    """A reading every quarter-hour, up to 20 s beside it, of a register that rises."""
    stamps = np.arange(first_day * DAY_QUARTERS, (first_day + days) * DAY_QUARTERS + 1) * QUARTER_S
    rises = random.integers(0, 300_000, len(stamps))
    values = np.cumsum(rises) + 1_000_000_000
    return Sent(stamps=stamps + random.integers(-20, 21, len(stamps)), values=values)


@contextmanager
def filled_site(modes: list[Mode], first_day: int, days: int) -> Iterator[SettledSite]:
    """A site whose meters were read on the days given; nothing is settled."""
    random = np.random.default_rng(days)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        SettledSite(Path(folder), modes, _ZONE, balance=True) as site,
    ):
        for position in range(len(modes)):
            site.send(position, readings(random, first_day, days))
        yield site


def bare_settling(plan: Plan) -> list[Line]:
    """All lines of this module."""
    return [*site_month(plan), allocation(plan), *late_reading(plan), *memory(plan)]


def site_month(plan: Plan) -> list[Line]:
    """A month of 100 meters: judged, interpolated, balanced and shared, the store excluded."""
    modes = [Mode.INTRODUCTION, Mode.PRODUCTION, *[Mode.CONSUMPTION] * _CONSUMERS]
    end_day = _FIRST_DAY + _MONTH_DAYS
    random = np.random.default_rng(1)
    sent = [readings(random, _FIRST_DAY - 1, _MONTH_DAYS + 2) for _ in modes]
    boundaries = np.arange(_FIRST_DAY * DAY_QUARTERS, end_day * DAY_QUARTERS + 1) * QUARTER_S
    with (
        filled_site(modes, _FIRST_DAY - 1, _MONTH_DAYS + 2) as site,
        site.store.snapshot() as snapshot,
    ):
        ready = cast("Snapshot", RememberedSnapshot(snapshot))

        def settle() -> None:
            settle_days(ready, site.catalogue, Group.ELECTRICITY, _FIRST_DAY, end_day)

        def interpolate() -> None:
            for each in sent:
                np.interp(boundaries, each.stamps, each.values)

        def in_whole_numbers() -> None:
            for each in sent:
                _interpolated(each, boundaries)

        doubt = _doubting(ready, site.catalogue, _FIRST_DAY, end_day)
        taken = times(plan.rounds, settle, interpolate, in_whole_numbers, doubt)
    return _month_lines(len(modes) * _MONTH_DAYS * DAY_QUARTERS, *taken)


def _doubting(
    ready: Snapshot, catalogue: SiteCatalogue, first_day: int, end_day: int
) -> Callable[[], None]:
    """The rules on what is hardly true, ready to be run again over settled days."""
    meters = catalogue.meters_of(Group.ELECTRICITY)
    bounds = first_day * DAY_QUARTERS, end_day * DAY_QUARTERS
    judged = judge_meters(ready.readings, catalogue, meters, first_day, end_day)
    energies, _ = group_energies(catalogue, Group.ELECTRICITY, judged, *bounds)
    balances = settle_days(ready, catalogue, Group.ELECTRICITY, first_day, end_day).balances

    def doubt() -> None:
        plausibility_findings(catalogue, Group.ELECTRICITY, judged, energies, balances, *bounds)

    return doubt


def _month_lines(
    quarters: int, ours: Times, bare: Times, whole: Times, doubting: Times
) -> list[Line]:
    speed = quarters / statistics.median(ours)
    return [
        Line(
            figure="a site-month of 100 meters settled, against numpy.interp",
            unit="quarter-hours/s",
            values={"commonwatt": speed, "bare": quarters / statistics.median(bare)},
            ratios={PER_BARE: ratio(ours, bare)},
            goal=(Bound(VALUE, at_least=_QUARTERS_A_SECOND), Bound(PER_BARE, at_most=10)),
        ),
        Line(
            figure="the same, against interpolation in whole numbers",
            unit="quarter-hours/s",
            values={"commonwatt": speed, "bare": quarters / statistics.median(whole)},
            ratios={PER_BARE: ratio(ours, whole)},
            goal=(Bound(PER_BARE, at_most=10),),
        ),
        Line(
            figure="the part of it that judges plausibility",
            unit="%",
            values={"commonwatt": 100 * ratio(doubting, ours)},
            goal=(Bound(VALUE, at_most=15),),
        ),
    ]


def _interpolated(sent: Sent, boundaries: Column) -> Column:
    """The least that an exact interpolation needs: search, difference, product and quotient."""
    left = np.searchsorted(sent.stamps, boundaries, side="right") - 1
    rise, gap = np.diff(sent.values), np.diff(sent.stamps)
    index: Column = sent.values[left] + rise[left] * (boundaries - sent.stamps[left]) // gap[left]
    return index


def allocation(plan: Plan) -> Line:
    """A year of 100 consumers shared pro rata, against one multiplication, floor and difference."""
    random = np.random.default_rng(2)
    weights = random.integers(0, 500, (100, _YEAR_QUARTERS))
    pool = weights.sum(axis=0) // 3
    running, part = np.cumsum(weights, axis=0).astype(np.float64), np.full(_YEAR_QUARTERS, 1 / 3)

    def share() -> None:
        share_out(KEYS["pro_rata"], SharingTerms.alike(pool, weights, 0))

    def bare() -> None:
        np.diff(np.floor(running * part), axis=0)

    taken, yardstick = times(plan.rounds, share, bare)
    return Line(
        figure="a site-year of 100 consumers shared",
        unit="ms",
        values={
            "commonwatt": statistics.median(taken) * 1_000,
            "bare": statistics.median(yardstick) * 1_000,
        },
        ratios={PER_BARE: ratio(taken, yardstick)},
        goal=(Bound(PER_BARE, at_most=15),),
    )


def late_reading(plan: Plan) -> list[Line]:
    """A late reading delivered and settled, the store included, a meter of the site."""
    small, large = (
        _late_reading(plan, meters, days) / meters
        for meters, days in ((10, 30), (plan.late_meters, plan.late_days))
    )
    return [
        Line(
            figure=f"a late reading of {plan.late_meters} meters with {plan.late_days} days, "
            "against 10 with 30, a meter",
            unit="ms",
            values={"commonwatt": large * 1_000, "bare": small * 1_000},
            ratios={PER_BARE: large / small},
            goal=(Bound(PER_BARE, at_most=3),),
        )
    ]


def _late_reading(plan: Plan, meters: int, days: int) -> float:
    modes = [Mode.INTRODUCTION, *[Mode.CONSUMPTION] * (meters - 1)]
    with filled_site(modes, _FIRST_DAY - days, days) as site:
        site.settle()
        taken = []
        for number in range(3 * plan.rounds):
            day = _FIRST_DAY - 5 - number % (days // 2)
            at = day * DAY_QUARTERS * QUARTER_S + 450 + number
            before = site.series(1, day * DAY_QUARTERS - 96, day * DAY_QUARTERS)
            assert before.total.any(), "there is energy on every day"
            late = Sent(stamps=np.array([at]), values=np.array([_value_at(site, at)]))
            began = time.perf_counter()
            site.send(1, late)
            site.settle()
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)


def _value_at(site: SettledSite, at: int) -> int:
    """An index between those around an instant, so that the late reading fits [mWh]."""
    day = at // 86_400
    with site.store.snapshot() as snapshot:
        stored = snapshot.readings.readings(site.number, [2], day - 1, day + 1)[2]
    order = np.argsort(stored.stamps, kind="stable")
    (values,) = stored.values.values()
    return int(values[order][np.searchsorted(stored.stamps[order], at)])


def memory(plan: Plan) -> list[Line]:
    """The highest memory of settling a day, by the length of the history behind it."""
    peaks = [_peak_mib(days) for days in plan.history_days]
    return [
        Line(
            figure=f"memory of settling a day of 5 meters with {days} days of history",
            unit="MiB",
            values={"commonwatt": peak, "bare": peaks[0]},
            ratios={PER_BARE: peak / peaks[0]},
            goal=(Bound(PER_BARE, at_most=1.1),),
        )
        for days, peak in zip(plan.history_days[1:], peaks[1:], strict=True)
    ]


def _peak_mib(days: int) -> float:
    with filled_site([Mode.CONSUMPTION] * 5, _FIRST_DAY - days, days) as site:
        day = _FIRST_DAY - 2
        with site.store.snapshot() as snapshot:
            settle_days(snapshot, site.catalogue, Group.ELECTRICITY, day, day + 1)
            tracemalloc.start()
            settle_days(snapshot, site.catalogue, Group.ELECTRICITY, day, day + 1)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    return peak / 2**20


def times(rounds: int, *works: Callable[[], None]) -> list[Times]:
    """The times of each work [s of a processor], taking turns; each runs once untimed.

    Of the processor, not of the clock: other programs that wait for the same one do not count.
    """
    taken: list[list[float]] = [[] for _ in works]
    for number in range(3 * rounds + 1):
        for work, mine in zip(works, taken, strict=True):
            began = time.process_time()
            work()
            if number:
                mine.append(time.process_time() - began)
    return list(taken)


def ratio(taken: Times, yardstick: Times) -> float:
    """How many times the time of a yardstick: the median of the rounds."""
    return statistics.median(a / b for a, b in zip(taken, yardstick, strict=True))
