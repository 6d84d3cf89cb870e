"""Whether the devices in a meter's place can be as they are declared."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from commonwatt.domain.metering.catalogue import REGISTERS_OF, Device, Meter, Register

FEWEST_DIGITS, MOST_DIGITS = 3, 12
"""Digits before the decimal point [kWh, m3] that a register may have."""
_MILLION = 1_000_000
_FACTOR_TERMS_MAX = 10**15
"""Largest product of a factor's reduced numerator and denominator that 64 bits settle exactly."""
_FACTOR_MAX = 1_000_000


def factor_fault(factor: Decimal) -> str | None:
    """Say what is wrong with a factor, None for one that exact arithmetic can hold."""
    numerator, denominator = factor.as_integer_ratio()
    if 0 < factor < _FACTOR_MAX and numerator * denominator <= _FACTOR_TERMS_MAX:
        return None
    return (
        f"{factor} is {numerator}/{denominator}, too fine for exact arithmetic; "
        f"it must lie above 0 and below {_FACTOR_MAX}, and numerator x denominator of the "
        "reduced fraction must not exceed 10^15"
    )


def device_fault(meter: Meter) -> str | None:
    """Say what is wrong first with the devices of a meter, None if they can be."""
    return next(_faults(meter), None)


def _faults(meter: Meter) -> Iterator[str]:
    devices = meter.devices
    yield from _order_faults(devices)
    yield from _life_faults(meter)
    for number, device in enumerate(devices, 1):
        for reason in _device_faults(meter, device):
            yield f"device {number} {reason}"
    if devices and devices[0].from_at is None and devices[0].start_index:
        yield (
            "device 1 has a start_index and no from, its moment; the index at the installation "
            "of the meter is installed_index"
        )
    if devices and devices[-1].end_index and meter.removed_at is None:
        yield (
            f"device {len(devices)} has an end_index and is still in; add the device that came "
            "after it, or removed_at of the meter"
        )


def _order_faults(devices: Sequence[Device]) -> Iterator[str]:
    for number, (before, after) in enumerate(pairwise(devices), 2):
        if after.from_at is None:
            yield f"device {number} needs from; only the first may lack it"
        elif before.from_at is not None and after.from_at <= before.from_at:
            yield f"device {number} does not begin after device {number - 1}; list them in order"


def _life_faults(meter: Meter) -> Iterator[str]:
    for number, device in enumerate(meter.devices, 1):
        if device.from_at is None:
            continue
        if meter.removed_at is not None and device.from_at >= meter.removed_at:
            yield f"device {number} begins when the meter is removed already"
        if meter.installed_at is None:
            continue
        early = device.from_at < meter.installed_at
        if early or (number > 1 and device.from_at == meter.installed_at):
            yield f"device {number} begins before the meter is installed"


def _device_faults(meter: Meter, device: Device) -> Iterator[str]:
    registers = REGISTERS_OF[meter.medium]
    for key, indexes in (("start_index", device.start_index), ("end_index", device.end_index)):
        for register, index in indexes.items():
            if register not in registers:
                yield f"has {key} of {register}, and the meter has {', '.join(registers)}"
            elif device.digits is not None and index >= 10**device.digits * _MILLION:
                yield f"has {device.digits} digits, too few for its {key} of {register}"
    if meter.interval_s is not None and (device.start_index or device.end_index or device.digits):
        yield "has indexes or digits, and the meter sends the energy of intervals"
    elif meter.interval_s is not None and device.factor is not None:
        yield (
            "has a factor, and the meter sends the energy of intervals; declare the factor of the "
            "meter, with valid_from"
        )
    if device.factor is not None and (reason := factor_fault(device.factor)):
        yield f"has a factor that cannot be: {reason}"


def shown_index(indexes: Mapping[Register, int]) -> str:
    """Show raw indexes [mWh, ml] in kWh or m3.

    >>> shown_index({Register.EN_IM: 12_500_000})
    '{en_im: 12.500000}'
    """
    parts = (f"{name}: {i // _MILLION}.{i % _MILLION:06d}" for name, i in indexes.items())
    return "{" + ", ".join(parts) + "}"
