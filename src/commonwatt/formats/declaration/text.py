"""What is declared of a site now, as the YAML that `commonwatt apply` takes back."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import yaml

from commonwatt.domain.metering.catalogue import (
    Device,
    Meter,
    MeterFacts,
    Register,
    RegisterKind,
    Sensor,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.local_time import duration_text
from commonwatt.domain.metering.zones import local_midnight

_ADDRESS = ("street_name", "street_number", "city", "postal_code")
_SITE = ("id", "site_ref", "name", "timezone", "creation_date", "latitude", "longitude")


def declaration_text(catalogue: SiteCatalogue) -> str:
    """Return what holds of a site, its meters and its sensors last, as YAML.

    Applied to the same store it changes nothing. What is at its default is left out; instants are
    on the site's clock. Earlier facts, resolutions of findings and edits are not part of it.
    """
    site, facts = catalogue.site, catalogue.facts[-1]
    said = {name: getattr(site, name) for name in _SITE}
    said["address"] = {name: getattr(site, name) for name in _ADDRESS}
    said["electricity"] = dict(_electricity(facts, site.timezone))
    said["proxy_days"] = facts.proxy_days or None
    meters = sorted(catalogue.meters, key=lambda meter: (meter.medium.value, meter.prim_ad))
    document = {
        "site": said,
        "meters": [dict(_meter(meter, site.timezone)) for meter in meters],
        "sensors": [dict(_sensor(sensor)) for sensor in catalogue.sensors],
    }
    return yaml.dump(
        _without_empty(document),
        Dumper=_Dumper,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )


def _electricity(facts: SiteFacts, zone: str) -> Iterator[tuple[str, object]]:
    plain = SiteFacts(valid_from=0, valid_to=None)
    for name in ("balance", "key", "battery"):
        if getattr(facts, name) != getattr(plain, name):
            yield name, str(getattr(facts, name))
    yield "connection_kw", _thousandths(facts.connection_w)
    yield "valid_from", _instant(facts.valid_from or None, zone)


def _meter(meter: Meter, zone: str) -> Iterator[tuple[str, object]]:
    facts = meter.current
    yield "id", meter.id
    yield "name", meter.name
    yield "type", meter.medium.value
    yield "mode", facts.mode.value
    yield "prim_ad", meter.prim_ad
    if meter.interval_s is not None:
        yield "interval", duration_text(meter.interval_s)
    yield "installed_at", _instant(meter.installed_at, zone)
    yield "installed_index", _indexes(meter.installed_index)
    yield "removed_at", _instant(meter.removed_at, zone)
    yield from _facts(facts)
    yield "registers", _registers(meter, zone)
    yield "valid_from", _instant(facts.valid_from or None, zone)
    yield "devices", [dict(_device(device, zone)) for device in meter.devices]
    yield "register_meter", meter.register_meter
    if meter.expected_s is not None:
        yield "expected", duration_text(meter.expected_s)
    if meter.register_kind is not RegisterKind.COUNTS:
        yield "register_kind", meter.register_kind.value


def _facts(facts: MeterFacts) -> Iterator[tuple[str, object]]:
    plain = MeterFacts(valid_from=0, valid_to=None, mode=facts.mode)
    for name in ("enabled", "balance", "isolated", "priority", "factor", "share", "rule"):
        if getattr(facts, name) != getattr(plain, name):
            yield name, getattr(facts, name)
    listed = not any(facts.producers.values())
    yield "producers", [*facts.producers] if listed else dict(facts.producers)
    yield "max_per_hour", _thousandths(facts.max_per_hour)


def _registers(meter: Meter, zone: str) -> dict[str, object]:
    """Which raw register feeds which, and from when the meter has them."""
    raw = {name.value: each.value for name, each in meter.current.registers.items()}
    starts = {name.value: _instant(at, zone) for name, at in meter.register_from.items()}
    return raw | {name: {"raw": raw.get(name), "from": at} for name, at in starts.items()}


def _device(device: Device, zone: str) -> Iterator[tuple[str, object]]:
    yield "from", _instant(device.from_at, zone)
    yield "serial", device.serial
    yield "digits", device.digits
    yield "factor", device.factor
    yield "start_index", _indexes(device.start_index)
    yield "end_index", _indexes(device.end_index)


def _sensor(sensor: Sensor) -> Iterator[tuple[str, object]]:
    for name in ("id", "name", "type", "unit", "model"):
        yield name, getattr(sensor, name) or None


def _indexes(indexes: Mapping[Register, int]) -> dict[str, Decimal]:
    """Raw indexes [mWh, ml] in kWh or m3."""
    return {name.value: Decimal(index) / 1_000_000 for name, index in indexes.items()}


def _thousandths(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value) / 1_000


def _instant(instant_at: int | None, zone: str) -> "_Instant | None":
    if instant_at is None:
        return None
    local = datetime.fromtimestamp(instant_at, ZoneInfo(zone))
    if local_midnight(zone, local.date()) == instant_at:
        return _Instant(local.date().isoformat())
    return _Instant(local.isoformat())


def _without_empty(value: object) -> object:
    """Leave out what says nothing: None, and lists and mappings without anything."""
    if isinstance(value, Mapping):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return [_without_empty(each) for each in value]
    return value


class _Instant(str):
    """A date or time: a date is written without quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes decimals and instants as plain scalars."""


def _plain_decimal(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = f"{value.normalize():f}"
    tag = "tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int"
    return dumper.represent_scalar(tag, text)


def _plain_instant(dumper: yaml.SafeDumper, value: _Instant) -> yaml.Node:
    # A time has colons, which need quotes in a line of several keys; a date never needs them.
    tag = "tag:yaml.org,2002:str" if ":" in value else "tag:yaml.org,2002:timestamp"
    return dumper.represent_scalar(tag, str(value))


_Dumper.add_representer(Decimal, _plain_decimal)
_Dumper.add_representer(_Instant, _plain_instant)
