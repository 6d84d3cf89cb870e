"""Which days a change of readings touches.

A reading's verdict can change that of `SIGHT` readings to each side, and these move the energy up
to the nearest accepted reading beyond. Days are marked from there to there, as it was before the
change and as it is after it. What makes a register or a meter part of the site, or no longer,
touches all its days.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.ports import RegisterSpan, Snapshot
from commonwatt.domain.catalogue import Group, Meter, Register, SiteCatalogue
from commonwatt.domain.quarter_hours import DAY_S, day_of
from commonwatt.domain.readings import StoredReadings
from commonwatt.domain.vee.history import usable
from commonwatt.domain.vee.physical_meter import Judged
from commonwatt.domain.vee.verdicts import SIGHT

BEYOND = SIGHT + 1
"""Accepted readings to each side of a change that it may reach."""
EVERYTHING = (-(2**31), 2**31)
"""Stands for all days of the group."""
_BEFORE_DATA_DAYS = 401
"""Days between an installation and the first data that are settled as missing."""


def touched_days(
    history: MeterHistory,
    touched: StoredReadings,
    added: StoredReadings | None,
    spans_after: Mapping[str, RegisterSpan],
    withdrawn_before: frozenset[int],
    withdrawn_after: frozenset[int],
) -> tuple[int, int]:
    """Return the days [first, end) that a change of ``touched`` readings marks, or EVERYTHING.

    ``added`` are the readings that the change adds, ``spans_after`` the spans as it leaves them.
    What can never be used, as a stamp in the year 9999, marks its own days alone.
    """
    said_on = int(touched.stamps.min()) // DAY_S, int(touched.stamps.max()) // DAY_S + 1
    reaches = usable(touched)
    if not reaches.all():
        reaches |= history.says_otherwise(touched)
    reaching = touched.stamps[reaches]
    if not len(reaching):
        return said_on
    start_at, end_at = int(reaching.min()), int(reaching.max())
    for name, span in spans_after.items():
        before = history.spans.get(name)
        positive = {span.first_positive_at, before.first_positive_at if before else None}
        if len(positive) == 2:
            # Zeros between the old and the new first positive index change their verdict.
            last_at = (max(span.last_day, before.last_day if before else 0) + 1) * DAY_S - 1
            start_at = min([start_at, *(at for at in positive if at is not None)])
            end_at = max(last_at if at is None else at for at in (*positive, end_at))
    later = history.judge_around(start_at, end_at, BEYOND, withdrawn_after, added, spans_after)
    earlier = later
    if not _only_adds_in_order(history, added, later):
        earlier = history.judge_around(start_at, end_at, BEYOND, withdrawn_before)
        later = history.judge(history.joined_with(added), spans_after, withdrawn_after)
    if _parts(earlier) != _parts(later):
        return EVERYTHING
    interval_s = history.meter.interval_s or 0
    first_at = min(start_at - interval_s, *(_reach_before(j, start_at) for j in (earlier, later)))
    last_at = max(end_at, *(_reach_after(j, end_at) for j in (earlier, later)))
    # A finding about a reading at midnight is filed under the day that begins there.
    return min(day_of(first_at), said_on[0]), max(day_of(last_at) + 1, said_on[1])


def _only_adds_in_order(
    history: MeterHistory, added: StoredReadings | None, later: Mapping[Register, Judged]
) -> bool:
    """Whether all that is in sight is accepted and what was accepted before still is.

    Then what was used before is what is used now less what was added, and reaches no further.
    """
    if added is None or any(each.findings for each in later.values()):
        return False
    if not set(later) <= {Register(name) for name in history.spans} or history.meets(added):
        return False
    # Two of them may be inserted where the meter was installed and where it was removed.
    return all(len(each.accepted_stamps) > len(added.stamps) + 3 for each in later.values())


def _parts(judged: Mapping[Register, Judged]) -> set[str]:
    """The registers that an accepted reading carried."""
    return {name.value for name, each in judged.items() if len(each.accepted_stamps)}


def _reach_before(judged: Mapping[Register, Judged], start_at: int) -> int:
    reach = start_at
    for each in judged.values():
        stamps = each.accepted_stamps
        position = int(np.searchsorted(stamps, start_at)) - BEYOND
        if len(stamps):
            reach = min(reach, int(stamps[max(position, 0)]))
    return reach


def _reach_after(judged: Mapping[Register, Judged], end_at: int) -> int:
    reach = end_at
    for each in judged.values():
        stamps = each.accepted_stamps
        position = int(np.searchsorted(stamps, end_at, side="right")) + BEYOND - 1
        if len(stamps):
            reach = max(reach, int(stamps[min(position, len(stamps) - 1)]))
    return reach


def days_with_data(
    snapshot: Snapshot, meters: Sequence[Meter], site: int
) -> tuple[int, int] | None:
    """Return the days [first, end) of which results of the meters can exist; None without any."""
    spans = snapshot.readings.register_spans(site, [meter.number for meter in meters])
    days = [
        day
        for of_meter in spans.values()
        for span in of_meter.values()
        for day in (span.first_day, span.last_day)
    ]
    if not days:
        return None
    bounds = [at for m in meters for at in (m.installed_at, m.removed_at) if at is not None]
    # Declared are also dates decades away: nobody waits for that many days without data.
    earliest, latest = min(days) - _BEFORE_DATA_DAYS, max(days)
    days += [min(max(day_of(at), earliest), latest) for at in bounds]
    # An interval may begin on the day before its stamp.
    return min(days) - 1, max(days) + 1


def mark_days(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    touched: Mapping[Group, Sequence[tuple[int, int]]],
    generation: int,
) -> None:
    """Mark the touched days of each group; EVERYTHING is cut to the days that have data."""
    site = catalogue.site.number
    for group, spans in touched.items():
        bounded = [span for span in spans if span != EVERYTHING]
        if len(bounded) < len(spans):
            whole = days_with_data(snapshot, catalogue.meters_of(group), site)
            bounded += [] if whole is None else [whole]
        snapshot.results.mark_dirty(site, group, bounded, generation)
