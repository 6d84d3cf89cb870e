"""Taking readings in: each row is accepted, unchanged or rejected; the accepted are durable."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.incoming_readings import IncomingReadings
from commonwatt.app.ports import Delivery, Store
from commonwatt.domain.catalogue import REGISTERS_OF, Meter, SiteCatalogue
from commonwatt.domain.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingRows,
    Receipt,
    Rejected,
    StoredReadings,
)
from commonwatt.domain.vee.life import AHEAD_S


def ingest_readings(
    store: Store, site: int, rows: ReadingRows, account: str, source: str, now_us: int
) -> Receipt:
    """Store the rows that can be readings, in one transaction that is durable when this returns.

    ``now_us`` [Unix microseconds] becomes the delivery's instant. Rejected are rows that name no
    physical meter of the site or a register that it has not. Raises the errors of `store_errors`.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        rows, meters = _of_known_meters(catalogue, rows)
        rejected = tuple(sorted(rows.rejected, key=lambda each: each.row))
        if not len(rows.rows):
            return Receipt(delivery=None, accepted=0, unchanged=0, superseding=0, rejected=rejected)
        number = change.catalogue.generation(site) + 1
        readings = _as_readings(rows, number, now_us)
        incoming = IncomingReadings(change, catalogue, meters, readings, number, now_us)
        versions = incoming.compare()
        unchanged = len(rows.rows) - versions.accepted
        if not versions.accepted:
            return Receipt(
                delivery=None, accepted=0, unchanged=unchanged, superseding=0, rejected=rejected
            )
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
                rejected=len(rejected),
                first_day=first_day,
                last_day=end_day - 1,
            ),
        )
    return Receipt(
        delivery=number,
        accepted=versions.accepted,
        unchanged=unchanged,
        superseding=versions.superseding,
        rejected=rejected,
    )


def _of_known_meters(
    catalogue: SiteCatalogue, rows: ReadingRows
) -> tuple[ReadingRows, NDArray[np.int64]]:
    """Reject the rows of unknown and rule meters, and registers that a meter has not.

    Also return the number of each remaining row's meter.
    """
    reasons: dict[int, str] = {}
    found: list[Meter | None] = []
    for code, name in enumerate(rows.meters):
        meter = _meter_of(catalogue, name)
        found.append(meter)
        if meter is None:
            reasons[code] = f"no meter {_as_said(name)} at this site"
        elif meter.is_rule_meter:
            reasons[code] = f"meter {_as_said(name)} is computed by a rule and takes no readings"
    rejected = list(rows.rejected)
    kept = np.ones(len(rows.rows), np.bool_)
    for code, reason in reasons.items():
        _reject(rows, rows.meter_codes == code, reason, kept, rejected)
    for register, column in rows.values.items():
        lacking = [
            code
            for code, meter in enumerate(found)
            if meter is not None and register not in REGISTERS_OF[meter.medium]
        ]
        if lacking:
            wrong = kept & (column != NO_VALUE) & np.isin(rows.meter_codes, lacking)
            _reject(rows, wrong, f"this meter has no register {register}", kept, rejected)
    numbers = np.array([0 if meter is None else meter.number for meter in found], np.int64)
    if not kept.all():
        rows = _rows_at(rows, np.flatnonzero(kept))
    return replace(rows, rejected=rejected), numbers[rows.meter_codes]


def _reject(
    rows: ReadingRows,
    marked: NDArray[np.bool_],
    reason: str,
    kept: NDArray[np.bool_],
    rejected: list[Rejected],
) -> None:
    rejected.extend(Rejected(row, reason) for row in rows.rows[marked].tolist())
    kept &= ~marked


def _meter_of(catalogue: SiteCatalogue, name: MeterName) -> Meter | None:
    if name.id is not None:
        return catalogue.meter_by_id.get(name.id)
    if name.type is None or name.prim_ad is None:
        return None
    return catalogue.meter_by_address.get((name.type, name.prim_ad))


def _as_said(name: MeterName) -> str:
    return name.id if name.id is not None else f"{name.type} prim_ad:{name.prim_ad}"


def _rows_at(rows: ReadingRows, positions: NDArray[np.intp]) -> ReadingRows:
    codes = rows.serial_codes
    return replace(
        rows,
        rows=rows.rows[positions],
        meter_codes=rows.meter_codes[positions],
        stamps=rows.stamps[positions],
        values={register: column[positions] for register, column in rows.values.items()},
        qualities=rows.qualities[positions],
        issued_at=rows.issued_at[positions],
        serial_codes=None if codes is None else codes[positions],
    )


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
    )
