"""``commonwatt edit``: quarter-hours and readings set or cleared by hand."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.indexes import INDEX
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.meters import BY_METER, MeterName, MeterOrCommand, named_meter
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.readings.edit_options import EditOptions
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
    from commonwatt.domain.metering.catalogue import Site, SiteCatalogue
    from commonwatt.domain.metering.edits import Edit

_RAW = 1_000_000
_CLEARED = "cleared"


edit_commands = typer.Typer(
    cls=MeterOrCommand,
    no_args_is_help=True,
    help="Set or clear quarter-hours or a reading by hand, list what was edited, undo it.",
)


@edit_commands.command(BY_METER)
def edit(
    meter: MeterName,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the edit.")],
    start: Annotated[
        str | None, typer.Option(metavar="T", help=f"First quarter-hour: {WHEN}.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help="End of the last one.")] = None,
    energy: Annotated[
        str | None,
        typer.Option(metavar="KWH", help="Energy of them all (m3 of water), spread evenly."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="T", help="Instead: stamp of a reading.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(metavar=INDEX, help="Its index, in kWh or m3, as en_im=1234.5.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Clear them, or it, instead.")] = False,
    register: Annotated[
        str | None,
        typer.Option(metavar="REGISTER", help="Register that is meant.", show_default="the main"),
    ] = None,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Set the energy of quarter-hours of a meter, or clear them; or set or clear a reading.

    Example: commonwatt edit prim_ad:11 --start 2026-03-01T10:00Z --end 2026-03-01T12:00Z
    --energy 1.25 --reason "read off by hand"

    Example: commonwatt edit prim_ad:11 --at 2026-03-01T10:00Z --index en_im=81234.5
    --reason "a misread digit"
    """
    from commonwatt.app.billing.edit_quarters import edit_quarters
    from commonwatt.app.billing.edit_reading import edit_reading

    asked = EditOptions(reason.strip(), start, end, energy, at, index, clear, register)
    asked.check()
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            catalogue, meant = named_meter(snapshot, meter, site)
        zone = catalogue.site.timezone
        by = BY_COMMAND_LINE, _now_us()
        if asked.at is None:
            of_quarters = asked.quarters(meant.id, zone)
            work = partial(edit_quarters, store, catalogue.site.number, of_quarters, *by)
        else:
            of_reading = asked.reading(meant.id, asked.at, zone)
            work = partial(edit_reading, store, catalogue.site.number, of_reading, *by)
        made = retry_while_busy(work)
    typer.echo(f"edit {made.number}: {_what(made)} of {meant.name}, {_when(made, zone)}")


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
    headers = ("site", "number", "meter", "register", "start", "end", "value", "by", "state")
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
    from commonwatt.app.billing.edit_quarters import undo_edit

    with opened_store(data, database_url) as store:
        where = _site_of(store, number, site)
        retry_while_busy(
            partial(undo_edit, store, where.number, number, BY_COMMAND_LINE, _now_us())
        )
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
            "" if each.of_reading else local_time(each.end_at, site.timezone),
            _value(each),
            each.account,
            "counts" if each.undone_us is None else f"undone by {each.undone_by}",
            each.reason,
        )
        for each in edits
    ]


def accept(
    meter: MeterName,
    start: Annotated[str, typer.Option(metavar="T", help=f"First quarter-hour: {WHEN}.")],
    end: Annotated[str, typer.Option(metavar="T", help="End of the last one.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept like that of an edit.")],
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take what is estimated or implausible of a meter as it is: the worklist asks no more.

    No number changes. It is listed by `commonwatt edit list` and taken back by `edit undo`.

    Example: commonwatt accept Water --start 2026-03-01 --end 2026-04-01 --reason "read monthly"
    """
    from commonwatt.app.billing.edit_quarters import WantedAcceptance, accept_quarters

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            catalogue, meant = named_meter(snapshot, meter, site)
        zone = catalogue.site.timezone
        wanted = WantedAcceptance(
            meter_id=meant.id,
            start_at=option_instant(start, "--start", zone),
            end_at=option_instant(end, "--end", zone),
            reason=reason.strip(),
        )
        asked = (store, catalogue.site.number, wanted, BY_COMMAND_LINE, _now_us())
        made = retry_while_busy(partial(accept_quarters, *asked))
    typer.echo(f"edit {made.number}: {meant.name} is accepted as it is, {_when(made, zone)}")


def _what(edit: "Edit") -> str:
    value = _value(edit)
    return f"{edit.register.value} " + (value if value == _CLEARED else f"set to {value}")


def _value(edit: "Edit") -> str:
    """What was set: an energy or, with more decimals, the index of a reading."""
    if edit.accepts:
        return "accepted"
    if edit.index is not None:
        return f"{edit.index // _RAW}.{edit.index % _RAW:06d}"
    return _CLEARED if edit.energy is None else _shown(edit.energy)


def _when(edit: "Edit", zone: str) -> str:
    if edit.of_reading:
        return f"reading of {local_time(edit.start_at, zone)}"
    return f"{local_time(edit.start_at, zone)} to {local_time(edit.end_at, zone)}"


def _shown(energy: int) -> str:
    sign = "-" if energy < 0 else ""
    return f"{sign}{abs(energy) // 1000}.{abs(energy) % 1000:03d}"


def _now_us() -> int:
    return time.time_ns() // 1000
