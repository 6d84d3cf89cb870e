"""Accepting readings that are held back as they are, and taking that back."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.hold_back import store_held
from commonwatt.app.ports import Change, Store
from commonwatt.app.read_delivery import required_delivery
from commonwatt.app.rejudge import rejudged
from commonwatt.app.withdraw_delivery import NothingToChange
from commonwatt.domain.catalogue import AcceptedSpan, Meter, SiteCatalogue
from commonwatt.domain.vee.history import placed, within


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
    nothing of it is held back, and the errors of `store_errors`.
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

    Raises `UnknownDelivery`, `NothingToChange` where it was not, and the errors of `store_errors`.
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
