"""``commonwatt exchange``: declare that a device was exchanged, or take that back."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from commonwatt.app.declaring.exchange import IndexLacking
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

from commonwatt.cli.indexes import INDEX, option_decimal, option_index
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.meters import BY_METER, MeterName, MeterOrCommand, named_meter
from commonwatt.cli.output import show_applied
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.domain.metering.catalogue import Register


def warn_of_lacking(meter: str, at: str, lacking: "Sequence[IndexLacking]") -> None:
    """Say on stderr which indexes are lacking, what follows, and the command that says them.

    ``meter`` and ``at`` as they were typed.
    """
    for each in lacking:
        if each.of_old:
            index, across = "last index of the old device", "its last reading and the exchange"
        else:
            index, across = "first index of the new one", "the exchange and its first reading"
        typer.echo(
            f"warning: {each.register}: without the {index} the quarter-hours between {across} "
            "are missing",
            err=True,
        )
    if lacking:
        options = " ".join(
            f"--{'end' if each.of_old else 'start'}-index {each.register}=N" for each in lacking
        )
        command = f"commonwatt exchange {shlex.quote(meter)} --at {shlex.quote(at)} {options}"
        typer.echo(f"warning: once it is known, say {command}", err=True)


exchange_commands = typer.Typer(
    cls=MeterOrCommand,
    no_args_is_help=True,
    help="Declare that a meter's device was exchanged, or take that back.",
)


@exchange_commands.command(BY_METER)
def exchange(
    meter: MeterName,
    at: Annotated[str, typer.Option(metavar="T", help=f"When it was exchanged: {WHEN}.")],
    end_index: Annotated[
        list[str] | None,
        typer.Option(metavar=INDEX, help="Last index of the old device; may be repeated."),
    ] = None,
    start_index: Annotated[
        list[str] | None,
        typer.Option(metavar=INDEX, help="First index of the new one; may be repeated."),
    ] = None,
    serial: Annotated[
        str | None, typer.Option(metavar="S", help="Serial number of the new device.")
    ] = None,
    factor: Annotated[
        str | None, typer.Option(metavar="F", help="Factor of the new device.")
    ] = None,
    digits: Annotated[
        int | None,
        typer.Option(metavar="N", min=3, max=12, help="Its digits before the decimal point."),
    ] = None,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Declare that a meter's device was exchanged, also long after.

    Indexes are in kWh or m3, as en_im=1234.5. A register without both has a break there: its
    quarter-hours across stay missing, and a warning says so. Said again for the same instant, the
    exchange is corrected.

    Example: commonwatt exchange prim_ad:11 --at 2026-03-01T10:20:00+01:00 --end-index en_im=81234.5
    --start-index en_im=0 --serial B7
    """
    from commonwatt.app.declaring.exchange import Exchange, exchange_device, indexes_lacking

    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            catalogue, meant = named_meter(snapshot, meter, site)
        wanted = Exchange(
            at=option_instant(at, "--at", catalogue.site.timezone),
            end_index=_indexes(end_index, "--end-index"),
            start_index=_indexes(start_index, "--start-index"),
            serial=serial,
            factor=None if factor is None else option_decimal(factor, "--factor"),
            digits=digits,
        )
        work = partial(
            exchange_device,
            *(store, catalogue.site.number, meant.id, wanted, BY_COMMAND_LINE, int(time.time())),
        )
        show_applied(retry_while_busy(work))
        with store.snapshot() as snapshot:
            after = snapshot.catalogue.catalogue(catalogue.site.number).meter_by_id[meant.id]
            lacking = indexes_lacking(snapshot, catalogue.site.number, after, wanted.at)
    warn_of_lacking(meter, at, lacking)


@exchange_commands.command()
def undo(
    meter: MeterName,
    at: Annotated[str, typer.Option(metavar="T", help=f"When the exchange was: {WHEN}.")],
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take the exchange of a meter's device at an instant back: the old device goes on.

    Example: commonwatt exchange undo prim_ad:11 --at 2026-03-01T10:20
    """
    from commonwatt.app.declaring.exchange import undo_exchange

    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            catalogue, meant = named_meter(snapshot, meter, site)
        instant_at = option_instant(at, "--at", catalogue.site.timezone)
        now_at = int(time.time())
        work = partial(
            undo_exchange,
            store,
            catalogue.site.number,
            meant.id,
            instant_at,
            BY_COMMAND_LINE,
            now_at,
        )
        show_applied(retry_while_busy(work))


def _indexes(texts: list[str] | None, option: str) -> "Mapping[Register, int]":
    """Read the indexes of registers as raw ones [mWh, ml]."""
    return dict(option_index(text, option) for text in texts or ())
