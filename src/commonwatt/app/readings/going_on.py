"""Index meters that simply go on counting, told of all meters of a delivery at once.

Most of what comes in is what meters counted since their last readings: nothing was said of these
instants, and nothing falls or is implausible. What that touches is known without judging it.
`mark_changes.touched_days` and the rest of `incoming_readings` say the same of each meter alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from commonwatt.app.ports import RegisterSpan
from commonwatt.app.readings.hold_back import Beside
from commonwatt.app.readings.in_sight import ReadingsInSight
from commonwatt.app.readings.versions import instant_keys
from commonwatt.app.settling.marks import readings_beyond
from commonwatt.app.settling.plausible_days import plausible_days_of
from commonwatt.domain.metering.catalogue import Meter, RegisterKind
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import MetersReadings
from commonwatt.domain.vee.plausible_days import FAR_DAYS
from commonwatt.domain.vee.verdicts import SIGHT

_FEWEST_BEFORE = readings_beyond(SIGHT) + SIGHT
"""Readings in sight before the added ones: so many are touched, and their verdicts are sure."""
_ROLLOVER_TIMES = 9
"""A register that shows so many times what it showed before may have been counted back."""


def days_of_going_on(
    besides: Collection[Beside], in_sight: ReadingsInSight
) -> dict[int, tuple[int, int]]:
    """Return the days [first, end) that are touched of the meters that simply go on counting.

    Each of ``besides`` is all that is added to its meter. A meter that is not among the keys may
    go on all the same.
    """
    added_from = {
        each.meter.number: int(each.added.stamps.min())
        for each in besides
        if each.meter.number not in in_sight.with_serial and _continues(each)
    }
    reaches: dict[int, list[int | None]] = {number: [] for number in added_from}
    for readings in in_sight.registers.values():
        for number, from_at in _reaches(readings, added_from, in_sight.rows):
            if number in reaches:
                reaches[number].append(from_at)
    return {
        each.meter.number: (day_of(min(found)), each.added_days[1] + 1)
        for each in besides
        if (reach := reaches.get(each.meter.number)) and len(reach) == len(each.spans)
        if (found := [at for at in reach if at is not None]) == reach
    }


def spans_of_going_on(beside: Beside) -> dict[str, RegisterSpan]:
    """Return the spans of the registers of a meter that goes on, without its highest days."""
    last_day = beside.added_days[1]
    plausible = plausible_days_of(beside.spans)
    if plausible is not None:
        plausible = plausible._replace(last_day=max(plausible.last_day, last_day))
    return {
        name: replace(span, last_day=last_day, plausible=plausible)
        for name, span in beside.spans.items()
    }


def _continues(beside: Beside) -> bool:
    """Whether only the indexes themselves can tell that something else has to be looked at."""
    if beside.stored is None or not _is_plain(beside.meter) or not beside.comes_last:
        return False
    from_at, stored_from = int(beside.added.stamps.min()), int(beside.stored.stamps.min())
    installed_at = beside.meter.installed_at
    return all(
        span.first_positive_at is not None
        and span.first_positive_at < from_at
        and span.plausible is not None
        and span.plausible.first_day <= day_of(stored_from)
        and day_of(from_at) - span.plausible.last_day <= FAR_DAYS
        and (installed_at is None or max(span.first_day, day_of(installed_at)) < beside.first_day)
        for span in beside.spans.values()
    )


def _is_plain(meter: Meter) -> bool:
    """Whether nothing declared of an index meter moves a verdict of what it counts now."""
    if meter.interval_s is not None or meter.register_kind is RegisterKind.RESETS:
        return False
    declared = meter.devices, meter.resolutions, meter.held, meter.accepted
    return meter.removed_at is None and not any(declared)


def _reaches(
    readings: MetersReadings, added_from: Mapping[int, int], rows: Mapping[int, int]
) -> Iterator[tuple[int, int | None]]:
    """Yield each meter with the first instant [Unix seconds] that is touched of its register.

    None where the register does not simply rise by all ``rows`` that were said of the meter.
    """
    follows, values = readings.follows, readings.values
    starts = np.flatnonzero(~follows)
    lasts = np.append(starts[1:], len(values)) - 1
    numbers = readings.meters[starts].tolist()
    from_at = np.array([added_from.get(number, 0) for number in numbers], np.int64)
    keys = instant_keys(readings.meters, readings.stamps)
    added = np.searchsorted(keys, instant_keys(readings.meters[starts], from_at))
    follows[1:] &= values[1:] < values[:-1]
    rises = ~np.logical_or.reduceat(follows, starts) & (values[starts] > 0)
    rises &= values[lasts] // _ROLLOVER_TIMES < values[starts]
    rises &= lasts - starts + 1 == [rows[number] for number in numbers]
    rises &= added - starts >= _FEWEST_BEFORE
    first_at = readings.stamps[np.maximum(added - readings_beyond(SIGHT), 0)]
    for number, simply, at in zip(numbers, rises.tolist(), first_at.tolist(), strict=True):
        yield number, at if simply else None
