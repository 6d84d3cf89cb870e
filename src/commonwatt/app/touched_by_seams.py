"""From which day on a change of where a register begins anew or rolls over changes results."""

from collections.abc import Iterator
from dataclasses import replace

from commonwatt.app.mark_changes import EVERYTHING, reach_before
from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.ports import ReadingTables
from commonwatt.domain.catalogue import REGISTERS_OF, Meter, Register
from commonwatt.domain.quarter_hours import day_of
from commonwatt.domain.vee.rollover import RolloverRule
from commonwatt.domain.vee.stretches import Stretch, stretches_of

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
        yield from _changed_stretches(before, after, register)
        if before.facts != after.facts:
            yield from _changed_limits(before, after, register)


def _changed_stretches(before: Meter, after: Meter, register: Register) -> Iterator[int]:
    was, now = ({s.start_at: s for s in stretches_of(m, register)} for m in (before, after))
    for start_at in was.keys() | now.keys():
        one, other = was.get(start_at), now.get(start_at)
        if one is None or other is None or _without_end(one) != _without_end(other):
            yield _EARLIEST_AT if start_at is None else start_at
        elif one != other:
            # What acts at an end alone does nothing on a stretch that has none.
            yield from sorted(s.end_at for s in (one, other) if s.end_at is not None)[:1]


def _changed_limits(before: Meter, after: Meter, register: Register) -> Iterator[int]:
    """Yield when the most that can flow, which tells a rollover from a reset, changes."""
    for stretch in stretches_of(after, register):
        was, now = (RolloverRule.of(meter, register, stretch) for meter in (before, after))
        if was.wholly_rolling() != now.wholly_rolling():
            yield _EARLIEST_AT
        starts = sorted({from_at for from_at, _ in (*was.limits, *now.limits)})
        yield from [at for at in starts if was.limit_at(at) != now.limit_at(at)][:1]


def _without_end(stretch: Stretch) -> Stretch:
    """What acts on a stretch from its start on; the serial tells whose the last reading is."""
    return replace(stretch, end_at=None, end_index=None, serial=None, removed=False)
