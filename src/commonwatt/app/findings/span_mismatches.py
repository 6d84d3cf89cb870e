"""Interval meters against a register that is read seldom, worked out where findings are read.

A span can be 400 days long, and its finding rests on all quarter-hours of it. Kept with the results
of one day, every change of an interval would have to mark the day of a later reading.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import dirty_settlements, laid_over, series_of
from commonwatt.app.settling.damaged import whole_results
from commonwatt.app.settling.load import meter_histories
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS
from commonwatt.domain.metering.catalogue import Group, Meter, SiteCatalogue
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, day_spans
from commonwatt.domain.plausibility.days.register_check import register_meter_of
from commonwatt.domain.plausibility.days.register_spans import (
    RegisterRise,
    mismatch_over,
    register_rises,
)
from commonwatt.domain.settlement import Settlement

_FIRST_DAY = -(2**31)


def span_mismatches(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    first_day: int,
    end_day: int,
    settlements: Sequence[Settlement],
) -> list[Finding]:
    """Return the mismatches of the spans that end on the days [first, end), or as ``end`` begins.

    By what is known now, whatever is locked. ``settlements`` are of the dirty days among them.
    """
    found: list[Finding] = []
    for meter in catalogue.meters_of(group):
        for rise in _rises(snapshot, catalogue, meter, first_day, end_day, settlements):
            mismatch = _compared(snapshot, catalogue, meter, rise)
            if mismatch is not None:
                found.append(mismatch)
    return found


def _rises(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    first_day: int,
    end_day: int,
    settlements: Sequence[Settlement],
) -> Iterator[RegisterRise]:
    """Yield the rises that a meter is checked by; only the ends of gaps are looked at."""
    named = register_meter_of(catalogue, meter)
    if named is None:
        return
    site = catalogue.site.number
    # A gap that ends as a day begins has no part in that day.
    gaps = [*snapshot.results.estimated_spans(site, max(first_day - 1, _FIRST_DAY), end_day)]
    gaps += [gap for settlement in settlements for gap in settlement.estimated]
    ends = {
        day
        for gap in gaps
        if gap.meter == named.number
        for day in (gap.end_day - 1, gap.end_day)
        if first_day <= day <= end_day
    }
    withdrawn = snapshot.readings.withdrawn(site)
    for first, end in day_spans(ends, LONGEST_RUN_DAYS):
        start_at, end_at = first * DAY_S, end * DAY_S - 1
        for history in meter_histories(snapshot.readings, catalogue, [named], first, end):
            judged = history.judge_around(start_at, end_at, 1, withdrawn)
            yield from register_rises(meter, named, judged, start_at, end_at)


def _compared(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, rise: RegisterRise
) -> Finding | None:
    """Compare a rise with the intervals as they would be answered without a lock."""
    first, end = rise.quarters
    days = first // DAY_QUARTERS, -(-end // DAY_QUARTERS)
    site, locks, group = catalogue.site.number, snapshot.locks, meter.medium.group
    profile, repaired = whole_results(
        *(snapshot, catalogue, group),
        lambda apart_from: locks.open_profile(site, meter.number, *days, apart_from),
        open_too=True,
    )
    profile = replace(profile, method=None)
    fresh = dirty_settlements(snapshot, catalogue, group, *days)
    for settlement in (*repaired, *fresh):
        profile = laid_over(profile, settlement, days[0])
    series = series_of(profile, meter, days[0], first, end)
    return mismatch_over(meter, rise, series.total, series.quality_total)
