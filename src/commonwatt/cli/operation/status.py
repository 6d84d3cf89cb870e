"""``commonwatt status``."""

import time
from typing import TYPE_CHECKING

import typer

from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import Data, DatabaseUrl, OneSite, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.series.status import SiteStatus
    from commonwatt.domain.metering.catalogue import Site


def status(site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Show how up to date sites are.

    Of each meter the last accepted reading, of each group the end of the newest quarter-hour whose
    balance is known and who holds it back. Times are the site's own. Jumps of the server's clock
    between deliveries are told as well.

    Example: commonwatt status --site CH-0012
    """
    from commonwatt.app.readings.clock_jumps import clock_lines
    from commonwatt.app.series.status import read_status

    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        sites = named_sites(snapshot, site)
        for position, each in enumerate(sites):
            catalogue = snapshot.catalogue.catalogue(each.number)
            if position:
                typer.echo()
            _show(each, read_status(snapshot, catalogue))
            for line in clock_lines(snapshot, catalogue, time.time_ns() // 1000):
                typer.echo(line)
        if not sites:
            typer.echo("no sites yet; `commonwatt apply` declares them")


def _show(site: "Site", state: "SiteStatus") -> None:
    typer.echo(f"site {site.site_ref or site.id}: {site.name} ({site.id}, {site.timezone})\n")
    show_table(
        ("meter", "type", "prim_ad", "last accepted reading", "id"),
        [
            (
                each.meter.name,
                each.meter.medium.value,
                str(each.meter.prim_ad),
                local_time(each.last_accepted_at, site.timezone),
                each.meter.id,
            )
            for each in sorted(
                state.meters, key=lambda each: (each.meter.medium.value, each.meter.prim_ad)
            )
        ],
    )
    typer.echo()
    show_table(
        ("group", "complete until", "held back by"),
        [
            (
                group.value,
                local_time(until_at, site.timezone),
                ", ".join(meter.name for meter in state.held_back_by[group]) or "-",
            )
            for group, until_at in state.complete_until.items()
        ],
    )
