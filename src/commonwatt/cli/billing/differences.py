"""``commonwatt differences``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.billing.lock import GroupName, SiteName, named_group
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import Data, DatabaseUrl, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.billing.differences import Differences

_PER_UNIT = 1_000
_QUARTER_S = 900


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

    Signed, by meter and quarter-hour in kWh (m3 of water), then their sums: what the next bill has
    to make good.
    The cause "rules" is what the rules of a newer version alone change, and no reason to bill.

    Example: commonwatt differences CH-0012 electricity --start 2026-03-01
    """
    from commonwatt.app.billing.differences import read_differences

    named = named_group(group)
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        (where,) = named_sites(snapshot, site)
        zone = where.timezone
        start_at = None if start is None else option_instant(start, "--start", zone)
        end_at = None if end is None else option_instant(end, "--end", zone)
        catalogue = snapshot.catalogue.catalogue(where.number)
        found = list(read_differences(snapshot, catalogue, named, start_at, end_at))
    if json:
        from commonwatt.api.own.locks import differences_json

        typer.echo(differences_json(found).decode())
        return
    found.sort(key=lambda each: (each.meter.medium.value, each.meter.prim_ad))
    names = ("meter", "start", "column", "locked", "current", "difference", "cause")
    show_table(names, [row for each in found for row in _rows(each, zone)])
    if found:
        typer.echo()
        show_table(
            ("sum of meter", "prim_ad", "column", "difference", "unit", "cause"),
            [
                (
                    each.meter.name,
                    str(each.meter.prim_ad),
                    each.column,
                    f"{int(each.difference.sum()) / _PER_UNIT:+.3f}",
                    each.meter.medium.unit,
                    each.cause.value,
                )
                for each in found
            ],
        )


def _rows(found: "Differences", zone: str) -> Iterator[tuple[str, ...]]:
    """Yield the quarter-hours of a column of a meter, on the site's clock [kWh, m3]."""
    columns = (found.quarters, found.locked, found.current, found.difference)
    known = (found.locked_known, found.current_known)
    values = zip(*(each.tolist() for each in (*columns, *known)), strict=True)
    for quarter, locked, current, difference, was_known, is_known in values:
        yield (
            found.meter.name,
            local_time(quarter * _QUARTER_S, zone),
            found.column,
            f"{locked / _PER_UNIT:.3f}" if was_known else "-",
            f"{current / _PER_UNIT:.3f}" if is_known else "-",
            f"{difference / _PER_UNIT:+.3f}",
            found.cause.value,
        )
