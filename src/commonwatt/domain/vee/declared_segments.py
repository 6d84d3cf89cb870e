"""Where a register begins anew, as it was declared: exchanges of its device, and resets."""

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from commonwatt.domain.metering.catalogue import Device, Meter, Register, ResolutionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSegment:
    """What is declared of a register over one device, up to or after a reset of it.

    It lasts from ``start_at`` to ``end_at`` [Unix seconds], None where nothing is declared;
    ``first_stamp`` is the earliest that a reading of it can have. ``start_index`` and ``end_index``
    [mWh, ml] are declared to stand at its ends, None: they are not. ``installed``: it starts with
    the meter's life, ``removed``: it ends so; ``after_reset``: it starts with a reset; else its
    ends are exchanges. ``device_from_at`` is None of the first device; ``device_index`` is that
    with which the device began.
    """

    start_at: int | None = None
    end_at: int | None = None
    first_stamp: int = 0
    start_index: int | None = None
    end_index: int | None = None
    installed: bool = False
    removed: bool = False
    after_reset: bool = False
    device_from_at: int | None = None
    device_index: int | None = None
    serial: str | None = None
    digits: int | None = None
    factor: Decimal | None = None


_ONE_DEVICE = (DeclaredSegment(),)


def declared_segments(meter: Meter, register: Register) -> tuple[DeclaredSegment, ...]:
    """Return the segments of a register, ascending, each beginning where the one before ends.

    Exchanges outside the meter's life have no part. Before a first device that came at an instant
    there was another, of which nothing is known.
    """
    plain = not meter.devices and not meter.resolutions
    if plain and meter.installed_at is None and meter.removed_at is None:
        return _ONE_DEVICE
    whole = _devices_in_life(meter)
    segments = [
        DeclaredSegment(
            start_at=device.from_at,
            end_at=after.from_at,
            first_stamp=device.from_at or 0,
            start_index=device.start_index.get(register),
            end_index=device.end_index.get(register),
            removed=after.from_at == meter.removed_at,
            device_from_at=device.from_at,
            device_index=device.start_index.get(register),
            serial=device.serial,
            digits=device.digits,
            factor=device.factor,
        )
        for device, after in pairwise([*whole, Device(from_at=meter.removed_at)])
    ]
    first = segments[0]
    if meter.installed_at is not None:
        index = first.start_index or 0
        segments[0] = replace(
            first,
            start_at=meter.installed_at,
            start_index=meter.installed_index.get(register, index),
            installed=True,
        )
    return tuple(part for segment in segments for part in _cut_at_resets(segment, meter, register))


def _devices_in_life(meter: Meter) -> list[Device]:
    """The devices of the meter's life; the first one is there from its beginning."""
    devices = [*(meter.devices or (Device(),))]
    if devices[0].from_at is not None:
        devices.insert(0, Device())
    if meter.removed_at is not None:
        devices = [d for d in devices if d.from_at is None or d.from_at < meter.removed_at]
    installed_at = meter.installed_at
    before = [d for d in devices if d.from_at is None or d.from_at <= (installed_at or 0)]
    return [replace(before[-1], from_at=None), *devices[len(before) :]]


def _cut_at_resets(
    segment: DeclaredSegment, meter: Meter, register: Register
) -> list[DeclaredSegment]:
    """Cut a segment after the last reading that was before each of its resets."""
    resets = sorted(
        each.start_at
        for each in meter.resolutions
        if each.kind is ResolutionKind.RESET
        and each.register is register
        and (segment.start_at is None or segment.start_at <= each.start_at)
        and (segment.end_at is None or each.start_at < segment.end_at)
    )
    parts = [segment]
    for at in dict.fromkeys(resets):
        parts[-1:] = [
            replace(parts[-1], end_at=at, end_index=None, removed=False),
            replace(
                parts[-1],
                start_at=at,
                first_stamp=at + 1,
                start_index=None,
                installed=False,
                after_reset=True,
            ),
        ]
    return parts


def later_devices(meter: Meter, register: Register) -> list[int]:
    """The instants from which later devices are there that may begin with an index of 0."""
    later = {
        segment.device_from_at: segment.device_index
        for segment in declared_segments(meter, register)
    }
    return [at for at, index in later.items() if at is not None and not index]


def installed_index(meter: Meter, register: Register) -> int:
    """The index that a register has at the installation, where no reading says another."""
    return declared_segments(meter, register)[0].start_index or 0
