"""``commonwatt show`` and ``commonwatt site``: what is declared of a site, and removing it."""

import time
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.billing.lock import SiteName
from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    named_sites,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.app.operation.remove_site import SiteContents

_EPOCH = date(1970, 1, 1)

site_commands = typer.Typer(no_args_is_help=True, help="Remove a site.")


def show(site: SiteName, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Print what is declared of a site now, as YAML that `commonwatt apply` takes back.

    Applied to the same store it changes nothing. What is at its default is left out.

    Example: commonwatt show CH-0012 >house.yaml
    """
    from commonwatt.formats.declaration.text import declaration_text

    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        (where,) = named_sites(snapshot, site)
        typer.echo(declaration_text(snapshot.catalogue.catalogue(where.number)), nl=False)


@site_commands.command()
def remove(
    site: SiteName,
    confirmed: Annotated[
        bool, typer.Option("--yes", help="Remove it; without this, only say what would be.")
    ] = False,
    despite: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Remove it although it has locks; kept in the audit."),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a site with its meters, readings, results, locks and grants. Nothing brings it back.

    Without --yes it only says what would be deleted. `commonwatt show` keeps the declaration.

    Example: commonwatt site remove CH-0012
    """
    from commonwatt.app.operation.remove_site import SiteLocked, remove_site, site_contents

    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            (where,) = named_sites(snapshot, site)
            contents = site_contents(snapshot, snapshot.catalogue.catalogue(where.number))
        label = where.site_ref or where.id
        if not confirmed:
            typer.echo(f"would remove site {label}, {where.name}: {_told(contents)}")
            typer.echo("nothing was removed; say --yes to remove it")
            return
        reason = None if despite is None else despite.strip()
        work = partial(remove_site, store, where.number, reason, BY_COMMAND_LINE, int(time.time()))
        try:
            removed = retry_while_busy(work)
        except SiteLocked as error:
            raise Failed(f"{error}; say --despite REASON to remove it all the same") from error
        typer.echo(f"removed site {label}, {where.name}: {_told(removed)}")


def _told(contents: "SiteContents") -> str:
    parts = [f"{contents.meters} meters", f"{contents.sensors} sensors"]
    if contents.first_day is None or contents.last_day is None:
        parts.append("no readings")
    else:
        first, last = (_EPOCH + timedelta(day) for day in (contents.first_day, contents.last_day))
        parts.append(f"{contents.deliveries} deliveries of readings from {first} to {last}")
    parts.append(f"{contents.edits} edits")
    if contents.locked:
        parts.append(f"LOCKED: {', '.join(contents.locked)}")
    return ", ".join(parts)
