"""Setting and clearing a reading by hand. What senders said stays as it is.

An edit of a reading is a delivery of one reading, which counts before all others of its instant. So
it is known when every delivery is, marks what every delivery marks, and counts no more once it is
undone as if it were withdrawn.
"""

from dataclasses import dataclass

import numpy as np

from commonwatt.app.declaring.apply import CannotChange
from commonwatt.app.declaring.rules import meter_label
from commonwatt.app.errors import UnknownMeter
from commonwatt.app.ports import Change, Delivery, Store
from commonwatt.app.readings.hold_back import hold_back
from commonwatt.app.readings.incoming import IncomingReadings
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, Register
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import (
    ReadingQuality,
    RegisterReadings,
    StoredReadings,
    effective_readings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedReading:
    """The reading of a register at an instant [Unix seconds] to set or clear.

    ``register`` is the raw one, as senders name it; None: the one that feeds the meter's main
    register then. ``index`` [mWh, ml], of an interval meter the energy of the interval that ends at
    ``at``; None clears.
    """

    meter_id: str
    at: int
    index: int | None
    reason: str
    register: Register | None = None


def edit_reading(store: Store, site: int, wanted: WantedReading, account: str, now_us: int) -> Edit:
    """Set or clear a reading of a meter, and record who did and why.

    Raises `CannotChange`, `UnknownMeter`, and the errors of a store.
    """
    with store.change(site) as change:
        meter = change.catalogue.catalogue(site).meter_by_id.get(wanted.meter_id)
        if meter is None:
            raise UnknownMeter(wanted.meter_id)
        _check(wanted, meter, now_us // 1_000_000)
        register = wanted.register or _main_raw_register(meter, wanted.at)
        effective = _effective_reading(change, site, meter, register, wanted.at)
        if wanted.index is None and not len(effective.stamps):
            raise CannotChange("at", f"no reading of {register} counts at that very second")
        delivery = change.catalogue.next_generation(site)
        number = max((each.number for each in change.edits.edits(site)), default=0) + 1
        edit = Edit(
            number=number,
            meter=meter.number,
            register=register,
            start_at=wanted.at,
            end_at=wanted.at,
            energy=None,
            reason=wanted.reason,
            account=account,
            made_us=now_us,
            index=wanted.index,
            delivery=delivery,
        )
        _deliver(change, site, edit, effective)
        change.edits.add_edit(site, edit, delivery)
        at = now_us // 1_000_000
        change.audit(at, account, site, "edit reading", str(number), wanted.reason)
        return edit


def _main_raw_register(meter: Meter, instant_at: int) -> Register:
    registers, facts = REGISTERS_OF[meter.medium], meter.facts_at(instant_at)
    return facts.raw_register(registers[-1] if facts.main_is_export else registers[0])


def _check(wanted: WantedReading, meter: Meter, now_at: int) -> None:
    registers = REGISTERS_OF[meter.medium]
    if meter.is_rule_meter:
        label = meter_label(meter)
        raise CannotChange("at", f"{label} is computed from others and has no readings")
    if wanted.register is not None and wanted.register not in registers:
        raise CannotChange("register", f"{meter_label(meter)} has {', '.join(registers)}")
    if not OLDEST_STAMP_AT <= wanted.at <= now_at:
        raise CannotChange("at", "at must lie after 2000 and not in the future")


def _effective_reading(
    change: Change, site: int, meter: Meter, register: Register, at: int
) -> RegisterReadings:
    """The reading that counts at an instant, one or none."""
    day = day_of(at)
    stored = change.readings.readings(site, [meter.number], day, day + 1).get(meter.number)
    readings = effective_readings(stored, register, change.readings.withdrawn(site))
    return readings.take(np.flatnonzero(readings.stamps == at))


def _deliver(change: Change, site: int, edit: Edit, effective: RegisterReadings) -> None:
    """Store what an edit says as its delivery."""
    assert edit.delivery is not None, "an edit of a reading"
    incoming = IncomingReadings(
        change,
        change.catalogue.catalogue(site),
        np.array([edit.meter]),
        _as_readings(edit, edit.delivery, effective),
        edit.delivery,
        edit.made_us,
    )
    superseding = len(effective.stamps)
    first_day, end_day = incoming.store(incoming.as_said(superseding))
    delivery = Delivery(
        number=edit.delivery,
        recorded_us=edit.made_us,
        account=edit.account,
        source=f"edit {edit.number}",
        accepted=1,
        unchanged=0,
        superseding=superseding,
        rejected=0,
        first_day=first_day,
        last_day=end_day - 1,
        not_counting=0,
    )
    change.readings.add_delivery(site, delivery)
    hold_back(change, site, incoming.may_be_held, edit.account, edit.made_us)


def _as_readings(edit: Edit, delivery: int, effective: RegisterReadings) -> StoredReadings:
    """The reading as it is stored; what is cleared is told with its index."""
    cleared = edit.index is None
    values = effective.values if cleared else np.array([edit.index], np.int64)
    serials = effective.serials
    if serials is None or not len(serials):
        serials = np.zeros(1, "U1")
    quality = ReadingQuality.CLEARED if cleared else ReadingQuality.EDITED
    return StoredReadings(
        stamps=np.array([edit.start_at], np.int64),
        values={edit.register: values},
        qualities=np.array([quality], np.uint8),
        # All alike: of two edits the later delivery counts, whatever the clock said.
        issued_at=np.zeros(1, np.int64),
        issued=np.ones(1, np.bool_),
        ahead=np.zeros(1, np.bool_),
        deliveries=np.array([delivery], np.int64),
        serials=serials,
    )
