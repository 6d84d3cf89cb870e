"""``commonwatt watch``."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.client.connection import (
    Quiet,
    Url,
    Username,
    Verbose,
    opened_client,
    told_as_usage,
)
from commonwatt.cli.client.get import Type
from commonwatt.cli.client.naming import SiteName, named_site
from commonwatt.cli.client.series_output import cells, local_minute, row_object
from commonwatt.cli.output import heading, printable
from commonwatt.cli.records import AsJson

if TYPE_CHECKING:
    from commonwatt.client import Climkit, Row, Series, Site

# How far back it looks, so that what arrives late is still seen.
_BACK = timedelta(hours=3)
_NARROWEST = 8


def watch(
    site: SiteName,
    meter_type: Type = "electricity",
    every: Annotated[int, typer.Option(metavar="S", min=1, help="How often to ask [s].")] = 60,
    as_json: AsJson = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the quarter-hours of a site as they come, those of the last 3 hours first.

    A quarter-hour that changes is printed again. Ends with Ctrl-C.

    Example: commonwatt watch CH-0012 --json
    """
    seen: dict[datetime, Row] = {}
    with opened_client(url, username, quiet=quiet, verbose=verbose) as climkit:
        where = named_site(climkit, site)
        if not quiet:
            typer.echo(f"watching {printable(where.name or where.id)}; Ctrl-C ends it", err=True)
        while True:
            is_first = not seen
            for series, row in _news(climkit, where, meter_type, seen, quiet=quiet):
                if as_json:
                    typer.echo(json.dumps(row_object(row, is_reading=False)))
                    continue
                if is_first:
                    typer.echo(_headings(series))
                    is_first = False
                typer.echo(_line(series, row))
            time.sleep(every)


def _news(
    climkit: "Climkit",
    site: "Site",
    meter_type: str,
    seen: "dict[datetime, Row]",
    *,
    quiet: bool,
) -> "Iterator[tuple[Series, Row]]":
    """Yield the rows that are new or have changed, and keep in mind what was yielded.

    A server that is away for a while is said so and asked again later.
    """
    from commonwatt.client import TooManyRequests, Unreachable

    start = datetime.now(UTC) - _BACK
    try:
        with told_as_usage():
            series = climkit.site_data(site, meter_type, start)
    except (Unreachable, TooManyRequests) as error:
        if not quiet:
            typer.echo(printable(str(error)), err=True)
        return
    for past in [instant for instant in seen if instant < start]:
        del seen[past]
    for row in series:
        has_value = any(value is not None for value in row.values.values())
        if has_value and seen.get(row.start) != row:
            seen[row.start] = row
            yield series, row


def _headings(series: "Series") -> str:
    names = [heading(name, series.unit).rjust(width) for name, width in _widths(series).items()]
    return "  ".join(["start".ljust(len("2026-03-01 00:00+01:00")), *names])


def _line(series: "Series", row: "Row") -> str:
    shown = zip(cells(row.values), _widths(series).values(), strict=True)
    return "  ".join([local_minute(row.start), *(cell.rjust(width) for cell, width in shown)])


def _widths(series: "Series") -> dict[str, int]:
    return {name: max(_NARROWEST, len(heading(name, series.unit))) for name in series.columns}
