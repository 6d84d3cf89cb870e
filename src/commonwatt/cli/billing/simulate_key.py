"""``commonwatt simulate-key``."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import counting_bar, show_table
from commonwatt.cli.stores import Data, DatabaseUrl, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.billing.simulate_key import Simulated


def simulate_key(
    site: Annotated[str, typer.Argument(metavar="SITE", help="A site, by id or site_ref.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The allocation key to try.")],
    start: Annotated[str, typer.Option(metavar="T", help=f"From when: {WHEN}.")],
    end: Annotated[str, typer.Option(metavar="T", help=f"Until when: {WHEN}.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in kWh.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Replay a period under another allocation key, and show who would gain and who would lose.

    Nothing is changed. Of each consumer: what it used, its share as it is settled, and its share
    under the key, with the shares, priorities and producers that are declared.

    Example: commonwatt simulate-key CH-0012 equal --start 2026-01-01 --end 2026-02-01
    """
    from commonwatt.app.billing.simulate_key import simulate_key as simulate
    from commonwatt.domain.allocation import KEYS
    from commonwatt.domain.metering.quarter_hours import first_quarter_from, quarter_of

    if key not in KEYS:
        raise typer.BadParameter(f"'{key}' is none of {', '.join(KEYS)}", param_hint="KEY")
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        [found] = named_sites(snapshot, site)
        start_at = option_instant(start, "--start", found.timezone)
        end_at = option_instant(end, "--end", found.timezone)
        if end_at < start_at:
            raise typer.BadParameter("lies before --start", param_hint="--end")
        catalogue = snapshot.catalogue.catalogue(found.number)
        first, last = first_quarter_from(start_at), quarter_of(end_at)
        with counting_bar(f"replaying {found.name}") as replayed:
            rows = simulate(snapshot, catalogue, key, first, last, replayed)
    if as_json:
        typer.echo(json.dumps([_json_row(row) for row in rows], indent=1))
    elif not rows:
        typer.echo("no consumer has a settled share in this period")
    else:
        _show(rows)


def _json_row(row: "Simulated") -> dict[str, str | float]:
    return {
        "meter": row.meter.id,
        "name": row.meter.name,
        "total": row.total / 1000,
        "self_now": row.self_now / 1000,
        "self_then": row.self_then / 1000,
        "difference": row.difference / 1000,
    }


def _show(rows: "Sequence[Simulated]") -> None:
    """Print the consumers and their sums; a share is that of its own consumption."""
    lines = [(r.meter.name, (r.total, r.self_now, r.self_then)) for r in rows]
    total, now, then = (sum(energies) for energies in zip(*(wh for _, wh in lines), strict=True))
    lines.append(("all", (total, now, then)))
    show_table(
        ("meter", "total kWh", "self now", "self then", "difference", "share now", "share then"),
        [
            (
                name,
                *(f"{wh / 1000:.3f}" for wh in (total, now, then)),
                f"{(then - now) / 1000:+.3f}",
                _percent(now, total),
                _percent(then, total),
            )
            for name, (total, now, then) in lines
        ],
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole > 0 else "-"
