"""Which site, meter or sensor of a Climkit server a command means."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from commonwatt.cli.faults import Failed

if TYPE_CHECKING:
    from commonwatt.client import Climkit, Meter, Sensor, Site

_ID = re.compile("[0-9a-f]{24}")
_NAMED = 10

SiteName = Annotated[
    str, typer.Argument(metavar="SITE", help="A site: its id, its site_ref or its name.")
]
MeterName = Annotated[
    str,
    typer.Argument(
        metavar="METER",
        help="A meter: its id, prim_ad:N, its type and prim_ad (as 'electricity 11'), or its name.",
    ),
]
SensorName = Annotated[str, typer.Argument(metavar="SENSOR", help="A sensor: its id or its name.")]


def named_site(climkit: "Climkit", wanted: str) -> "Site":
    """Return all about the site that is meant. Raises Failed, and NotFound for an unknown id."""
    if _ID.fullmatch(wanted):
        return climkit.site(wanted)
    sites = climkit.sites()
    if not any(site.site_ref or site.name for site in sites):  # as of servers that list ids alone
        sites = [climkit.site(site) for site in sites]
    found = [site for site in sites if wanted in {site.site_ref, site.name}]
    site = _only("site", wanted, found, (site.site_ref or site.name or site.id for site in sites))
    return site if site.timezone is not None else climkit.site(site)


def named_meter(climkit: "Climkit", site: "Site", wanted: str) -> "Meter":
    """Return the meter of a site that is meant. Raises Failed."""
    meters = climkit.meters(site)
    found = [
        meter
        for meter in meters
        if wanted
        in {meter.id, meter.name, f"prim_ad:{meter.prim_ad}", f"{meter.type} {meter.prim_ad}"}
    ]
    return _only("meter", wanted, found, (meter.name or meter.id for meter in meters))


def named_sensor(climkit: "Climkit", site: "Site", wanted: str) -> "Sensor":
    """Return the sensor of a site that is meant. Raises Failed."""
    sensors = climkit.sensors(site)
    found = [sensor for sensor in sensors if wanted in {sensor.id, sensor.name}]
    return _only("sensor", wanted, found, (sensor.name or sensor.id for sensor in sensors))


Item = TypeVar("Item", "Site", "Meter", "Sensor")


def _only(kind: str, wanted: str, found: "list[Item]", known: Iterable[str]) -> "Item":
    if len(found) > 1:
        ids = ", ".join(item.id for item in found[:_NAMED])
        raise Failed(f"{len(found)} {kind}s are called {wanted}; say which by id: {ids}")
    if not found:
        names = [*known]
        more = ", …" if len(names) > _NAMED else ""
        raise Failed(f"no {kind} {wanted}; there are {', '.join(names[:_NAMED]) or 'none'}{more}")
    return found[0]
