"""``commonwatt get``: series of a Climkit server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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
from commonwatt.cli.client.naming import (
    MeterName,
    SensorName,
    SiteName,
    named_meter,
    named_sensor,
    named_site,
)
from commonwatt.cli.client.series_output import Plot, show_series
from commonwatt.cli.instants import WHEN, with_offset
from commonwatt.cli.output import parts_bar
from commonwatt.cli.records import AsCsv, AsJson, require_one_of
from commonwatt.cli.stores import opened_store

if TYPE_CHECKING:
    from commonwatt.client import Climkit, Site

Start = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="T", help=f"From when: {WHEN}.", show_default="a day before --end"
    ),
]
End = Annotated[
    str | None,
    typer.Option("--end", metavar="T", help=f"Until when: {WHEN}.", show_default="now"),
]
ReadingsStart = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="T", help=f"From when: {WHEN}.", show_default="the latest alone"
    ),
]
LocalData = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Ask the store of this folder instead of a server; no account is needed.",
        rich_help_panel="Store",
    ),
]
LocalDatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="Ask this database instead of a server.",
        rich_help_panel="Store",
    ),
]
Sampling = Annotated[str, typer.Option("--sampling", metavar="WORD", help="15T, H, D, M or Y.")]
Type = Annotated[
    str,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="electricity, heating, cooling, cold_water, hot_water or charge_point.",
    ),
]

get_commands = typer.Typer(
    no_args_is_help=True, help="Print series of a site, meter or sensor, or draw them."
)


@contextmanager
def _asked(
    url: str | None,
    username: str | None,
    data: Path | None,
    database_url: str | None,
    *,
    quiet: bool,
    verbose: bool,
) -> Iterator["Climkit"]:
    """Give a client that shows on a terminal how much of a long series has come."""
    local = data is not None or database_url is not None
    if local and (url is not None or username is not None):
        raise typer.BadParameter("a store has no address and no account: give one or the other")
    with parts_bar("asking", quiet=quiet or verbose) as on_part:
        if not local:
            with opened_client(
                url, username, quiet=quiet, verbose=verbose, on_part=on_part
            ) as climkit:
                yield climkit
            return
        from commonwatt.local_client import LocalClimkit

        with opened_store(data, database_url) as store:
            yield LocalClimkit(store, on_part=on_part)


def _between(start: str | None, end: str | None, site: "Site") -> tuple[str | None, str | None]:
    """Return the window that is meant: times without an offset are on the site's clock."""
    zone = site.timezone
    return with_offset(start, "--start", zone), with_offset(end, "--end", zone)


@get_commands.command("site")
def get_site(
    site: SiteName,
    meter_type: Type = "electricity",
    start: Start = None,
    end: End = None,
    sampling: Sampling = "15T",
    of_meters: Annotated[
        bool, typer.Option("--meters", help="Columns of single meters too, where there are any.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    plot: Plot = False,
    url: Url = None,
    username: Username = None,
    data: LocalData = None,
    database_url: LocalDatabaseUrl = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print what a site consumed, produced and exchanged with the grid.

    Example: commonwatt get site CH-0012 --start 2026-03-01 --end 2026-04-01 --sampling D --plot
    """
    require_one_of(json=as_json, csv=as_csv, plot=plot)
    with _asked(url, username, data, database_url, quiet=quiet, verbose=verbose) as climkit:
        where = named_site(climkit, site)
        between = _between(start, end, where)
        with told_as_usage():
            series = climkit.site_data(where, meter_type, *between, sampling, meters=of_meters)
    show_series(series, as_json=as_json, as_csv=as_csv, plot=plot, quiet=quiet)


@get_commands.command("meter")
def get_meter(
    site: SiteName,
    meter: MeterName,
    start: Start = None,
    end: End = None,
    sampling: Sampling = "15T",
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    plot: Plot = False,
    url: Url = None,
    username: Username = None,
    data: LocalData = None,
    database_url: LocalDatabaseUrl = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the validated quantities of a meter.

    Example: commonwatt get meter CH-0012 "electricity 11" --start 2026-03-01 --csv
    """
    require_one_of(json=as_json, csv=as_csv, plot=plot)
    with _asked(url, username, data, database_url, quiet=quiet, verbose=verbose) as climkit:
        where = named_site(climkit, site)
        which = named_meter(climkit, where, meter)
        between = _between(start, end, where)
        with told_as_usage():
            series = climkit.meter_data(where, which, *between, sampling)
    show_series(series, as_json=as_json, as_csv=as_csv, plot=plot, quiet=quiet)


@get_commands.command("raw")
def get_raw(
    site: SiteName,
    meter: MeterName,
    start: ReadingsStart = None,
    end: End = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    plot: Plot = False,
    url: Url = None,
    username: Username = None,
    data: LocalData = None,
    database_url: LocalDatabaseUrl = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the readings of a meter as it sent them; without a window the latest.

    Example: commonwatt get raw CH-0012 prim_ad:11 --start 2026-03-01
    """
    require_one_of(json=as_json, csv=as_csv, plot=plot)
    with _asked(url, username, data, database_url, quiet=quiet, verbose=verbose) as climkit:
        where = named_site(climkit, site)
        which = named_meter(climkit, where, meter)
        between = _between(start, end, where)
        with told_as_usage():
            series = climkit.meter_data_raw(where, which, *between)
    show_series(series, as_json=as_json, as_csv=as_csv, plot=plot, quiet=quiet)


@get_commands.command("sensor")
def get_sensor(
    site: SiteName,
    sensor: SensorName,
    start: ReadingsStart = None,
    end: End = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    plot: Plot = False,
    url: Url = None,
    username: Username = None,
    data: LocalData = None,
    database_url: LocalDatabaseUrl = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the values of a sensor; without a window the latest.

    Example: commonwatt get sensor CH-0012 Stairwell --start 2026-03-01 --plot
    """
    require_one_of(json=as_json, csv=as_csv, plot=plot)
    with _asked(url, username, data, database_url, quiet=quiet, verbose=verbose) as climkit:
        where = named_site(climkit, site)
        which = named_sensor(climkit, where, sensor)
        between = _between(start, end, where)
        with told_as_usage():
            series = climkit.sensor_data(where, which, *between)
    show_series(series, as_json=as_json, as_csv=as_csv, plot=plot, quiet=quiet)
