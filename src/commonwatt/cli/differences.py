"""``commonwatt differences``."""

from typing import Annotated

import typer

from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.lock import GroupName, SiteName, named_group
from commonwatt.cli.output import show_table
from commonwatt.cli.stores import Data, DatabaseUrl, named_sites, opened_store


def differences(
    site: SiteName,
    group: GroupName,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Rows as JSON instead.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show what later corrections would change of locked quarter-hours.

    Signed, by meter and quarter-hour in kWh (m3 of water): what the next bill has to make good.

    Example: commonwatt differences CH-0012 electricity --start 2026-03-01
    """
    from commonwatt.app.read_differences import read_differences
    from commonwatt.formats.difference_rows import difference_rows

    named = named_group(group)
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        (where,) = named_sites(snapshot, site)
        zone = where.timezone
        start_at = None if start is None else option_instant(start, "--start", zone)
        end_at = None if end is None else option_instant(end, "--end", zone)
        catalogue = snapshot.catalogue.catalogue(where.number)
        rows = difference_rows(read_differences(snapshot, catalogue, named, start_at, end_at))
    if json:
        import orjson

        typer.echo(orjson.dumps(rows).decode())
        return
    names = ("meter", "start", "column", "locked", "current", "difference")
    show_table(names, [tuple(_shown(row[name]) for name in names) for row in rows])


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
