"""``commonwatt mirror``: a Climkit server's sites, copied into a store of one's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from commonwatt.cli.client.connection import Fast, Quiet, Url, Username, Verbose, opened_client
from commonwatt.cli.client.mirror_report import compared, equal_line, show_report
from commonwatt.cli.client.naming import named_site
from commonwatt.cli.faults import Failed
from commonwatt.cli.operation.settle import settle_showing
from commonwatt.cli.output import counting_bar, printable
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    opened_store,
    retry_while_busy,
    store_settings,
)

if TYPE_CHECKING:
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.client import Climkit, Site
    from commonwatt.mirror.copied import Copied

Sites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SITE]…",
        help="Sites: by id, site_ref or name.",
        show_default="all that the account may see",
    ),
]


def mirror(
    sites: Sites = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="First local day to ask for.",
            show_default="3 days before where the last run ended, at first the site's creation",
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Ask no server: print where ours differs, by meter and month."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole report as JSON.")
    ] = False,
    fast: Fast = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Copy sites of a Climkit server, the vendor's or your own, into the store.

    Catalogue, readings and sensor values are copied; the server's validated quarter-hours are kept
    beside ours and never mixed with them, and --report shows where the two differ (with --verbose
    also where they do not). Only what is new is asked for: at first everything since the site's
    creation, one request a second for each route, which takes about a second for each month of a
    meter. A run that was cut off goes on where it ended. Works beside a running server, which shows
    it at once.

    Example: commonwatt mirror CH-0012 && commonwatt mirror --report
    """
    if report:
        if since is not None or fast:
            raise typer.BadParameter("--report asks no server; it takes neither --since nor --fast")
        with opened_store(data, database_url) as store:
            show_report(store, sites or [], as_json=as_json, whole=verbose)
        return
    if as_json:
        raise typer.BadParameter("--json is for --report")
    first_day = _day(since)
    # A wrong name of a store is reported before a server is asked.
    store_settings(data, database_url)
    with opened_client(url, username, quiet=quiet, verbose=verbose, fast=fast) as climkit:
        wanted = _wanted(climkit, sites or [])
        with opened_store(data, database_url, create=True) as store, _told_how_to_go_on():
            run = _Run(climkit, store, first_day, quiet=quiet, verbose=verbose)
            # All of them, also where one fails.
            complete = [run.mirror(site) for site in wanted]
    if not all(complete):
        raise typer.Exit(1)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date such as 2026-03-22", param_hint="--since"
        ) from error


def _wanted(climkit: "Climkit", names: Sequence[str]) -> "list[Site]":
    if names:
        return [named_site(climkit, name) for name in names]
    if not (sites := climkit.sites()):
        raise Failed(f"this account may see no site of {climkit.url}")
    return sites


@contextmanager
def _told_how_to_go_on() -> Iterator[None]:
    from commonwatt.app.errors import StoreError
    from commonwatt.client import ClimkitError

    try:
        yield
    except (KeyboardInterrupt, ClimkitError, StoreError):
        typer.echo("what was copied stays; the same command goes on from there", err=True)
        raise


@dataclass(frozen=True, slots=True)
class _Run:
    """Copies sites of a server into a store, from a first local day on if there is one."""

    climkit: "Climkit"
    store: "SqlStore"
    since: date | None
    _: KW_ONLY
    quiet: bool
    verbose: bool

    def mirror(self, site: "Site") -> bool:
        """Copy a site, settle it and print what was done; return whether nothing failed."""
        from commonwatt.client import NotFound
        from commonwatt.mirror.copied import Copied
        from commonwatt.mirror.copy_site import copy_site
        from commonwatt.mirror.target import CannotMirror, Target

        host = urlsplit(self.climkit.url).netloc
        target = Target(self.store, BY_COMMAND_LINE, host, retry_while_busy)
        copied = Copied()
        name, hidden = site.name or site.site_ref or site.id, self.quiet or self.verbose
        try:
            with counting_bar(f"copying {name}", quiet=hidden) as done:
                whole = site if site.timezone is not None else self.climkit.site(site)
                declared = copy_site(self.climkit, target, whole, self.since, done, copied)
        except (NotFound, CannotMirror) as error:
            typer.echo(printable(f"site {name} is not copied: {error}"), err=True)
            return False
        days = settle_showing(self.store, declared.number, name, quiet=hidden)
        if not self.quiet or copied.failed:
            _show(declared.site.site_ref or site.id, copied, days)
            typer.echo(f"  {equal_line(compared(self.store, declared.number))}")
        return not copied.failed


def _show(name: str, copied: "Copied", days: int) -> None:
    typer.echo(
        f"site {printable(name)}: {copied.meters} meters, {copied.sensors} sensors; new are "
        f"{copied.readings} readings and {copied.sensor_values} sensor values; "
        f"{copied.quarters} quarter-hours of the server are kept; {days} days settled"
    )
    for line in (*copied.declared, *map(str, copied.notes)):
        typer.echo(f"  {printable(line)}")
