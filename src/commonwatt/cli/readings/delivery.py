"""``commonwatt delivery``: what was delivered, and taking it back."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.meters import named_meter
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    named_sites,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.app.ports import Delivery
    from commonwatt.domain.metering.catalogue import Site

_MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The delivery's number.")]

delivery_commands = typer.Typer(
    no_args_is_help=True,
    help="Show deliveries of readings, withdraw one that should not count, or reinstate it. "
    "Deliveries are numbered by site; --site is needed where two sites have the number.",
)


@delivery_commands.command("list")
def list_(site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """List deliveries, the oldest first.

    Example: commonwatt delivery list --site CH-0012
    """
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        rows = [
            _row(each, delivery)
            for each in named_sites(snapshot, site)
            for delivery in snapshot.readings.deliveries(each.number)
        ]
    headers = ("site", "number", "recorded", "by", "source", "accepted", "rejected", "state")
    show_table(headers, rows)


@delivery_commands.command()
def show(
    number: Number, site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None
) -> None:
    """Show who delivered what, when, and of which meters.

    Example: commonwatt delivery show 12
    """
    from commonwatt.app.readings.deliveries import read_delivery

    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site)
        with store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(where.number)
            contents = read_delivery(snapshot, catalogue, number)
    delivery = contents.delivery
    facts = {
        "site": f"{where.site_ref or where.id}, {where.name}",
        "delivery": str(number),
        "recorded": _when(delivery.recorded_us, where),
        "by": delivery.account,
        "source": delivery.source,
        "accepted": str(delivery.accepted),
        "unchanged": str(delivery.unchanged),
        "superseding": str(delivery.superseding),
        "rejected": str(delivery.rejected),
        "not counting": "-" if delivery.not_counting is None else str(delivery.not_counting),
        "days (UTC)": f"{_day(delivery.first_day)} to {_day(delivery.last_day)}",
        "meters": ", ".join(f"{meter.name} ({meter.id})" for meter in contents.meters) or "-",
        "sensors": ", ".join(f"{sensor.name} ({sensor.id})" for sensor in contents.sensors) or "-",
        "withdrawn": "no",
    }
    if delivery.withdrawn_us is not None:
        when = _when(delivery.withdrawn_us, where)
        facts["withdrawn"] = f"{when}: {delivery.withdrawn_reason}"
    for name, value in facts.items():
        typer.echo(f"{name:<14}{value}")


@delivery_commands.command()
def withdraw(
    number: Number,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it should not count.")],
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a delivery count no more. Its readings stay stored and can be reinstated.

    Example: commonwatt delivery withdraw 12 --reason "readings of the neighbour's meter"
    """
    from commonwatt.app.readings.deliveries import withdraw_delivery

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site).number
        work = partial(withdraw_delivery, store, where, number, reason, BY_COMMAND_LINE, _now_us())
        retry_while_busy(work)
    typer.echo(f"delivery {number} is withdrawn")


@delivery_commands.command()
def reinstate(
    number: Number, site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None
) -> None:
    """Let a withdrawn delivery count again.

    Example: commonwatt delivery reinstate 12
    """
    from commonwatt.app.readings.deliveries import reinstate_delivery

    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site).number
        retry_while_busy(
            partial(reinstate_delivery, store, where, number, BY_COMMAND_LINE, _now_us())
        )
    typer.echo(f"delivery {number} counts again")


@delivery_commands.command()
def accept(
    number: Number,
    meter: Annotated[
        str | None,
        typer.Option(metavar="METER", help="Of this meter alone: its id, prim_ad:N, or its name."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why it is right as it is.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Judge it anew, as if nobody had accepted it.")
    ] = False,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let readings count that are held back because they look like something else.

    What follows them and looks the same counts as well. To declare the meter as what it is is
    better: then they are judged anew.

    Example: commonwatt delivery accept 12 --meter prim_ad:11 --reason "a furnace, 900 kW"
    """
    from commonwatt.app.readings.deliveries import accept_delivery, take_acceptance_back

    if undo == (reason is not None):
        raise typer.BadParameter("give either --reason TEXT or --undo")
    if reason is not None and not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site)
        with store.snapshot() as snapshot:
            of_meter = None if meter is None else named_meter(snapshot, meter, where.id)[1].id
        said = (store, where.number, number, of_meter)
        if reason is None:
            work = partial(take_acceptance_back, *said, BY_COMMAND_LINE, _now_us())
        else:
            work = partial(accept_delivery, *said, reason, BY_COMMAND_LINE, _now_us())
        meters = ", ".join(each.name for each in retry_while_busy(work))
    done = "judged anew" if undo else "accepted"
    typer.echo(f"delivery {number} is {done}: {meters}")


def _site_of(store: "SqlStore", number: int, wanted: str | None) -> "Site":
    """Return the site whose delivery is meant. Raises Failed where none or several have it."""
    with store.snapshot() as snapshot:
        sites = named_sites(snapshot, wanted)
        found = [site for site in sites if snapshot.readings.delivery(site.number, number)]
    if len(found) > 1:
        names = ", ".join(site.site_ref or site.id for site in found)
        raise Failed(f"{len(found)} sites have a delivery {number}; say which by --site: {names}")
    if not found:
        raise Failed(f"there is no delivery {number}; `commonwatt delivery list` shows all")
    return found[0]


def _row(site: "Site", delivery: "Delivery") -> tuple[str, ...]:
    state = "counts" if delivery.withdrawn_us is None else f"withdrawn: {delivery.withdrawn_reason}"
    return (
        site.site_ref or site.id,
        str(delivery.number),
        _when(delivery.recorded_us, site),
        delivery.account,
        delivery.source,
        str(delivery.accepted),
        str(delivery.rejected),
        state,
    )


def _when(instant_us: int, site: "Site") -> str:
    return local_time(instant_us // _MICROSECONDS, site.timezone)


def _day(day: int | None) -> str:
    if day is None:
        return "-"
    try:
        return (_EPOCH + timedelta(days=day)).isoformat()
    except OverflowError:
        return f"day {day} since 1970"


def _now_us() -> int:
    return time.time_ns() // 1000
