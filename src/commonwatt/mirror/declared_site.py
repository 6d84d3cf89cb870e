"""A site as a Climkit server has it, as a declaration; what cannot be declared is told.

Nothing is declared but what the server says; so what the owner of the store adds to it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commonwatt.app.declaring.declaration import (
    NOT_SAID,
    MeterDeclaration,
    NotSaid,
    SensorDeclaration,
    SiteDeclaration,
)
from commonwatt.client import Meter, Sensor, Site
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Medium, Mode, SiteCatalogue
from commonwatt.domain.metering.catalogue import Meter as OwnMeter

_PRIM_AD_MAX = 2**31 - 1
_TYPES = tuple(Medium)
_MODES = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Role:
    """What a meter measures, and the part it plays."""

    medium: Medium
    mode: Mode


class NoRole(Exception):
    """A meter that cannot be declared; the message says why and what would help."""


def role_of(meter: Meter, own: OwnMeter | None) -> Role:
    """Return what a meter is, by what the server says, else by what is declared here.

    Raises `NoRole`.
    """
    type_ = meter.type or (None if own is None else own.medium)
    mode = meter.mode or (None if own is None else own.current.mode)
    for key, word, words in (("type", type_, _TYPES), ("mode", mode, _MODES)):
        if word is None:
            raise NoRole(f"the server does not say its {key}; declare it with the id {meter.id}")
        if word not in words:
            raise NoRole(f"its {key} {word!r} is none of {', '.join(words)}")
    role = Role(Medium(str(type_)), Mode(str(mode)))
    if own is not None and own.medium is not role.medium:
        raise NoRole(f"its type is {role.medium} there and {own.medium} here")
    if role.mode in (Mode.PRODUCTION, Mode.BATTERY) and len(REGISTERS_OF[role.medium]) < 2:
        raise NoRole(f"{role.mode} is a mode of electricity, not of {role.medium}")
    return role


def label(meter: Meter) -> str:
    """Return what to call a meter that may have no name."""
    return meter.name or f"{meter.type or 'meter'} {meter.prim_ad or meter.id}"


def declared_meter(line: int, meter: Meter, role: Role, own: OwnMeter | None) -> MeterDeclaration:
    """Return what the server says of a meter, but for its prim_ad (see `prim_ads`)."""
    name = own.name if own is not None and meter.name is None else label(meter)
    return MeterDeclaration(line=line, id=meter.id, name=name, medium=role.medium, mode=role.mode)


def prim_ads(
    roles: Mapping[str, Role], meters: Sequence[Meter], own: SiteCatalogue | None
) -> tuple[dict[str, int], dict[str, str]]:
    """Return the prim_ads that meters can have, and why others have none, both by id.

    ``roles`` are those of the meters that are declared. Of two of a type the first has it.
    """
    found: dict[str, int] = {}
    reasons: dict[str, str] = {}
    taken: dict[tuple[str, int], str] = {}
    for meter in meters:
        number = meter.prim_ad
        if meter.id not in roles:
            continue
        if not isinstance(number, int) or isinstance(number, bool):
            reasons[meter.id] = (
                "has no prim_ad" if number is None else f"its prim_ad {number!r} is no number"
            )
        elif not 0 <= number <= _PRIM_AD_MAX:
            reasons[meter.id] = f"its prim_ad {number} is no address"
        elif other := taken.get((roles[meter.id].medium, number)):
            reasons[meter.id] = f"its prim_ad {number} is that of {other} too"
        else:
            taken[roles[meter.id].medium, number] = label(meter)
            found[meter.id] = number
    while held := _held(found, roles, () if own is None else own.meters):
        for meter_id, name in held.items():
            reasons[meter_id] = f"its prim_ad {found.pop(meter_id)} is that of {name} here"
    return found, reasons


def _held(
    found: Mapping[str, int], roles: Mapping[str, Role], own: Sequence[OwnMeter]
) -> dict[str, str]:
    """Return whose prim_ads are held here by a meter that keeps its own, with its name.

    One that keeps it is of another origin, has no number there, or cannot have that either.
    """
    keeping = {(each.medium, each.prim_ad): each.name for each in own if each.id not in found}
    return {
        meter_id: keeping[roles[meter_id].medium, number]
        for meter_id, number in found.items()
        if (roles[meter_id].medium, number) in keeping
    }


def declared_sensor(line: int, sensor: Sensor) -> SensorDeclaration:
    """Return what the server says of a sensor."""
    return SensorDeclaration(
        line=line,
        id=sensor.id,
        name=sensor.name or sensor.id,
        type=_said(sensor.type),
        unit=_said(sensor.unit),
        model=_said(sensor.model),
    )


def declared_site(
    site: Site,
    timezone: str,
    meters: Sequence[MeterDeclaration],
    sensors: Sequence[SensorDeclaration],
) -> SiteDeclaration:
    """Return what the server says of a site with its meters and sensors."""
    address = site.address
    postal_code = address.postal_code
    return SiteDeclaration(
        line=1,
        id=site.id,
        name=site.name or site.site_ref or site.id,
        timezone=timezone,
        site_ref=_said(site.site_ref),
        street_name=_said(address.street_name),
        street_number=_said(address.street_number),
        city=_said(address.city),
        postal_code=NOT_SAID if postal_code is None else str(postal_code),
        creation_date=NOT_SAID if site.creation_date is None else site.creation_date.isoformat(),
        latitude=NOT_SAID if site.latitude is None else site.latitude,
        longitude=NOT_SAID if site.longitude is None else site.longitude,
        meters=tuple(meters),
        sensors=tuple(sensors),
    )


def _said(text: str | None) -> str | NotSaid:
    return text or NOT_SAID
