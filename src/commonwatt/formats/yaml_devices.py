"""The devices in a meter's place, from the YAML of a declaration."""

from collections.abc import Mapping, Sequence

from commonwatt.app.declaring.declaration import NOT_SAID, NotSaid
from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.domain.metering.catalogue import Device, Register
from commonwatt.formats import yaml_values as read
from commonwatt.formats.yaml_fields import Fields

DEVICE_KEYS = ("from", "serial", "digits", "factor", "start_index", "end_index")
_MILLION = 1_000_000


def devices_of(
    meter: Fields, registers: Sequence[Register], zone: str
) -> tuple[Device, ...] | NotSaid:
    """Read the list of a meter's devices, NOT_SAID where it is not named; faults are noted."""
    if not meter.says("devices"):
        return NOT_SAID
    return tuple(
        _device(fields, registers, zone) for fields in meter.items("devices", "device", DEVICE_KEYS)
    )


def _device(fields: Fields, registers: Sequence[Register], zone: str) -> Device:
    factor = fields.optional("factor", read.or_null(read.decimal("0.000001", "999999.999999")))
    digits = fields.optional("digits", read.or_null(read.whole(FEWEST_DIGITS, MOST_DIGITS)))
    from_at = fields.optional("from", read.or_null(read.instant(zone)))
    serial = fields.optional("serial", read.or_null(read.text))
    return Device(
        from_at=None if isinstance(from_at, NotSaid) else from_at,
        serial=None if isinstance(serial, NotSaid) else serial,
        digits=None if isinstance(digits, NotSaid) else digits,
        factor=None if isinstance(factor, NotSaid) else factor,
        start_index=_indexes(fields, "start_index", registers),
        end_index=_indexes(fields, "end_index", registers),
    )


def _indexes(fields: Fields, key: str, registers: Sequence[Register]) -> Mapping[Register, int]:
    """Read indexes [kWh, m3] of registers as raw ones [mWh, ml]."""
    indexes = fields.optional(key, read.indexes(registers))
    if isinstance(indexes, NotSaid):
        return {}
    return {register: int(index * _MILLION) for register, index in indexes.items()}
