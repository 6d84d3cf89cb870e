"""The devices in a meter's place as JSON, the same list as in a declaration."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.domain.metering.catalogue import Device, Register
from commonwatt.formats import json_fields as read
from commonwatt.formats.json_fields import BadField, JsonFields, json_document
from commonwatt.formats.stamps.instants import utc_text
from commonwatt.formats.yaml_devices import DEVICE_KEYS

_MILLION = 1_000_000
_INDEXES = read.by_name(list(Register), read.decimal("0", "9000000000"))


def devices_from_json(body: bytes) -> tuple[Device, ...]:
    """Return the devices that a JSON list declares. Raises `BadField` and `UnreadableBody`.

    >>> devices_from_json(b'[{"serial": "A"}, {"from": "2026-01-01", "start_index": {"en_im": 5}}]')
    ... # doctest: +ELLIPSIS
    (Device(from_at=None, serial='A', ...), Device(from_at=1767225600, ...))
    """
    document = json_document(body)
    if not isinstance(document, list):
        raise BadField("body", "must be a list of devices, the first one first")
    return tuple(_device(each, f"devices[{at}]") for at, each in enumerate(document))


def _device(value: object, where: str) -> Device:
    fields = JsonFields(value, DEVICE_KEYS, where)
    return Device(
        from_at=fields.optional("from", read.instant),
        serial=fields.optional("serial", read.text),
        digits=fields.optional("digits", read.whole(FEWEST_DIGITS, MOST_DIGITS)),
        factor=fields.optional("factor", read.decimal("0.000001", "999999.999999")),
        start_index=_indexes(fields, "start_index"),
        end_index=_indexes(fields, "end_index"),
    )


def _indexes(fields: JsonFields, key: str) -> Mapping[Register, int]:
    """Read indexes [kWh, m3] as raw ones [mWh, ml]."""
    found = fields.optional(key, _INDEXES)
    return {Register(name): int(index * _MILLION) for name, index in (found or {}).items()}


def devices_to_json(devices: Sequence[Device]) -> list[dict[str, object]]:
    """Return devices as `devices_from_json` reads them, numbers as decimals; not said is null."""
    return [
        {
            "from": None if each.from_at is None else utc_text(each.from_at),
            "serial": each.serial,
            "digits": each.digits,
            "factor": each.factor,
            "start_index": _shown(each.start_index),
            "end_index": _shown(each.end_index),
        }
        for each in devices
    ]


def _shown(indexes: Mapping[Register, int]) -> dict[str, Decimal]:
    return {name.value: Decimal(index) / _MILLION for name, index in indexes.items()}
