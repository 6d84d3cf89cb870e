"""Withdrawing a delivery that should not count, and reinstating it. Nothing is deleted."""

from dataclasses import replace

import numpy as np

from commonwatt.app.believed_days import DaysOfMeter, with_believed
from commonwatt.app.highest_days import PowersOfMeter, judged_otherwise
from commonwatt.app.hold_back import hold_back
from commonwatt.app.mark_changes import doubted_otherwise, mark_days, touched_days
from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.ports import Change, Delivery, RegisterSpan, Store
from commonwatt.app.read_delivery import required_delivery
from commonwatt.domain.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.quarter_hours import DAY_S, day_runs
from commonwatt.domain.readings import StoredReadings


class NothingToChange(Exception):
    """The delivery is withdrawn already, is not withdrawn, or is that of an edit."""


def withdraw_delivery(
    store: Store, site: int, number: int, reason: str, account: str, now_us: int
) -> None:
    """Let a delivery count no more, and record who withdrew it and why.

    Raises `UnknownDelivery`, `NothingToChange`, and the errors of `store_errors`.
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

    Raises `UnknownDelivery`, `NothingToChange`, and the errors of `store_errors`.
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
    for first, end in day_runs(around, longest=len(around)):
        stored = change.readings.readings(site, [meter.number], first, end).get(meter.number)
        history = MeterHistory(change.readings, site, meter, spans, stored, first, end)
        if corrected is spans:
            of_meter = DaysOfMeter(change.readings, site, meter, after)
            corrected = with_believed(spans, of_meter.believed_afresh(spans))
            then = history.with_spans(corrected)
            corrected = {
                name: replace(
                    span, first_positive_at=then.first_positive_at(Register(name), None, after)
                )
                for name, span in corrected.items()
            }
        here = said.at(np.flatnonzero((days >= first) & (days < end)))
        changed_on = np.unique(here.stamps // DAY_S).tolist()
        in_sight = powers.in_sight(corrected, stored)
        corrected = powers.with_changed(spans, corrected, in_sight, changed_on)
        touched.append(touched_days(history, here, None, corrected, before, after))
    touched += judged_otherwise(spans, corrected)
    touched += doubted_otherwise(change.readings, site, meter, spans, corrected)
    return touched, corrected
