"""The readings that a value rests on, with the deliveries that brought them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from commonwatt.app.ports import Delivery, Snapshot
from commonwatt.domain.catalogue import Meter, Register
from commonwatt.domain.quarter_hours import day_of
from commonwatt.domain.readings import ReadingQuality, counting_positions
from commonwatt.domain.vee.interval_energy import STAMP_TOLERANCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedReading:
    """A reading at ``at`` [Unix seconds]: its raw register and value [mWh, ml].

    ``delivery`` is None of an index that was declared, and of one that validation let stand still.
    """

    register: Register
    at: int
    value: int
    quality: ReadingQuality | None = None
    serial: str | None = None
    delivery: Delivery | None = None


def used_readings(
    snapshot: Snapshot, site: int, meter: Meter, wanted: Iterable[tuple[Register, int, int]]
) -> list[UsedReading]:
    """Look up readings that are used: raw register, instant and value [mWh, ml] of each."""
    withdrawn = snapshot.readings.withdrawn(site)
    found = [
        _looked_up(snapshot, site, meter, each, withdrawn)
        for each in sorted(set(wanted), key=lambda each: (each[1], each[0]))
    ]
    return list(found)


def _looked_up(
    snapshot: Snapshot,
    site: int,
    meter: Meter,
    wanted: tuple[Register, int, int],
    withdrawn: frozenset[int],
) -> UsedReading:
    register, at, value = wanted
    # The stamp of an interval may be beside the quarter-hour that it ends.
    tolerance_s = 0 if meter.interval_s is None else STAMP_TOLERANCE_S
    days = day_of(at - tolerance_s), day_of(at + tolerance_s) + 1
    stored = snapshot.readings.readings(site, [meter.number], *days).get(meter.number)
    if stored is None or register not in stored.values:
        return UsedReading(register=register, at=at, value=value)
    positions = counting_positions(stored, register, withdrawn)
    near = positions[np.abs(stored.stamps[positions] - at) <= tolerance_s]
    if not len(near):
        return UsedReading(register=register, at=at, value=value)
    position = int(near[0])
    return UsedReading(
        register=register,
        at=int(stored.stamps[position]),
        value=int(stored.values[register][position]),
        quality=ReadingQuality(int(stored.qualities[position])),
        serial=str(stored.serials[position]) or None,
        delivery=snapshot.readings.delivery(site, int(stored.deliveries[position])),
    )
