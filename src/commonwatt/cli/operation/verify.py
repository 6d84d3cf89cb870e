"""``commonwatt verify``."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.output import counting_bar
from commonwatt.cli.stores import (
    Data,
    DatabaseUrl,
    OneSite,
    named_sites,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.domain.metering.catalogue import Site


def verify(
    site: OneSite = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Settle again what is computed; nothing else is touched."),
    ] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Check that all that is stored is as it was stored.

    The checksums of all days, receipts against stored readings, results against the readings, locks
    against the hashes of what they froze. Faults are listed with site, meter and day, and the exit
    code is 1. A server may go on meanwhile; it takes about as long as settling everything anew.

    Example: commonwatt verify --site CH-0012
    """
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            sites = named_sites(snapshot, site)
            faults = list(snapshot.integrity.file_faults())
        for fault in faults:
            typer.echo(f"the file: {fault}")
        sound = [_verify(store, each, repair) for each in sites]
    if faults or not all(sound):
        raise typer.Exit(1)


def _verify(store: "SqlStore", site: "Site", repair: bool) -> bool:
    """Check a site and print what was found; return whether all is right now."""
    from commonwatt.app.operation.verify import repair_site, verify_site

    name = site.site_ref or site.id
    with counting_bar(f"verifying {site.name}") as looked:
        found = retry_while_busy(partial(verify_site, store, site, looked))
    for fault in found.faults:
        typer.echo(fault)
    line = f"site {name}: {found.rows} stored days"
    if found.unchecked:
        line += f", {found.unchecked} of them of before there were checksums"
    if found.unsettled:
        line += f"; {found.unsettled} days are still to be settled and were not compared"
    if not found.faults:
        typer.echo(f"{line}: all as it was stored")
        return True
    faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
    if not repair or not found.computed:
        typer.echo(f"{line}: {faults}")
        return False
    retry_while_busy(partial(repair_site, store, site.number, found))
    days = len({day for _, day in found.computed})
    settled = "1 day was" if days == 1 else f"{days} days were"
    left = f", {found.beyond_repair} of them only a backup can mend" if found.beyond_repair else ""
    typer.echo(f"{line}: {faults}{left}; {settled} settled again")
    return not found.beyond_repair
