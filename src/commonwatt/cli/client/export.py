"""``commonwatt export``."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from commonwatt.cli.client.connection import (
    Fast,
    Quiet,
    Url,
    Username,
    Verbose,
    opened_client,
    told_as_usage,
)
from commonwatt.cli.client.naming import SiteName, named_site
from commonwatt.cli.faults import Failed, fault_lines
from commonwatt.cli.instants import WHEN, with_offset
from commonwatt.cli.output import parts_bar, printable

if TYPE_CHECKING:
    from commonwatt.export.export import Export, Exported


def export(
    site: SiteName,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to make: .parquet or .csv.")
    ],
    start: Annotated[str, typer.Option("--start", metavar="T", help=f"From when: {WHEN}.")],
    end: Annotated[
        str | None,
        typer.Option(
            "--end",
            metavar="T",
            help=f"Until when: {WHEN}.",
            show_default="the newest full quarter-hour",
        ),
    ] = None,
    of: Annotated[
        Literal["site", "meters", "readings", "sensors"],
        typer.Option("--of", help="What the rows are of."),
    ] = "site",
    meter_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="electricity, heating, cooling, cold_water, hot_water or charge_point.",
            show_default="electricity",
        ),
    ] = None,
    sampling: Annotated[
        str | None,
        typer.Option("--sampling", metavar="WORD", help="15T, H, D, M or Y.", show_default="15T"),
    ] = None,
    fast: Fast = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a site's data of any period to a Parquet or CSV file.

    Each month is kept as soon as it has come: after an interruption the same command goes on.
    An older file of that name stays until the new one is whole.

    Example: commonwatt export CH-0012 2026.parquet --start 2026-01-01 --of meters
    """
    from commonwatt.export.export import begun, files_of, planned
    from commonwatt.export.request import wish_of

    with told_as_usage():
        files_of(file)
        wish = wish_of(of, meter_type, sampling, start, end)
    if not file.parent.is_dir() or file.is_dir():
        raise typer.BadParameter(f"{file} is no file in a folder that is there")
    with opened_client(url, username, quiet=quiet, verbose=verbose, fast=fast) as climkit:
        where = named_site(climkit, site)
        start_at = with_offset(start, "--start", where.timezone) or start
        wish = replace(wish, start=start_at, end=with_offset(end, "--end", where.timezone))
        with told_as_usage():
            plan = planned(climkit, where, wish, file, int(time.time()))
        with begun(plan) as export:
            done = _finished(export, quiet=quiet, verbose=verbose)
    for who in done.left_out:
        typer.echo(f"left out: {printable(who)}", err=True)
    if not quiet:
        typer.echo(f"{file}: {done.rows} rows, {_size(done.size_bytes)}")


def _finished(export: "Export", *, quiet: bool, verbose: bool) -> "Exported":
    """Finish an export; if something stops it, say what is kept."""
    from commonwatt.client import ClimkitError

    if export.kept and not quiet:
        typer.echo(f"going on: {_parts(export)} are there already", err=True)
    try:
        with parts_bar("exporting", quiet=quiet or verbose) as on_part:
            return export.finish(on_part or _say_nothing)
    except (ClimkitError, OSError) as error:
        raise Failed(*fault_lines(error), _kept(export)) from error
    except KeyboardInterrupt:
        typer.echo(f"commonwatt: {_kept(export)}", err=True)
        raise


def _kept(export: "Export") -> str:
    if not export.kept:
        return "nothing is kept yet"
    return f"{_parts(export)} are kept in {export.folder}; the same command goes on"


def _parts(export: "Export") -> str:
    return f"{export.kept} of {len(export.parts)} parts"


def _say_nothing(_done: float, _total: int) -> None:
    """Show no progress."""


def _size(size_bytes: int) -> str:
    """Write a size for people.

    >>> _size(999), _size(1_234_567)
    ('999 bytes', '1.2 MB')
    """
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if size_bytes >= 1000**power:
            return f"{size_bytes / 1000**power:.1f} {unit}"
    return f"{size_bytes} bytes"
