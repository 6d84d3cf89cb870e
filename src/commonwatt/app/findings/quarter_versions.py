"""When a quarter-hour's value changed: what was known of it after each write that touched it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Delivery, Snapshot
from commonwatt.app.series.read import read_meter_series
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import StoredReadings

_MICROSECONDS = 1_000_000
_MOST = 16
"""Instants that are looked at, the latest ones: each is a day settled anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What was answered of a quarter-hour since ``known_us`` [Unix microseconds].

    ``cause`` says what was written then. ``total`` [Wh, litre] is None where nothing was known.
    ``earlier_writes`` says of the first version how many writes before it were not looked at, 0 of
    all others.
    """

    known_us: int
    cause: str
    total: int | None
    quality: Quality
    earlier_writes: int = 0


def quarter_versions(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    quarter: int,
    causes: Iterable[tuple[int, str]],
) -> list[Version]:
    """Return the versions that differ from the one before, ascending.

    ``causes``: instants [Unix microseconds] at which something was written, and what. Only the last
    ones are looked at.
    """
    versions: list[Version] = []
    writes = sorted(set(causes))
    earlier_writes = max(0, len(writes) - _MOST)
    for known_us, cause in writes[earlier_writes:]:
        total, quality = _known_then(snapshot, catalogue, meter, quarter, known_us)
        last = versions[-1] if versions else None
        if last is None or (last.total, last.quality) != (total, quality):
            versions.append(
                Version(
                    known_us=known_us,
                    cause=cause,
                    total=total,
                    quality=quality,
                    earlier_writes=0 if versions else earlier_writes,
                )
            )
    return versions


def _known_then(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, quarter: int, known_us: int
) -> tuple[int | None, Quality]:
    view, then = view_as_of(snapshot, catalogue, known_us)
    meter_then = then.meter_by_id.get(meter.id)
    if meter_then is None:
        return None, Quality.ABSENT
    series = read_meter_series(view, then, meter_then, quarter, quarter + 1)
    known = bool(exists(series.quality_total)[0])
    return int(series.total[0]) if known else None, Quality(int(series.quality_total[0]))


def writes_touching(
    snapshot: Snapshot,
    site: int,
    meters: Sequence[tuple[int, int, int]],
    edits: Iterable[Edit],
) -> list[tuple[int, str]]:
    """Return when something was written of (meter, start, end), the end included, and what.

    Deliveries with readings in that time, their withdrawals, edits, and changes of what is declared
    of the site once one of its deliveries was there.
    """
    deliveries: dict[int, Delivery] = {}
    waited: set[tuple[int, str]] = set()
    for number, start_at, end_at in meters:
        for at in (start_at, end_at):
            day = day_of(at)
            stored = snapshot.readings.readings(site, [number], day, day + 1).get(number)
            if stored is None:
                continue
            inside = (stored.stamps >= start_at) & (stored.stamps <= end_at)
            for each in set(stored.deliveries[inside].tolist()):
                delivery = deliveries.get(each) or snapshot.readings.delivery(site, each)
                if delivery is not None:
                    deliveries[each] = delivery
                    waited |= _ends_of_waiting(stored, inside, delivery)
    edit_of = {each.delivery: each.number for each in snapshot.edits.edits(site)}
    writes = [
        write
        for each in deliveries.values()
        for write in _writes_of(each, edit_of.get(each.number))
    ]
    writes += waited
    first_us = min((at_us for at_us, _ in writes), default=None)
    writes += [
        (at_us, "declaration changed")
        for at_us in snapshot.history.declared_us(site)
        if first_us is not None and at_us > first_us
    ]
    for edit in edits:
        writes.append((edit.made_us, f"edit {edit.number}"))
        if edit.undone_us is not None:
            writes.append((edit.undone_us, f"edit {edit.number} undone"))
    return writes


def _ends_of_waiting(
    stored: StoredReadings, inside: NDArray[np.bool_], delivery: Delivery
) -> set[tuple[int, str]]:
    """When readings of a delivery began to count that were ahead of it."""
    from_at = delivery.recorded_us // _MICROSECONDS + AHEAD_S
    mine = inside & (stored.deliveries == delivery.number) & ~stored.ahead
    ends_at = stored.stamps[mine & (stored.stamps > from_at)] - AHEAD_S
    return {
        (int(at) * _MICROSECONDS, f"time came for delivery {delivery.number}") for at in ends_at
    }


def _writes_of(delivery: Delivery, edit: int | None) -> Iterator[tuple[int, str]]:
    """When a delivery was made and taken back; it may be that of an edit."""
    name, taken_back = f"delivery {delivery.number}", "withdrawn"
    if edit is not None:
        name, taken_back = f"edit {edit}", "undone"
    yield delivery.recorded_us, name
    if delivery.withdrawn_us is not None:
        yield delivery.withdrawn_us, f"{name} {taken_back}"
