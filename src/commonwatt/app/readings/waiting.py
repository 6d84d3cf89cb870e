"""Readings whose stamp was ahead of the clock: they count once the time has come.

A sender's clock may run ahead, or ours behind. Such a reading is stored and waits; what it touches
is marked when it begins to count, under a generation of its own, as if it had been delivered then.
"""

from contextlib import suppress

import numpy as np

from commonwatt.app.errors import DamagedDay
from commonwatt.app.ports import Change, Store
from commonwatt.app.readings.hold_back import hold_back
from commonwatt.app.readings.incoming import IncomingReadings
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.readings import StoredReadings

_CLOCK = "clock"
"""Who holds readings back whose time has come."""


def end_waiting(store: Store, now_us: int) -> int:
    """Let the readings count that are not ahead of now any more; return of how many meter-days.

    ``now_us`` [Unix microseconds]. Raises the errors of a store.
    """
    until_at = now_us // 1_000_000 + AHEAD_S
    with store.snapshot() as snapshot:
        waiting = snapshot.readings.waiting(until_at)
    for site in sorted({site for site, _, _ in waiting}):
        days = [(meter, day) for other, meter, day in waiting if other == site]
        # Beside damaged readings they go on waiting; whoever reads those is told.
        with suppress(DamagedDay), store.change(site) as change:
            _end_of_site(change, site, days, until_at, now_us)
    return len(waiting)


def _end_of_site(
    change: Change, site: int, days: list[tuple[int, int]], until_at: int, now_us: int
) -> None:
    catalogue = change.catalogue.catalogue(site)
    found: list[tuple[int, StoredReadings]] = []
    may_be_held: list[int] = []
    for meter, day in days:
        stored = change.readings.readings(site, [meter], day, day + 1).get(meter)
        if stored is None:
            continue
        ended = stored.take(np.flatnonzero(stored.ahead & (stored.stamps <= until_at)))
        if len(ended.stamps):
            found.append((meter, ended.none_ahead()))
    if found:
        meters = np.repeat([meter for meter, _ in found], [len(r.stamps) for _, r in found])
        readings = StoredReadings.joined([readings for _, readings in found])
        generation = change.catalogue.next_generation(site)
        arrived = IncomingReadings(change, catalogue, meters, readings, generation, now_us)
        arrived.mark_as_said()
        may_be_held = arrived.may_be_held
    for meter, day in days:
        change.readings.end_waiting(site, meter, day, until_at)
    hold_back(change, site, may_be_held, _CLOCK, now_us)
