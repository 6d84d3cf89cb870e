"""Which days a change of readings touches.

A reading can change the verdict of `SIGHT` readings to each side, where a register rolls over of
more (``reach``), and these move the energy up to the nearest accepted reading beyond. Days are
marked from there to there, as it was before the change and as it is after it. What makes a register
or a meter part of the site, or no longer, touches all its days. A gap is estimated from days up to
35 days off, so a change of these marks the days of the gap too.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import ReadingTables, RegisterSpan, Snapshot
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.plausible_days import first_used_day, implausible_before
from commonwatt.domain.energy.physical_meter import Judged
from commonwatt.domain.energy.register_gaps import NEAR_DAYS
from commonwatt.domain.energy.substitute_values import REACH_DAYS as SUBSTITUTE_REACH_DAYS
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.life import Life
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of, day_spans
from commonwatt.domain.metering.readings import StoredReadings
from commonwatt.domain.plausibility.steps.catch_up import SIGHT as SPAN_SIGHT
from commonwatt.domain.vee.declared_segments import declared_segments, later_devices
from commonwatt.domain.vee.finer_intervals import REACH as FINER_REACH
from commonwatt.domain.vee.history import usable
from commonwatt.domain.vee.plausible_days import FAR_DAYS
from commonwatt.domain.vee.verdicts import SIGHT

EVERYTHING = (-(2**31), 2**31 - 1)
"""Stands for all days of the group."""
_STEP_DAYS = 64
_BEYOND_DATA_DAYS = 401
"""Days between an installation and the first data that are settled as missing, and days after the
last data up to which an index can be declared: nothing is interpolated over more."""


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
    start_at, end_at = int(touched.stamps.min()), int(touched.stamps.max())
    said_on = start_at // DAY_S, end_at // DAY_S + 1
    reaches = usable(touched)
    if not reaches.all():
        reaches |= history.says_otherwise(touched)
    reaches &= ~_never_used(history, spans_after, touched)
    if not reaches.any():
        return said_on
    if not reaches.all():
        reaching = touched.stamps[reaches]
        start_at, end_at = int(reaching.min()), int(reaching.max())
    for name, span in spans_after.items():
        before = history.spans.get(name)
        positive = {span.first_positive_at, before.first_positive_at if before else None}
        if len(positive) == 2:
            # Zeros between the old and the new first positive index change their verdict.
            last_at = (max(span.last_day, before.last_day if before else 0) + 1) * DAY_S - 1
            start_at = min([start_at, *(at for at in positive if at is not None)])
            end_at = max(last_at if at is None else at for at in (*positive, end_at))
    for positive_at in _first_positives_moved(
        history, touched, added, (withdrawn_before, withdrawn_after)
    ):
        last_at = (max(span.last_day for span in spans_after.values()) + 1) * DAY_S - 1
        start_at, end_at = min(start_at, positive_at), max(end_at, last_at)
    later = _judged_beyond(history, start_at, end_at, withdrawn_after, added, spans_after)
    earlier = later
    if not _only_adds_in_order(history, added, later):
        earlier = _judged_beyond(history, start_at, end_at, withdrawn_before)
        later = history.judge(history.joined_with(added), spans_after, withdrawn_after, added)
    if earlier is not later and _parts(earlier) != _parts(later):
        return EVERYTHING
    interval_s = history.meter.interval_s or 0
    judged = (later,) if earlier is later else (earlier, later)
    first_at = min(start_at - interval_s, *(_reach_before(each, start_at) for each in judged))
    last_at = max(end_at, *(_reach_after(each, end_at) for each in judged))
    if interval_s:
        # What is told by its neighbours to be finer is judged anew, though it was not accepted.
        first_at, last_at = _beside(first_at, last_at, interval_s, spans_after)
    # A finding about a reading at midnight is filed under the day that begins there.
    return min(day_of(first_at), said_on[0]), max(day_of(last_at) + 1, said_on[1])


def _never_used(
    history: MeterHistory, spans_after: Mapping[str, RegisterSpan], touched: StoredReadings
) -> NDArray[np.bool_]:
    """Mark the readings outside the meter's life, or implausible before the change and after it."""
    never = Life.of(history.meter).outside(touched.stamps)
    said = [spans for spans in (history.spans, spans_after) if spans]
    implausible = [implausible_before(history.meter, spans) or 0 for spans in said]
    return never | (touched.stamps < min(implausible, default=0) * DAY_S)


def doubted_otherwise(
    tables: ReadingTables,
    site: int,
    meter: Meter,
    before: Mapping[str, RegisterSpan],
    after: Mapping[str, RegisterSpan],
) -> list[tuple[int, int]]:
    """Return the days [first, end) that change because other stamps of a meter are implausible.

    None if the same of its stored readings are; else EVERYTHING and the days whose verdict turns.
    """
    was, now = implausible_before(meter, before), implausible_before(meter, after)
    if was == now or not before:
        return []
    first = min(span.first_day for span in before.values())
    low, high = sorted(first if day is None else day for day in (was, now))
    turned: list[tuple[int, int]] = []
    while days := tables.days_after(site, meter.number, low, _STEP_DAYS):
        turned += [(day, day + 1) for day in days if day < high]
        if days[-1] >= high:
            break
        low = days[-1] + 1
    return [EVERYTHING, *turned] if turned else []


def _beside(
    first_at: int, last_at: int, interval_s: int, spans: Mapping[str, RegisterSpan]
) -> tuple[int, int]:
    """Widen instants by the intervals that are judged by those between, as far as there are any."""
    beside_s = interval_s * FINER_REACH
    # The interval that ends at the first midnight lies on the day before.
    said_from = min(span.first_day for span in spans.values()) * DAY_S - interval_s
    said_to = (max(span.last_day for span in spans.values()) + 1) * DAY_S
    return (
        min(first_at, max(first_at - beside_s, said_from)),
        max(last_at, min(last_at + beside_s, said_to - 1)),
    )


def _first_positives_moved(
    history: MeterHistory,
    touched: StoredReadings,
    added: StoredReadings | None,
    withdrawn: tuple[frozenset[int], frozenset[int]],
) -> Iterator[int]:
    """Yield the first positive index of each later device for which it is another now.

    The earlier of both instants; zeros after it change their verdict.
    """
    for register in REGISTERS_OF[history.meter.medium] if history.meter.devices else ():
        for from_at in later_devices(history.meter, register):
            stamps = touched.stamps[touched.stamps >= from_at]
            if not len(stamps) or history.counts_between(
                register, from_at + 1, int(stamps.min()), frozenset.union(*withdrawn)
            ):
                continue
            was = history.first_positive_since(from_at + 1, register, None, withdrawn[0])
            now = history.first_positive_since(from_at + 1, register, added, withdrawn[1])
            if was != now:
                yield min(at for at in (was, now) if at is not None)


def _judged_beyond(
    history: MeterHistory,
    start_at: int,
    end_at: int,
    withdrawn: frozenset[int],
    added: StoredReadings | None = None,
    spans: Mapping[str, RegisterSpan] | None = None,
) -> Mapping[Register, Judged]:
    """Judge as far beyond [start, end] as a change there may reach."""
    reach = SIGHT
    while True:
        count = readings_beyond(reach)
        judged = history.judge_around(start_at, end_at, count, withdrawn, added, spans)
        farthest = max((each.reach for each in judged.values()), default=reach)
        if farthest <= reach:
            return judged
        reach = farthest


def readings_beyond(reach: int) -> int:
    """Accepted readings to each side of a change that it may touch.

    Up to the nearest beyond those whose verdict changes; the power up to there is what its
    neighbours are compared with, by the rule on spans that sees farthest.
    """
    return reach + 1 + SPAN_SIGHT


def reach_before(history: MeterHistory, instant_at: int, withdrawn: frozenset[int]) -> int:
    """Return how far back what changes at an instant may reach [Unix seconds]."""
    return _reach_before(_judged_beyond(history, instant_at, instant_at, withdrawn), instant_at)


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
    if history.may_begin_anew(added):
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
        position = int(np.searchsorted(stamps, start_at)) - readings_beyond(each.reach)
        if len(stamps):
            reach = min(reach, int(stamps[max(position, 0)]))
    return reach


def _reach_after(judged: Mapping[Register, Judged], end_at: int) -> int:
    reach = end_at
    for each in judged.values():
        stamps = each.accepted_stamps
        position = (
            int(np.searchsorted(stamps, end_at, side="right")) + readings_beyond(each.reach) - 1
        )
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
        for meter in meters
        for span in spans.get(meter.number, {}).values()
        for day in (first_used_day(meter, span), span.last_day)
    ]
    numbers = {meter.number for meter in meters}
    for edit in snapshot.edits.edits(site):
        # The delivery of a reading is told by the spans; what is accepted gives no energy.
        if edit.meter in numbers and not edit.of_reading and not edit.accepts:
            days += [day_of(edit.start_at), day_of(edit.end_at - 1)]
    if not days:
        return None
    bounds = [at for m in meters for at in (m.installed_at, m.removed_at) if at is not None]
    bounds += [d.from_at for m in meters for d in m.devices if d.from_at is not None]
    # Declared are also dates decades away: nobody waits for that many days without data.
    earliest, latest = min(days) - _BEYOND_DATA_DAYS, max(days)
    days += [min(max(day_of(at), earliest), latest) for at in bounds]
    # An index that a device ended or began with is known like a reading.
    known = [at for meter in meters for at in _indexes_declared_at(meter)]
    days += [min(day_of(at), latest + _BEYOND_DATA_DAYS) for at in known]
    # An interval may begin on the day before its stamp.
    return min(days) - 1, max(days) + 1


def _runs_with_data(
    snapshot: Snapshot, meters: Sequence[Meter], site: int
) -> list[tuple[int, int]]:
    """Return the days of `days_with_data` in runs, without years of which nothing can be known.

    A clock that was never set makes decades of them.
    """
    whole = days_with_data(snapshot, meters, site)
    if whole is None or whole[1] - whole[0] <= FAR_DAYS:
        return [] if whole is None else [whole]
    stored = snapshot.readings.register_spans(site, [meter.number for meter in meters])
    said = [
        (first_used_day(meter, span), span.last_day)
        for meter in meters
        for span in stored.get(meter.number, {}).values()
    ]
    edits = snapshot.edits.edits(site)
    said += [(day_of(e.start_at), day_of(e.end_at)) for e in edits if not e.of_reading]
    runs = [whole[0]]
    until = whole[0]
    for first, last in sorted(said):
        if first - until > FAR_DAYS:
            runs += [until + _BEYOND_DATA_DAYS, first - _BEYOND_DATA_DAYS]
        until = max(until, last)
    runs.append(whole[1])
    return list(zip(runs[::2], runs[1::2], strict=True))


def runs_with_results(
    snapshot: Snapshot, site: int, group: Group, first_day: int, end_day: int
) -> list[tuple[int, int]]:
    """Return the days of [first, end) that were ever settled, in runs.

    Days of stamps that do not count are among them: they have findings, and a meter is missing
    there or not.
    """
    settled = snapshot.results.settled_days(site, group, first_day, end_day)
    return list(day_spans(settled, longest=len(settled) + 1))


def _indexes_declared_at(meter: Meter) -> Iterator[int]:
    """Yield the instants [Unix seconds] at which an index of a device is declared."""
    for register in REGISTERS_OF[meter.medium] if meter.devices else ():
        for segment in declared_segments(meter, register):
            if segment.end_at is not None and segment.end_index is not None:
                yield segment.end_at
            if segment.start_at is not None and segment.start_index is not None:
                yield segment.start_at


def mark_days(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    touched: Mapping[int, Sequence[tuple[int, int]]],
    generation: int,
) -> None:
    """Mark the touched days of each meter, and those that are estimated from them.

    EVERYTHING is cut to the days of the meter's group that have data, or results.
    """
    site = catalogue.site.number
    marked: dict[Group, list[tuple[int, int]]] = {}
    for meter in catalogue.meters:
        if meter.number in touched:
            marked.setdefault(meter.medium.group, []).extend(touched[meter.number])
    estimates = days_estimated_from(snapshot, site, touched)
    for group, spans in marked.items():
        bounded = [span for span in spans if span != EVERYTHING]
        meters = catalogue.meters_of(group)
        if len(bounded) < len(spans):
            bounded += _runs_with_data(snapshot, meters, site)
            bounded += runs_with_results(snapshot, site, group, *EVERYTHING)
        if any(facts.proxy_days for facts in catalogue.facts):
            bounded = _with_substitutes(snapshot, meters, site, bounded)
        for meter in meters:
            bounded += estimates.get(meter.number, ())
        snapshot.results.mark_dirty(site, group, bounded, generation)


def _with_substitutes(
    snapshot: Snapshot, meters: Sequence[Meter], site: int, spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Lengthen spans of days by those that may be filled from them, up to where data end."""
    whole = days_with_data(snapshot, meters, site)
    last = 0 if whole is None else whole[1]
    return [(first, max(end, min(end + SUBSTITUTE_REACH_DAYS, last))) for first, end in spans]


def days_estimated_from(
    snapshot: Snapshot, site: int, touched: Mapping[int, Sequence[tuple[int, int]]]
) -> dict[int, list[tuple[int, int]]]:
    """Return by meter the days [first, end) of gaps with reference days on its touched days.

    EVERYTHING has all of them already.
    """
    reaches = {
        number: [(s[0] - NEAR_DAYS, s[1] + NEAR_DAYS) for s in spans if s != EVERYTHING]
        for number, spans in touched.items()
    }
    bounds = [bound for spans in reaches.values() for span in spans for bound in span]
    if not bounds:
        return {}
    found: dict[int, list[tuple[int, int]]] = {}
    for gap in snapshot.results.estimated_spans(site, min(bounds), max(bounds)):
        for first, end in reaches.get(gap.meter, ()):
            if first < gap.end_day and gap.first_day < end:
                found.setdefault(gap.meter, []).append((gap.first_day, gap.end_day))
                break
    return found
