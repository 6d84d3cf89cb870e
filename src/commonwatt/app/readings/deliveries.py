"""Deliveries: what one was, withdrawing and reinstating it, accepting what is held back of it.

Nothing is deleted: what is withdrawn stays stored and stops counting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.errors import CommonwattError, ErrorKind
from commonwatt.app.ports import Change, Delivery, RegisterSpan, Snapshot, Store
from commonwatt.app.readings.hold_back import hold_back, store_held
from commonwatt.app.settling.highest_days import PowersOfMeter, judged_otherwise
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.marks import doubted_otherwise, mark_days, touched_days
from commonwatt.app.settling.plausible_days import DaysOfMeter, with_plausible_days
from commonwatt.app.settling.rejudge import rejudged
from commonwatt.domain.metering.catalogue import (
    AcceptedSpan,
    Meter,
    Register,
    Sensor,
    SiteCatalogue,
)
from commonwatt.domain.metering.quarter_hours import DAY_S, day_spans
from commonwatt.domain.metering.readings import StoredReadings
from commonwatt.domain.vee.history import placed, within


class UnknownDelivery(CommonwattError):
    """The site has no delivery of that number."""


@dataclass(frozen=True, slots=True)
class DeliveryContents:
    """A delivery with the meters and the sensors that it spoke of."""

    delivery: Delivery
    meters: Sequence[Meter]
    sensors: Sequence[Sensor]


def read_delivery(snapshot: Snapshot, catalogue: SiteCatalogue, number: int) -> DeliveryContents:
    """Read a delivery by its number. Raises `UnknownDelivery`."""
    site = catalogue.site.number
    delivery = required_delivery(snapshot, site, number)
    said = snapshot.readings.delivered(site, delivery)
    meters = [meter for meter in catalogue.meters if meter.number in said]
    sensors = [
        sensor for sensor in catalogue.sensors if _spoke_of(snapshot, site, delivery, sensor)
    ]
    return DeliveryContents(delivery, meters, sensors)


def required_delivery(snapshot: Snapshot, site: int, number: int) -> Delivery:
    """Find a delivery of a site by its number. Raises `UnknownDelivery`."""
    delivery = snapshot.readings.delivery(site, number)
    if delivery is None:
        raise UnknownDelivery(f"no delivery {number} at this site")
    return delivery


def _spoke_of(snapshot: Snapshot, site: int, delivery: Delivery, sensor: Sensor) -> bool:
    if delivery.first_day is None or delivery.last_day is None:
        return False
    first, end = delivery.first_day, delivery.last_day + 1
    values = snapshot.sensors.sensor_values(site, sensor.number, first, end)
    return bool((values.deliveries == delivery.number).any())


class NothingToChange(CommonwattError):
    """The delivery is withdrawn already, is not withdrawn, or is that of an edit."""

    kind = ErrorKind("nothing-to-change", 409, "It is so already")


def withdraw_delivery(
    store: Store, site: int, number: int, reason: str, account: str, now_us: int
) -> None:
    """Withdraw a delivery: it no longer counts; record who withdrew it and why.

    Raises `UnknownDelivery`, `NothingToChange`, and the errors of a store.
    """
    with store.change(site) as change:
        delivery = _turnable(change, site, number)
        if delivery.withdrawn_us is not None:
            raise NothingToChange(f"delivery {number} is withdrawn already")
        set_aside_delivery(change, site, delivery, now_us, reason, account)
        at = now_us // 1_000_000
        change.audit(at, account, site, "withdraw delivery", str(number), reason)


def reinstate_delivery(store: Store, site: int, number: int, account: str, now_us: int) -> None:
    """Let a withdrawn delivery count again, and record who reinstated it.

    Raises `UnknownDelivery`, `NothingToChange`, and the errors of a store.
    """
    with store.change(site) as change:
        delivery = _turnable(change, site, number)
        if delivery.withdrawn_us is None:
            raise NothingToChange(f"delivery {number} is not withdrawn")
        change.readings.set_withdrawn(site, number, now_us, None)
        after = change.readings.withdrawn(site)
        _mark(change, site, delivery, after | {number}, after)
        hold_back(change, site, change.readings.delivered(site, delivery), account, now_us)
        change.audit(now_us // 1_000_000, account, site, "reinstate delivery", str(number), "")


def set_aside_delivery(
    change: Change, site: int, delivery: Delivery, at_us: int, reason: str, account: str
) -> None:
    """Let a delivery that counts count no more from a Unix microsecond on, and mark its days."""
    change.readings.set_withdrawn(site, delivery.number, at_us, reason)
    before = change.readings.withdrawn(site) - {delivery.number}
    _mark(change, site, delivery, before, before | {delivery.number})
    hold_back(change, site, change.readings.delivered(site, delivery), account, at_us)


def _turnable(change: Change, site: int, number: int) -> Delivery:
    """Find a delivery that was sent. Raises `UnknownDelivery`, `NothingToChange`."""
    delivery = required_delivery(change, site, number)
    for edit in change.edits.edits(site):
        if edit.delivery == number:
            raise NothingToChange(f"delivery {number} is edit {edit.number}; edits can be undone")
    return delivery


def _mark(
    change: Change,
    site: int,
    delivery: Delivery,
    before: frozenset[int],
    after: frozenset[int],
) -> None:
    """Mark what the delivery's readings touch, and correct the spans of their registers."""
    catalogue = change.catalogue.catalogue(site)
    generation = change.catalogue.next_generation(site)
    said = change.readings.delivered(site, delivery)
    spans = change.readings.register_spans(site, said)
    touched: dict[int, list[tuple[int, int]]] = {}
    changed: dict[tuple[int, str], RegisterSpan] = {}
    for meter in catalogue.meters:
        if meter.number in said:
            days, corrected = _touched(
                change, catalogue, meter, said[meter.number], spans[meter.number], before, after
            )
            touched[meter.number] = days
            changed |= {(meter.number, name): span for name, span in corrected.items()}
    change.readings.put_register_spans(site, changed, generation)
    mark_days(change, catalogue, touched, generation)


def _touched(
    change: Change,
    catalogue: SiteCatalogue,
    meter: Meter,
    said: StoredReadings,
    spans: dict[str, RegisterSpan],
    before: frozenset[int],
    after: frozenset[int],
) -> tuple[list[tuple[int, int]], dict[str, RegisterSpan]]:
    """Return the days that a meter's readings of the delivery touch, and its spans without them."""
    site = catalogue.site.number
    days = said.stamps // DAY_S
    around = {day + beside for day in np.unique(days).tolist() for beside in (-1, 0, 1)}
    touched: list[tuple[int, int]] = []
    corrected = spans
    powers = PowersOfMeter(change.readings, site, meter, after)
    for first, end in day_spans(around, longest=len(around)):
        stored = change.readings.readings(site, [meter.number], first, end).get(meter.number)
        history = MeterHistory(change.readings, site, meter, spans, stored, first, end)
        if corrected is spans:
            of_meter = DaysOfMeter(change.readings, site, meter, after)
            corrected = with_plausible_days(spans, of_meter.believed_afresh(spans))
            then = history.with_spans(corrected)
            corrected = {
                name: replace(
                    span, first_positive_at=then.first_positive_at(Register(name), None, after)
                )
                for name, span in corrected.items()
            }
        nearby = said.take(np.flatnonzero((days >= first) & (days < end)))
        changed_on = np.unique(nearby.stamps // DAY_S).tolist()
        in_sight = powers.in_sight(corrected, stored)
        corrected = powers.with_changed(spans, corrected, in_sight, changed_on)
        touched.append(touched_days(history, nearby, None, corrected, before, after))
    touched += judged_otherwise(spans, corrected)
    touched += doubted_otherwise(change.readings, site, meter, spans, corrected)
    return touched, corrected


def accept_delivery(
    store: Store,
    site: int,
    number: int,
    meter_id: str | None,
    reason: str,
    account: str,
    now_us: int,
) -> tuple[Meter, ...]:
    """Let the held readings of a delivery count, of one meter or of all; return of which.

    What goes on looking the same counts as well. Raises `UnknownDelivery`, `NothingToChange` where
    nothing of it is held back, and the errors of a store.
    """
    with store.change(site) as change:
        delivery = required_delivery(change, site, number)
        catalogue = change.catalogue.catalogue(site)
        said = change.readings.delivered(site, delivery)
        stamps = {
            meter.number: said[meter.number].stamps
            for meter in catalogue.meters
            if meter.number in said and meter_id in (None, meter.id)
        }
        accepted = _accepted(catalogue, stamps, number)
        if not accepted:
            of_meter = "" if meter_id is None else f" of meter {meter_id}"
            raise NothingToChange(f"nothing{of_meter} in delivery {number} is held back")
        action = f"accept delivery {number}"
        _store(change, catalogue, accepted, account, now_us, action, reason)
    return tuple(accepted.values())


def take_acceptance_back(
    store: Store, site: int, number: int, meter_id: str | None, account: str, now_us: int
) -> tuple[Meter, ...]:
    """Judge the readings of a delivery anew that was accepted, of one meter or of all.

    Raises `UnknownDelivery`, `NothingToChange` where it was not, and the errors of a store.
    """
    with store.change(site) as change:
        required_delivery(change, site, number)
        catalogue = change.catalogue.catalogue(site)
        left = {
            meter.number: replace(
                meter, accepted=tuple(a for a in meter.accepted if a.delivery != number)
            )
            for meter in catalogue.meters
            if meter_id in (None, meter.id) and any(a.delivery == number for a in meter.accepted)
        }
        if not left:
            raise NothingToChange(f"delivery {number} was not accepted")
        action = f"take back that delivery {number} was accepted"
        _store(change, catalogue, left, account, now_us, action)
    return tuple(left.values())


def accept_held(
    change: Change,
    site: int,
    number: int,
    meters: NDArray[np.int64],
    stamps: NDArray[np.int64],
    account: str,
    now_us: int,
) -> None:
    """Accept what is held back of the rows of a delivery: their meters and stamps."""
    catalogue = change.catalogue.catalogue(site)
    of_meter = {named: stamps[meters == named] for named in np.unique(meters).tolist()}
    accepted = _accepted(catalogue, of_meter, number)
    _store(change, catalogue, accepted, account, now_us, f"accept delivery {number}")


def _accepted(
    catalogue: SiteCatalogue, stamps: Mapping[int, NDArray[np.int64]], delivery: int
) -> dict[int, Meter]:
    """Return the meters with held readings among those, with these accepted."""
    found: dict[int, Meter] = {}
    for meter in catalogue.meters:
        said = stamps.get(meter.number)
        if said is None:
            continue
        spans = tuple(
            AcceptedSpan(
                looks=span.looks, from_at=span.from_at, until_at=span.until_at, delivery=delivery
            )
            for span in meter.held
            if within(span, placed(said, meter)).any()
        )
        if spans:
            found[meter.number] = replace(meter, accepted=(*meter.accepted, *spans))
    return found


def _store(
    change: Change,
    catalogue: SiteCatalogue,
    meters: Mapping[int, Meter],
    account: str,
    now_us: int,
    action: str,
    reason: str = "",
) -> None:
    """Judge meters with what is accepted of them, and store them."""
    before = {meter.number: meter for meter in catalogue.meters}
    changed = [
        (before[number], rejudged(change.readings, catalogue, meter))
        for number, meter in meters.items()
    ]
    store_held(change, catalogue, changed, account, now_us, action, reason)
