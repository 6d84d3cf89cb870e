"""Which meter a command means."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import named_sites

if TYPE_CHECKING:
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.catalogue import Meter, SiteCatalogue

_ID = re.compile("[0-9a-f]{24}")
_ADDRESS = re.compile(r"(?:(?P<type>[a-z_]+) |prim_ad:)(?P<prim_ad>\d{1,9})", re.ASCII)

MeterName = Annotated[
    str,
    typer.Argument(
        metavar="METER",
        help="A meter: its id, prim_ad:N, its type and prim_ad (as 'electricity 11'), or its name.",
    ),
]


def named_meter(
    snapshot: "Snapshot", wanted: str, site: str | None
) -> "tuple[SiteCatalogue, Meter]":
    """Return the meter that is meant, with its site. Raises Failed.

    Names other than ids are looked up in the site that is given, or in all.
    """
    found = [
        (catalogue, meter)
        for each in named_sites(snapshot, site)
        for catalogue in [snapshot.catalogue.catalogue(each.number)]
        for meter in _meant(catalogue, wanted)
    ]
    if not found:
        raise Failed(f"no meter {wanted}; `commonwatt status` lists meters with their id")
    if len(found) > 1:
        labels = ", ".join(f"{meter.name} ({meter.id})" for _, meter in found[:5])
        raise Failed(
            f"{len(found)} meters are called {wanted}: {labels}; say which by id, or by --site"
        )
    return found[0]


def _meant(catalogue: "SiteCatalogue", wanted: str) -> "list[Meter]":
    if _ID.fullmatch(wanted):
        meter = catalogue.meter_by_id.get(wanted)
        return [] if meter is None else [meter]
    address = _ADDRESS.fullmatch(wanted)
    if address is None:
        return [meter for meter in catalogue.meters if meter.name == wanted]
    return [
        meter
        for meter in catalogue.meters
        if meter.prim_ad == int(address["prim_ad"])
        and address["type"] in (None, meter.medium.value)
    ]
