"""What a change of a declaration has computed anew: from which day on, told before it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from commonwatt.app.declaring.meters import LIFE, MeterChange
from commonwatt.app.declaring.plan import SitePlan
from commonwatt.app.ports import ReadingTables, Snapshot
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.marks import (
    EVERYTHING,
    days_estimated_from,
    days_with_data,
    reach_before,
    runs_with_results,
)
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.vee.declared_segments import DeclaredSegment, declared_segments
from commonwatt.domain.vee.rollover import RolloverRule

_EARLIEST_AT = 0
_SEAMS = ("devices", "resolutions", "held")


def first_day_of_seams(tables: ReadingTables, site: int, before: Meter, after: Meter) -> int | None:
    """Return the first UTC day that depends on the seams in which two declarations differ.

    From the earliest seam that changed, or from when a rollover is told by another limit, widened
    as far back as a reading there would reach. None where they say the same of seams.
    """
    changed_at = min(_changes(before, after), default=None)
    same = all(getattr(before, name) == getattr(after, name) for name in _SEAMS)
    if changed_at is None and same:
        return None
    if changed_at is None or changed_at <= _EARLIEST_AT:
        return EVERYTHING[0]
    spans = tables.register_spans(site, [after.number]).get(after.number)
    if spans is None:
        return day_of(changed_at)
    withdrawn, day = tables.withdrawn(site), day_of(changed_at)
    reach_at = changed_at
    for meter in (before, after):
        stored = tables.readings(site, [meter.number], day - 1, day + 2).get(meter.number)
        history = MeterHistory(tables, site, meter, spans, stored, day - 1, day + 2)
        reach_at = min(reach_at, reach_before(history, changed_at, withdrawn))
    return day_of(reach_at)


def _changes(before: Meter, after: Meter) -> Iterator[int]:
    """The instants [Unix seconds] from which on something differs; 0: from the beginning."""
    for each in set(before.resolutions) ^ set(after.resolutions):
        yield each.start_at
    for span in set(before.held) ^ set(after.held):
        yield _EARLIEST_AT if span.from_at is None else span.from_at
    for register in REGISTERS_OF[after.medium]:
        yield from _changed_segments(before, after, register)
        if before.facts != after.facts:
            yield from _changed_limits(before, after, register)


def _changed_segments(before: Meter, after: Meter, register: Register) -> Iterator[int]:
    was, now = ({s.start_at: s for s in declared_segments(m, register)} for m in (before, after))
    for start_at in was.keys() | now.keys():
        one, other = was.get(start_at), now.get(start_at)
        if one is None or other is None or _without_end(one) != _without_end(other):
            yield _EARLIEST_AT if start_at is None else start_at
        elif one != other:
            # What acts at an end alone does nothing on a segment that has none.
            yield from sorted(s.end_at for s in (one, other) if s.end_at is not None)[:1]


def _changed_limits(before: Meter, after: Meter, register: Register) -> Iterator[int]:
    """Yield when the most that can flow, which tells a rollover from a reset, changes."""
    for segment in declared_segments(after, register):
        was, now = (RolloverRule.of(meter, register, segment) for meter in (before, after))
        if was.wholly_rolling() != now.wholly_rolling():
            yield _EARLIEST_AT
        starts = sorted({from_at for from_at, _ in (*was.limits, *now.limits)})
        yield from [at for at in starts if was.limit_at(at) != now.limit_at(at)][:1]


def _without_end(segment: DeclaredSegment) -> DeclaredSegment:
    """What acts on a segment from its start on; the serial tells whose the last reading is."""
    return replace(segment, end_at=None, end_index=None, serial=None, removed=False)


_AS_A_WHOLE = (
    *("installed_index", "prim_ad", "interval_s"),
    *("register_meter", "register_from", "register_kind", "expected_s"),
    *LIFE,
)
"""What is of a meter as a whole. A prim_ad is how rules name it, whenever they hold."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The UTC days [first, end) of a group that are computed anew.

    On the first ``locked_days`` of them quarter-hours are locked: they answer what they did, and
    the difference is told beside them. ``settled`` are all days that have results, in runs [first,
    end): those outside have findings alone, as on stamps before an installation. They are computed
    anew too, and not told.
    """

    group: Group
    first_day: int
    end_day: int
    locked_days: int
    settled: Sequence[tuple[int, int]]

    @property
    def start_at(self) -> int:
        """Where it begins [Unix seconds]."""
        return self.first_day * DAY_S

    @property
    def end_at(self) -> int:
        """Where it ends, not included [Unix seconds]."""
        return self.end_day * DAY_S

    @property
    def days(self) -> int:
        """The number of days."""
        return self.end_day - self.first_day


def recomputation_line(each: Recomputation, timezone: str) -> str:
    """Say it in a line for people."""
    start, end = local_stamp(each.start_at, timezone), local_stamp(each.end_at, timezone)
    days = "1 day" if each.days == 1 else f"{each.days} days"
    locked = f", {each.locked_days} of them locked" if each.locked_days else ""
    return f"recomputes {each.group} from {start} to {end}: {days}{locked}"


def recomputations(
    snapshot: Snapshot, before: SiteCatalogue, plan: SitePlan
) -> list[Recomputation]:
    """Return which of the days that have or had results a plan computes anew."""
    found: list[Recomputation] = []
    for group, first_day in _touched(snapshot, before, plan).items():
        # The meters of the group as they were and as they are to be.
        spans = [
            days_with_data(snapshot, each.meters_of(group), before.site.number)
            for each in (before, plan.catalogue)
        ]
        known = [span for span in spans if span is not None]
        if known:
            first = max(first_day, min(span[0] for span in known))
            end = max(span[1] for span in known)
            if first < end:
                first = min([first, *_estimated_from(snapshot, before, group, first, end)])
                site = before.site.number
                locked_days = _locked_days(snapshot, site, group, first, end)
                settled = runs_with_results(snapshot, site, group, first_day, EVERYTHING[1])
                found.append(Recomputation(group, first, end, locked_days, settled))
    return found


def _locked_days(snapshot: Snapshot, site: int, group: Group, first_day: int, end_day: int) -> int:
    """Count the days of [first, end) that have locked quarter-hours."""
    until_at = snapshot.locks.locked_until(site, group)
    if until_at is None:
        return 0
    return min(max(-(-until_at // DAY_S), first_day), end_day) - first_day


def _estimated_from(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, first_day: int, end_day: int
) -> list[int]:
    """Return the first days of the gaps that may be estimated from the days [first, end)."""
    touched = {meter.number: [(first_day, end_day)] for meter in catalogue.meters_of(group)}
    gaps = days_estimated_from(snapshot, catalogue.site.number, touched)
    return [first for spans in gaps.values() for first, _ in spans]


def _touched(snapshot: Snapshot, before: SiteCatalogue, plan: SitePlan) -> Mapping[Group, int]:
    """Return from which day on the results of which groups depend on what changes."""
    touched: dict[Group, int] = {}
    if plan.catalogue.facts != before.facts:
        groups = list(Group) if _proxies_changed(before, plan) else [Group.ELECTRICITY]
        touched.update(dict.fromkeys(groups, day_of(plan.site_facts_from_at)))
    if plan.catalogue.site.timezone != before.site.timezone:
        # What is estimated is so by the clock of the site.
        touched.update(dict.fromkeys(Group, EVERYTHING[0]))
    if plan.catalogue.site.latitude != before.site.latitude:
        # By it one knows when the sun can shine; nothing but findings depends on it.
        touched[Group.ELECTRICITY] = EVERYTHING[0]
    for change in plan.meters:
        first_day = _first_day_touched(snapshot, before.site.number, change)
        if first_day is not None:
            group = change.after.medium.group
            touched[group] = min(first_day, touched.get(group, first_day))
    return touched


def _proxies_changed(before: SiteCatalogue, plan: SitePlan) -> bool:
    """Whether another way of estimating holds somewhere, which concerns every group."""
    starts = [facts.valid_from for facts in (*before.facts, *plan.catalogue.facts)]
    return any(
        before.site_facts_at(at).proxy_days != plan.catalogue.site_facts_at(at).proxy_days
        for at in starts
    )


def _first_day_touched(snapshot: Snapshot, site: int, change: MeterChange) -> int | None:
    before, after = change.before, change.after
    everything, _ = EVERYTHING
    if before is None:
        counts = after.installed_at is not None or after.is_rule_meter
        return everything if counts else None
    if any(getattr(before, name) != getattr(after, name) for name in _AS_A_WHOLE):
        return everything
    first_days = [day_of(change.from_at)] if before.facts != after.facts else []
    seams = first_day_of_seams(snapshot.readings, site, before, after)
    if seams is not None:
        first_days.append(seams)
    return min(first_days, default=None)
