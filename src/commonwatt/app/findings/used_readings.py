"""The readings that a value rests on, with the deliveries that brought them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from commonwatt.app.ports import Delivery, Snapshot
from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings, effective_positions
from commonwatt.domain.vee.history import STAMP_TOLERANCE_S


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
    found: list[UsedReading] = []
    for each in sorted(set(wanted), key=lambda each: (each[1], each[0])):
        found += _looked_up(snapshot, site, meter, each, withdrawn)
    return found


def _looked_up(
    snapshot: Snapshot,
    site: int,
    meter: Meter,
    wanted: tuple[Register, int, int],
    withdrawn: frozenset[int],
) -> list[UsedReading]:
    """Look up the reading of an instant; of an interval all the finer ones that were added up."""
    register, at, value = wanted
    # The stamp of an interval may be beside the quarter-hour that it ends.
    tolerance_s = 0 if meter.interval_s is None else STAMP_TOLERANCE_S
    start_at = at - (meter.interval_s or 0)
    days = day_of(start_at - tolerance_s), day_of(at + tolerance_s) + 1
    stored = snapshot.readings.readings(site, [meter.number], *days).get(meter.number)
    unknown = [UsedReading(register=register, at=at, value=value)]
    if stored is None or register not in stored.values:
        return unknown
    positions = effective_positions(stored, register, withdrawn)
    stamps, values = stored.stamps[positions], stored.values[register][positions]
    near = np.abs(stamps - at) <= tolerance_s
    same = near & (values == value)
    if meter.interval_s is not None and not same.any():
        near = (stamps > start_at + tolerance_s) & (stamps <= at + tolerance_s)
        return [_used(snapshot, site, stored, register, each) for each in positions[near].tolist()]
    if not near.any():
        return unknown
    # Of several at the boundary of an interval the one that counts has the value.
    chosen = np.flatnonzero(same if same.any() else near)
    nearest = chosen[np.abs(stamps[chosen] - at).argmin()]
    return [_used(snapshot, site, stored, register, int(positions[nearest]))]


def _used(
    snapshot: Snapshot, site: int, stored: StoredReadings, register: Register, position: int
) -> UsedReading:
    return UsedReading(
        register=register,
        at=int(stored.stamps[position]),
        value=int(stored.values[register][position]),
        quality=ReadingQuality(int(stored.qualities[position])),
        serial=str(stored.serials[position]) or None,
        delivery=snapshot.readings.delivery(site, int(stored.deliveries[position])),
    )
