"""``commonwatt edit``: quarter-hours set or cleared by hand."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from commonwatt.cli.faults import Failed
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.meters import MeterName, named_meter
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    named_sites,
    opened_store,
    patiently,
)

if TYPE_CHECKING:
    from typer._click.core import Context

    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.domain.catalogue import Register, Site, SiteCatalogue
    from commonwatt.domain.edits import Edit

_MICROSECONDS = 1_000_000
_BY_METER = "METER"


class _MeterOrCommand(TyperGroup):
    """A group whose first word is a meter unless it is a command."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Put the command that takes a meter before anything that names no other."""
        known = {*self.commands, *ctx.help_option_names} - {_BY_METER}
        if args and args[0] not in known:
            args = [_BY_METER, *args]
        return super().parse_args(ctx, args)


edit_commands = typer.Typer(
    cls=_MeterOrCommand,
    no_args_is_help=True,
    help="Set or clear quarter-hours by hand, list what was edited, undo it.",
)


@edit_commands.command(_BY_METER)
def edit(
    meter: MeterName,
    start: Annotated[str, typer.Option(metavar="T", help=f"First quarter-hour: {WHEN}.")],
    end: Annotated[str, typer.Option(metavar="T", help="End of the last one.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the edit.")],
    energy: Annotated[
        str | None,
        typer.Option(metavar="KWH", help="Energy of them all (m3 of water), spread evenly."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Make them missing instead.")] = False,
    register: Annotated[
        str | None,
        typer.Option(metavar="REGISTER", help="Register that is meant.", show_default="the main"),
    ] = None,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Set the energy of quarter-hours of a meter, or clear them.

    Example: commonwatt edit prim_ad:11 --start 2026-03-01T10:00Z --end 2026-03-01T12:00Z
    --energy 1.25 --reason "read off by hand"
    """
    from commonwatt.app.edit_quarters import WantedEdit, edit_quarters

    if (energy is None) != clear:
        raise typer.BadParameter("give either --energy KWH or --clear")
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            catalogue, meant = named_meter(snapshot, meter, site)
        zone = catalogue.site.timezone
        wanted = WantedEdit(
            meter_id=meant.id,
            start_at=option_instant(start, "--start", zone),
            end_at=option_instant(end, "--end", zone),
            energy=None if energy is None else _watt_hours(energy),
            reason=reason.strip(),
            register=None if register is None else _register(register),
        )
        work = partial(
            edit_quarters, store, catalogue.site.number, wanted, BY_COMMAND_LINE, _now_us()
        )
        made = patiently(work)
    typer.echo(f"edit {made.number}: {_what(made)} of {meant.name}, {_span(made, zone)}")


@edit_commands.command("list")
def list_(site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """List edits, the oldest first; undone ones too.

    Example: commonwatt edit list --site CH-0012
    """
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        rows = [
            row
            for each in named_sites(snapshot, site)
            for row in _rows(
                snapshot.catalogue.catalogue(each.number), snapshot.edits.edits(each.number)
            )
        ]
    headers = ("site", "number", "meter", "register", "start", "end", "energy", "by", "state")
    show_table((*headers, "reason"), rows)


@edit_commands.command()
def undo(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="The edit's number.")],
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let an edit count no more. It stays listed.

    Example: commonwatt edit undo 3
    """
    from commonwatt.app.edit_quarters import undo_edit

    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site)
        patiently(partial(undo_edit, store, where.number, number, BY_COMMAND_LINE, _now_us()))
    typer.echo(f"edit {number} is undone")


def _site_of(store: "SqlStore", number: int, wanted: str | None) -> "Site":
    """Return the site whose edit is meant. Raises Failed where none or several have it."""
    with store.snapshot() as snapshot:
        found = [
            site
            for site in named_sites(snapshot, wanted)
            if any(each.number == number for each in snapshot.edits.edits(site.number))
        ]
    if len(found) > 1:
        names = ", ".join(site.site_ref or site.id for site in found)
        raise Failed(f"{len(found)} sites have an edit {number}; say which by --site: {names}")
    if not found:
        raise Failed(f"there is no edit {number}; `commonwatt edit list` shows all")
    return found[0]


def _rows(catalogue: "SiteCatalogue", edits: "Sequence[Edit]") -> list[tuple[str, ...]]:
    site = catalogue.site
    names = {meter.number: meter.name for meter in catalogue.meters}
    return [
        (
            *(site.site_ref or site.id, str(each.number), names[each.meter], each.register.value),
            local_time(each.start_at, site.timezone),
            local_time(each.end_at, site.timezone),
            "cleared" if each.energy is None else _shown(each.energy),
            each.account,
            "counts" if each.undone_us is None else f"undone by {each.undone_by}",
            each.reason,
        )
        for each in edits
    ]


def _what(edit: "Edit") -> str:
    return f"{edit.register.value} " + (
        "cleared" if edit.energy is None else f"set to {_shown(edit.energy)}"
    )


def _span(edit: "Edit", zone: str) -> str:
    return f"{local_time(edit.start_at, zone)} to {local_time(edit.end_at, zone)}"


def _shown(energy: int) -> str:
    sign = "-" if energy < 0 else ""
    return f"{sign}{abs(energy) // 1000}.{abs(energy) % 1000:03d}"


def _watt_hours(text: str) -> int:
    """Read an energy or volume with up to 3 decimals as Wh or litres."""
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.quantities import parse_decimal

    try:
        return int(parse_decimal(text, "-9000000000", "9000000000", 3) * 1000)
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint="--energy") from error


def _register(name: str) -> "Register":
    from commonwatt.domain.catalogue import Register

    if name not in list(Register):
        raise typer.BadParameter(f"use one of {', '.join(Register)}", param_hint="--register")
    return Register(name)


def _now_us() -> int:
    return time.time_ns() // 1000
