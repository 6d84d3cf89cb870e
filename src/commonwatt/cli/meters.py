"""Which meter a command means."""

from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import named_sites

if TYPE_CHECKING:
    from typer._click.core import Context

    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue

BY_METER = "METER"
"""The name of the command of a `MeterOrCommand` that takes a meter."""

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
    from commonwatt.app.accounts.grants import meters_meant

    found = [
        (catalogue, meter)
        for each in named_sites(snapshot, site)
        for catalogue in [snapshot.catalogue.catalogue(each.number)]
        for meter in meters_meant(catalogue, wanted)
    ]
    if not found:
        raise Failed(f"no meter {wanted}; `commonwatt status` lists meters with their id")
    if len(found) > 1:
        labels = ", ".join(f"{meter.name} ({meter.id})" for _, meter in found[:5])
        raise Failed(
            f"{len(found)} meters are called {wanted}: {labels}; say which by id, or by --site"
        )
    return found[0]


class MeterOrCommand(TyperGroup):
    """A group whose first word is a meter unless it is a command."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Put the command that takes a meter before anything that names no other."""
        known = {*self.commands, *ctx.help_option_names} - {BY_METER}
        if args and args[0] not in known:
            args = [BY_METER, *args]
        return super().parse_args(ctx, args)
