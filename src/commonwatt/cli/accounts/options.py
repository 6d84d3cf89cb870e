"""What the commands on accounts share."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.output import local_time
from commonwatt.cli.stores import Data, DatabaseUrl, opened_store

if TYPE_CHECKING:
    from commonwatt.adapters.store.account_store import SqlAccountStore
    from commonwatt.app.accounts.grants import GrantListing
    from commonwatt.domain.metering.catalogue import Meter


class OnOff(StrEnum):
    """A switch."""

    ON = "on"
    OFF = "off"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]
Sites = Annotated[
    list[str] | None,
    typer.Option("--site", metavar="ID", help="A site, by id or site_ref; may be repeated."),
]
RequiredSites = Annotated[
    list[str],
    typer.Option("--site", metavar="ID", help="A site, by id or site_ref; may be repeated."),
]
HistoryFrom = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="First local day of the data that it may read."),
]
AllHistory = Annotated[
    bool, typer.Option("--all-history", help="It may read the data of all times again.")
]


@contextmanager
def opened_accounts(
    data: Data, database_url: DatabaseUrl, *, create: bool = False
) -> "Iterator[SqlAccountStore]":
    """Open the accounts of a store and close it afterwards."""
    from commonwatt.adapters.store.account_store import SqlAccountStore

    with opened_store(data, database_url, create=create) as store:
        yield SqlAccountStore(store.database)


def history_date(text: str | None, *, all_history: bool = False) -> date | None:
    """Read --history-from; it does not go with --all-history."""
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.stamps.local_dates import parse_data_day

    if text is not None and all_history:
        raise typer.BadParameter(
            "does not go with --all-history: it is the first day or all",
            param_hint="--history-from",
        )
    try:
        return None if text is None else parse_data_day(text)
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint="--history-from") from error


def shown_grant(listing: "GrantListing") -> str:
    """Say what a grant opens: the site, from when on, and which of its meters."""
    grant, site = listing.grant, listing.site
    text = site.site_ref or site.id
    if grant.history_from is not None:
        text += f" from {local_time(grant.history_from, site.timezone)[:10]}"
    if grant.open_meters is None:
        return text
    if len(listing.open_meters) < len(listing.closed_meters):
        text += f" only {_names(listing.open_meters)}"
    elif listing.closed_meters:
        text += f" without {_names(listing.closed_meters)}"
    else:
        text += " without meters added later"
    if grant.least_closed:
        text += f" (totals with {grant.least_closed} consumers closed)"
    return text


def _names(meters: "Sequence[Meter]") -> str:
    return ", ".join(f"{meter.name} ({meter.medium.value}:{meter.prim_ad})" for meter in meters)


def now_at() -> int:
    """The Unix second that a change is written down with."""
    return int(time.time())
