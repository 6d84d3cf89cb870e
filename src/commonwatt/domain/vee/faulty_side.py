"""Which readings are wrong, where somebody says that those of a finding are faulty."""

import numpy as np

from commonwatt.domain.vee.boundary_index import AcceptedReadings


def faulty_side(
    readings: AcceptedReadings,
    break_start_at: int,
    break_end_at: int,
    from_start: bool,
    to_end: bool,
) -> tuple[int, int] | None:
    """Return the instants [first, last], both inclusive, of the readings to set aside.

    Either those before the break that are above the first after it, or those after it that are
    below the last before it; of a break at which the index rose those back to the break before it,
    or on to the next. The fewer, of a tie the later. ``from_start``, ``to_end``: nothing lies
    before or after the readings in sight. None where more of them have to be in sight to tell.
    """
    stamps, values = readings.stamps, readings.values
    before = int(np.searchsorted(stamps, break_start_at))
    after = int(np.searchsorted(stamps, break_end_at))
    if values[before] <= values[after]:
        return _lesser_run(readings, before, after, from_start, to_end)
    low_enough = np.flatnonzero(values[: before + 1] <= values[after])
    high_enough = np.flatnonzero(values[after:] >= values[before])
    earlier = before - int(low_enough[-1]) if len(low_enough) else before + 1
    later = int(high_enough[0]) if len(high_enough) else len(values) - after
    if later <= earlier and (len(high_enough) or to_end):
        return break_end_at, int(stamps[after + later - 1])
    if earlier < later and (len(low_enough) or from_start):
        return int(stamps[before - earlier + 1]), break_start_at
    return None


def _lesser_run(
    readings: AcceptedReadings, before: int, after: int, from_start: bool, to_end: bool
) -> tuple[int, int] | None:
    """Return the shorter of two runs between breaks that meet: that up to ``before``, or after."""
    stamps, breaks = readings.stamps, readings.breaks_before
    first = int(np.searchsorted(breaks, breaks[before]))
    last = int(np.searchsorted(breaks, breaks[after], side="right")) - 1
    earlier, later = before - first + 1, last - after + 1
    if later <= earlier and (last + 1 < len(stamps) or to_end):
        return int(stamps[after]), int(stamps[last])
    if earlier < later and (first > 0 or from_start):
        return int(stamps[first]), int(stamps[before])
    return None


def hung_readings(
    readings: AcceptedReadings, step_end_at: int, from_start: bool
) -> tuple[int, int] | None:
    """Return the instants [first, last], both inclusive, of the readings before a step that repeat.

    The first of all with that index is right: it was so then. ``from_start``: nothing lies before
    the readings in sight. None where more of them have to be in sight to tell.
    """
    last = int(np.searchsorted(readings.stamps, step_end_at)) - 1
    other = np.flatnonzero(readings.values[:last] != readings.values[last])
    if not len(other) and not from_start:
        return None
    first = int(other[-1]) + 2 if len(other) else 1
    return int(readings.stamps[min(first, last)]), int(readings.stamps[last])
