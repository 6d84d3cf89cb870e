"""Taking readings in: each row is accepted, unchanged or rejected; the accepted are durable."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.errors import CommonwattError
from commonwatt.app.ports import Delivery, Store
from commonwatt.app.readings.clock_jumps import tell_clock_jump
from commonwatt.app.readings.deliveries import accept_held
from commonwatt.app.readings.held import held_rows
from commonwatt.app.readings.hold_back import hold_back
from commonwatt.app.readings.incoming import IncomingReadings
from commonwatt.app.readings.rejected_rows import ContradictingRows, Rejections
from commonwatt.app.readings.versions import WHY_NOT, WhyNot
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, SiteCatalogue
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.readings import (
    NAMED_ROWS_MAX,
    NO_VALUE,
    NOT_ISSUED,
    HeldRows,
    MeterName,
    NotEffective,
    ReadingRows,
    Receipt,
    StoredReadings,
)

_NOT_ISSUED_YET = (
    "issued_at lies more than 15 minutes ahead of this server's clock; it is when the sender "
    "issued this version"
)


class Implausible(StrEnum):
    """What becomes of readings that as a whole cannot be what their meter is declared as."""

    HELD = "held"
    REFUSED = "refused"
    ACCEPTED = "accepted"


class ImplausibleReadings(CommonwattError):
    """Readings that look like something else; nothing was stored. ``held`` says like what."""

    def __init__(self, held: Sequence[HeldRows]) -> None:
        super().__init__("; ".join(f"meter {each.meter_name}: {each.reason}" for each in held))
        self.held = tuple(held)


def ingest_readings(
    store: Store,
    site: int,
    rows: ReadingRows,
    account: str,
    source: str,
    now_us: int,
    implausible: Implausible = Implausible.HELD,
) -> Receipt:
    """Store the rows that can be readings, in one transaction that is durable when this returns.

    ``now_us`` [Unix microseconds] becomes the delivery's instant. Rejected are rows that name no
    physical meter of the site or a register that it has not, are issued more than 15 minutes after
    now, and all rows that contradict each other. Raises `ImplausibleReadings` where readings that
    look like something else are to be ``REFUSED``, and the errors of a store.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        rejections = Rejections(rows.rows, rows.total, rows.rejected)
        rows, meters = _possible(catalogue, rows, rejections, now_us)
        if not len(rows.rows):
            return Receipt(
                delivery=None,
                accepted=0,
                unchanged=0,
                superseding=0,
                rejected=rejections.named(),
                rejected_rows=rejections.count,
            )
        tell_clock_jump(change, catalogue, now_us)
        number = change.catalogue.generation(site) + 1
        readings = _as_readings(rows, number, now_us)
        incoming = IncomingReadings(change, catalogue, meters, readings, number, now_us)
        versions = incoming.compare()
        unchanged = len(rows.rows) - versions.accepted
        why_not = incoming.in_order_given(versions.why_not)
        not_counting = np.flatnonzero(why_not != WhyNot.IT_COUNTS)
        receipt = Receipt(
            delivery=number if versions.accepted else None,
            accepted=versions.accepted,
            unchanged=unchanged,
            superseding=versions.superseding,
            rejected=rejections.named(),
            rejected_rows=rejections.count,
            not_counting=[
                NotEffective(int(rows.rows[at]), WHY_NOT[WhyNot(why_not[at])])
                for at in not_counting[:NAMED_ROWS_MAX].tolist()
            ],
            not_counting_rows=len(not_counting),
        )
        if not versions.accepted:
            return replace(receipt, held=held_rows(change, site, meters, rows.stamps))
        change.catalogue.next_generation(site)
        first_day, end_day = incoming.store(versions)
        change.readings.add_delivery(
            site,
            Delivery(
                number=number,
                recorded_us=now_us,
                account=account,
                source=source,
                accepted=versions.accepted,
                unchanged=unchanged,
                superseding=versions.superseding,
                rejected=rejections.count,
                not_counting=len(not_counting),
                first_day=first_day,
                last_day=end_day - 1,
            ),
        )
        hold_back(change, site, incoming.may_be_held, account, now_us)
        held = held_rows(change, site, meters, rows.stamps)
        if held and implausible is Implausible.REFUSED:
            raise ImplausibleReadings(held)
        if held and implausible is Implausible.ACCEPTED:
            accept_held(change, site, number, meters, rows.stamps, account, now_us)
            held = ()
    return replace(receipt, held=held)


def _possible(
    catalogue: SiteCatalogue, rows: ReadingRows, rejections: Rejections, now_us: int
) -> tuple[ReadingRows, NDArray[np.int64]]:
    """Reject what cannot be a reading of this site; return the others and their meters' numbers.

    That are rows of unknown and rule meters, registers that a meter has not, what is said to be
    issued after now, and rows that contradict each other.
    """
    rejections.reject(rows.issued_at > now_us + AHEAD_S * 1_000_000, _always(_NOT_ISSUED_YET))
    found = [_meter_of(catalogue, name) for name in rows.meters]
    numbers = np.array([0 if meter is None else meter.number for meter in found], np.int64)
    unusable = [code for code, meter in enumerate(found) if meter is None or meter.is_rule_meter]
    rejections.reject(
        np.isin(rows.meter_codes, unusable),
        lambda position: _why_unusable(catalogue, rows.meters[rows.meter_codes[position]]),
    )
    for register, column in rows.values.items():
        lacking = [
            code
            for code, meter in enumerate(found)
            if meter is not None and register not in REGISTERS_OF[meter.medium]
        ]
        wrong = (column != NO_VALUE) & np.isin(rows.meter_codes, lacking)
        rejections.reject(wrong, _always(f"this meter has no register {register}"))
    kept = np.flatnonzero(rejections.kept)
    contradicting = ContradictingRows(rows.take(kept), numbers[rows.meter_codes[kept]])
    marked = np.zeros(len(rows.rows), np.bool_)
    marked[kept] = contradicting.marked
    rejections.reject(
        marked, lambda position: contradicting.reason(int(np.searchsorted(kept, position)))
    )
    if not rejections.kept.all():
        rows = rows.take(np.flatnonzero(rejections.kept))
    return rows, numbers[rows.meter_codes]


def _always(reason: str) -> Callable[[int], str]:
    return lambda _: reason


def _why_unusable(catalogue: SiteCatalogue, name: MeterName) -> str:
    if _meter_of(catalogue, name) is None:
        return f"no meter {_as_said(name)} at this site"
    return f"meter {_as_said(name)} is computed by a rule and takes no readings"


def _meter_of(catalogue: SiteCatalogue, name: MeterName) -> Meter | None:
    if name.id is not None:
        return catalogue.meter_by_id.get(name.id)
    if name.type is None or name.prim_ad is None:
        return None
    return catalogue.meter_by_address.get((name.type, name.prim_ad))


def _as_said(name: MeterName) -> str:
    return name.id if name.id is not None else f"{name.type} prim_ad:{name.prim_ad}"


def _as_readings(rows: ReadingRows, number: int, now_us: int) -> StoredReadings:
    """The rows as they are stored under a delivery."""
    count = len(rows.rows)
    issued = rows.issued_at != NOT_ISSUED
    if rows.serial_codes is None or not len(rows.serials):
        serials = np.zeros(count, "U1")
    else:
        serials = np.array(["", *rows.serials])[rows.serial_codes + 1]
    return StoredReadings(
        stamps=rows.stamps,
        values=rows.values,
        qualities=rows.qualities,
        issued_at=np.where(issued, rows.issued_at, now_us),
        issued=issued,
        ahead=rows.stamps > now_us // 1_000_000 + AHEAD_S,
        deliveries=np.full(count, number, np.int64),
        serials=serials,
        replaces=rows.replaces,
    )
