"""``commonwatt settle``."""

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.instants import WHEN, option_instant
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


def settle(
    site: OneSite = None,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Settle the days that deliveries and declarations have changed.

    A server does so by itself, and reads never wait for it; this does it ahead, after a large
    import for instance. Days are settled whole, in UTC. Readings that were ahead of their delivery
    count from now on if their time has come.

    Example: commonwatt settle --site CH-0012 --start 2026-01-01
    """
    from commonwatt.app.readings.waiting import end_waiting
    from commonwatt.app.settling.highest_days import learn_ordinary

    with opened_store(data, database_url) as store:
        retry_while_busy(partial(end_waiting, store, time.time_ns() // 1000))
        retry_while_busy(partial(learn_ordinary, store))
        with store.snapshot() as snapshot:
            sites = named_sites(snapshot, site)
        for each in sites:
            days = _settle(store, each, start, end)
            typer.echo(f"site {each.site_ref or each.id}: {days} days settled")


def _settle(store: "SqlStore", site: "Site", start: str | None, end: str | None) -> int:
    zone = site.timezone
    start_at = None if start is None else option_instant(start, "--start", zone)
    end_at = None if end is None else option_instant(end, "--end", zone)
    if start_at is not None and end_at is not None and end_at < start_at:
        raise typer.BadParameter("lies before --start", param_hint="--end")
    return settle_showing(store, site.number, site.name, start_at, end_at)


def settle_showing(
    store: "SqlStore",
    site: int,
    name: str,
    start_at: int | None = None,
    end_at: int | None = None,
    *,
    quiet: bool = False,
) -> int:
    """Settle what is dirty of a site in [start, end), with a progress bar; return the days."""
    from commonwatt.app.settling.settle_site import settle_window

    with counting_bar(f"settling {name}", quiet=quiet) as settled:
        return retry_while_busy(partial(settle_window, store, site, start_at, end_at, settled))
