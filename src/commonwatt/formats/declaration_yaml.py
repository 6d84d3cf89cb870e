"""A declaration of a site in YAML to typed values; everything that is wrong is told at once."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

from commonwatt.app.declaring.declaration import (
    NOT_SAID,
    DeclarationFault,
    InvalidDeclaration,
    MeterDeclaration,
    NotSaid,
    SensorDeclaration,
    SiteDeclaration,
)
from commonwatt.domain.allocation import KEYS
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    BalanceMode,
    BatteryOrder,
    Medium,
    Mode,
    RegisterKind,
)
from commonwatt.formats import yaml_values as read
from commonwatt.formats.yaml_devices import devices_of
from commonwatt.formats.yaml_fields import Fields, Reader, document_of
from commonwatt.formats.yaml_producers import producers

_SITE_KEYS = (
    *("id", "site_ref", "name", "address", "creation_date"),
    *("latitude", "longitude", "timezone", "electricity", "proxy_days"),
)
_ELECTRICITY_KEYS = ("balance", "key", "battery", "connection_kw", "valid_from")
_ADDRESS_KEYS = ("street_name", "street_number", "city", "postal_code")
_METER_KEYS = (
    *("id", "name", "type", "mode", "prim_ad", "interval", "installed_at", "installed_index"),
    *("removed_at", "valid_from", "enabled", "balance", "isolated", "priority", "factor"),
    *("share", "producers", "max_per_hour", "rule", "registers", "devices", "register_meter"),
    *("register_kind", "expected"),
)
_SENSOR_KEYS = ("id", "name", "type", "unit", "model")
_INT32_MAX = 2**31 - 1
_MOST = "1000000000"
"""The largest limit [kW, kWh or m3 per hour]: of a terawatt, nothing is implausible."""

T = TypeVar("T")


def declaration_from_yaml(text: bytes) -> SiteDeclaration:
    """Return what a YAML text declares. Raises `InvalidDeclaration` with every fault found.

    A date of ``installed_at``, ``removed_at`` or ``valid_from`` is the first instant of that day in
    the site's zone; a naive time is one on the site's clock.

    >>> site = declaration_from_yaml(b"site: {site_ref: A, name: B, timezone: UTC, latitude: 46.5}")
    >>> site.latitude, site.longitude
    (46.5, <NotSaid.NOT_SAID: 'not said'>)
    """
    faults: list[DeclarationFault] = []
    top = Fields(document_of(text), "the file", ("site", "meters", "sensors"), faults)
    site = top.fields("site", _SITE_KEYS)
    if site is None:
        if not faults:
            top.fault("site", "is missing; say which site this is")
        raise InvalidDeclaration(faults)
    zone = site.required("timezone", read.timezone, "UTC")
    meters = [_meter(fields, zone) for fields in top.items("meters", "meter", _METER_KEYS)]
    sensors = [_sensor(fields) for fields in top.items("sensors", "sensor", _SENSOR_KEYS)]
    faults.extend(_meters_said_twice(meters))
    faults.extend(_sensors_said_twice(sensors))
    declared = _site(site, zone, tuple(meters), tuple(sensors))
    if faults:
        raise InvalidDeclaration(faults)
    return declared


def _site(
    site: Fields,
    zone: str,
    meters: tuple[MeterDeclaration, ...],
    sensors: tuple[SensorDeclaration, ...],
) -> SiteDeclaration:
    site_id, site_ref = site.optional("id", read.hex_id), site.optional("site_ref", read.reference)
    if site_id is NOT_SAID and site_ref is NOT_SAID and not site.says("id", "site_ref"):
        site.fault("site", "has neither id nor site_ref; give one to know it by")
    text_or_null = read.or_null(read.text)
    address = site.fields("address", _ADDRESS_KEYS)
    street_name, street_number, city, postal_code = (
        NOT_SAID if address is None else address.optional(key, text_or_null)
        for key in _ADDRESS_KEYS
    )
    electricity = site.fields("electricity", _ELECTRICITY_KEYS)
    return SiteDeclaration(
        line=site.line,
        id=site_id,
        site_ref=site_ref,
        name=site.required("name", read.name, ""),
        timezone=zone,
        street_name=street_name,
        street_number=street_number,
        city=city,
        postal_code=postal_code,
        creation_date=site.optional("creation_date", read.or_null(read.iso_date)),
        latitude=site.optional("latitude", read.or_null(read.degrees(90))),
        longitude=site.optional("longitude", read.or_null(read.degrees(180))),
        balance=_said(electricity, "balance", read.one_of(BalanceMode)),
        key=_said(electricity, "key", read.word_of(KEYS)),
        battery=_said(electricity, "battery", read.one_of(BatteryOrder)),
        connection_w=_said(electricity, "connection_kw", read.or_null(read.thousandths(_MOST))),
        proxy_days=site.optional("proxy_days", read.boolean),
        valid_from=_said(electricity, "valid_from", read.instant(zone)),
        meters=meters,
        sensors=sensors,
    )


def _said(fields: Fields | None, key: str, reader: Reader[T]) -> T | NotSaid:
    """Return a field of a mapping that may be absent itself."""
    return NOT_SAID if fields is None else fields.optional(key, reader)


def _meter(fields: Fields, zone: str) -> MeterDeclaration:
    medium = fields.required("type", read.one_of(Medium), Medium.ELECTRICITY)
    registers = REGISTERS_OF[medium]
    instant = read.instant(zone)
    installed_at = fields.optional("installed_at", read.or_null(instant))
    removed_at = fields.optional("removed_at", read.or_null(instant))
    if isinstance(installed_at, int) and isinstance(removed_at, int) and removed_at < installed_at:
        fields.fault("removed_at", "lies before installed_at")
    wiring = fields.optional("registers", read.wiring(registers))
    return MeterDeclaration(
        line=fields.line,
        name=fields.required("name", read.text, ""),
        medium=medium,
        mode=fields.required("mode", read.one_of(Mode), Mode.CONSUMPTION),
        id=fields.optional("id", read.hex_id),
        prim_ad=fields.optional("prim_ad", read.whole(0, _INT32_MAX)),
        interval_s=fields.optional("interval", read.or_null(read.interval_s)),
        installed_at=installed_at,
        installed_index=fields.optional("installed_index", read.index_or_indexes(registers)),
        removed_at=removed_at,
        valid_from=fields.optional("valid_from", instant),
        enabled=fields.optional("enabled", read.boolean),
        balance=fields.optional("balance", read.boolean),
        isolated=fields.optional("isolated", read.boolean),
        priority=fields.optional("priority", read.whole(-_INT32_MAX, _INT32_MAX)),
        factor=fields.optional("factor", read.decimal("0.000001", "999999.999999")),
        share=fields.optional("share", read.or_null(read.decimal("0", "100"))),
        producers=fields.optional("producers", producers),
        max_per_hour=fields.optional("max_per_hour", read.or_null(read.thousandths(_MOST))),
        rule=fields.optional("rule", read.or_null(read.rule)),
        registers=wiring,
        register_from=NOT_SAID
        if isinstance(wiring, NotSaid)
        else fields.optional("registers", read.register_starts(registers, zone)),
        devices=devices_of(fields, registers, zone),
        register_meter=fields.optional("register_meter", read.or_null(read.rule)),
        register_kind=fields.optional("register_kind", read.one_of(RegisterKind)),
        expected_s=fields.optional("expected", read.or_null(read.duration_s)),
    )


def _sensor(fields: Fields) -> SensorDeclaration:
    return SensorDeclaration(
        line=fields.line,
        name=fields.required("name", read.text, ""),
        id=fields.optional("id", read.hex_id),
        type=fields.optional("type", read.text),
        unit=fields.optional("unit", read.text),
        model=fields.optional("model", read.text),
    )


def _meters_said_twice(meters: Iterable[MeterDeclaration]) -> list[DeclarationFault]:
    """Find meters that a declaration names twice, in the way each is known by."""
    said: list[tuple[int, str, Hashable]] = []
    for meter in meters:
        if meter.id is not NOT_SAID:
            said.append((meter.line, "id", meter.id))
        if meter.prim_ad is not NOT_SAID:
            said.append((meter.line, "prim_ad", (meter.medium, meter.prim_ad)))
        if meter.id is NOT_SAID and meter.prim_ad is NOT_SAID and meter.name:
            said.append((meter.line, "name", meter.name))
    return _said_twice(said)


def _sensors_said_twice(sensors: Iterable[SensorDeclaration]) -> list[DeclarationFault]:
    said: list[tuple[int, str, Hashable]] = []
    for sensor in sensors:
        if sensor.id is not NOT_SAID:
            said.append((sensor.line, "id", sensor.id))
        elif sensor.name:
            said.append((sensor.line, "name", sensor.name))
    return _said_twice(said)


def _said_twice(said: Iterable[tuple[int, str, Hashable]]) -> list[DeclarationFault]:
    first_lines: dict[tuple[str, Hashable], int] = {}
    faults: list[DeclarationFault] = []
    for line, key, value in said:
        if (key, value) in first_lines:
            first = first_lines[key, value]
            faults.append(
                DeclarationFault(line, key, f"is already that of another, on line {first}")
            )
        first_lines.setdefault((key, value), line)
    return faults
