"""Declaring what was in a meter's place: all devices at once, or one exchange, also long after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from commonwatt.app.declaring.apply import Applied, CannotChange, change_meter
from commonwatt.app.ports import Snapshot, Store
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Device, Meter, Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A device was put in another's place at an instant [Unix seconds].

    ``end_index`` of the old and ``start_index`` of the new are raw register indexes [mWh, ml]; a
    register that one of both does not name has a break there. What is None is not said.
    """

    at: int
    end_index: Mapping[Register, int] = field(default_factory=dict)
    start_index: Mapping[Register, int] = field(default_factory=dict)
    serial: str | None = None
    factor: Decimal | None = None
    digits: int | None = None


def declare_devices(
    store: Store, site: int, meter_id: str, devices: Sequence[Device], account: str, now_at: int
) -> Applied:
    """Replace the list of a meter's devices.

    Raises `CannotChange`, `UnknownMeter`, and the errors of a store.
    """

    def changed(meter: Meter) -> Meter:
        return replace(meter, devices=tuple(devices))

    return change_meter(store, site, meter_id, changed, account, now_at, "declare devices")


def exchange_device(
    store: Store, site: int, meter_id: str, exchange: Exchange, account: str, now_at: int
) -> Applied:
    """Declare an exchange of a meter's device; said again at the same instant, it is corrected.

    Raises `CannotChange`, `UnknownMeter`, and the errors of a store.
    """

    def changed(meter: Meter) -> Meter:
        return replace(meter, devices=exchanged(meter.devices, exchange))

    return change_meter(store, site, meter_id, changed, account, now_at, "exchange device")


def undo_exchange(
    store: Store, site: int, meter_id: str, at: int, account: str, now_at: int
) -> Applied:
    """Take the exchange at an instant [Unix seconds] back: the device before it goes on.

    Raises `CannotChange` where none is declared there, `UnknownMeter`, and the errors of
    a store.
    """

    def changed(meter: Meter) -> Meter:
        return replace(meter, devices=not_exchanged(meter.devices, at))

    return change_meter(store, site, meter_id, changed, account, now_at, "undo exchange")


@dataclass(frozen=True, slots=True)
class IndexLacking:
    """An exchange does not say an index of a register in use, so it has a break there.

    ``of_old``: the last index of the old device, else the first of the new one.
    """

    register: Register
    of_old: bool


def indexes_lacking(snapshot: Snapshot, site: int, meter: Meter, at: int) -> list[IndexLacking]:
    """Return the indexes that the exchange of a meter's device at an instant still lacks.

    In use are registers that anything was said of; before the first reading, the meter's main one.
    Empty for interval meters, whose quarter-hours need no index, and where nothing is exchanged.
    """
    positions = [p for p, each in enumerate(meter.devices) if each.from_at == at]
    if meter.interval_s is not None or not positions or not positions[0]:
        return []
    old, new = meter.devices[positions[0] - 1 : positions[0] + 1]
    names = REGISTERS_OF[meter.medium]
    said = snapshot.readings.register_spans(site, [meter.number]).get(meter.number, {})
    main = names[-1 if meter.current.main_is_export else 0]
    in_use = [register for register in names if register in said] or [main]
    return [
        IndexLacking(register, of_old)
        for register in in_use
        for of_old, device in ((True, old), (False, new))
        if register not in (device.end_index if of_old else device.start_index)
    ]


def exchanged(devices: Sequence[Device], exchange: Exchange) -> tuple[Device, ...]:
    """Return the devices with one that was put in at an instant. Raises `CannotChange`.

    The device in use before gets the end index, and is made where there was none. An end index that
    it had is that of the device that is put between: it is the one that was taken out later.

    >>> first = Exchange(at=900, end_index={Register.EN_IM: 7_000_000}, serial="B")
    >>> [(each.from_at, each.serial, dict(each.end_index)) for each in exchanged([], first)]
    [(None, None, {<Register.EN_IM: 'en_im'>: 7000000}), (900, 'B', {})]
    """
    known = list(devices) or [Device()]
    position = sum(each.from_at is None or each.from_at < exchange.at for each in known) - 1
    if position < 0:
        raise CannotChange("at", "no device is in use before; the first one begins then or later")
    old, after = known[position], known[position + 1 :]
    if after and after[0].from_at == exchange.at:
        new = after.pop(0)
    else:
        new = Device(from_at=exchange.at, end_index=old.end_index)
        old = replace(old, end_index={})
    old = replace(old, end_index={**old.end_index, **exchange.end_index})
    return (*known[:position], old, _with_said(new, exchange), *after)


def not_exchanged(devices: Sequence[Device], at: int) -> tuple[Device, ...]:
    """Return the devices without the one that was put in at an instant. Raises `CannotChange`.

    What `exchanged` makes of devices, this takes back: the device before has the end index of the
    one that goes, and a single device of which nothing is known is none.

    >>> at = 900
    >>> not_exchanged(exchanged([], Exchange(at=at, serial="B")), at)
    ()
    """
    positions = [p for p, each in enumerate(devices) if each.from_at == at]
    if not positions or not positions[0]:
        raise CannotChange("at", "no exchange is declared at that instant")
    (position,) = positions
    before = replace(devices[position - 1], end_index=devices[position].end_index)
    left = (*devices[: position - 1], before, *devices[position + 1 :])
    return () if left == (Device(),) else left


def _with_said(device: Device, exchange: Exchange) -> Device:
    return replace(
        device,
        serial=device.serial if exchange.serial is None else exchange.serial,
        factor=device.factor if exchange.factor is None else exchange.factor,
        digits=device.digits if exchange.digits is None else exchange.digits,
        start_index={**device.start_index, **exchange.start_index},
    )
