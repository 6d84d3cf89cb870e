"""``commonwatt audit``."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import Data, DatabaseUrl, OneSite, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.ports import AuditLine
    from commonwatt.domain.metering.catalogue import Site

_HEADERS = ("when", "who", "site", "action", "subject", "what")
_ALWAYS = 0, 2**62


def audit(
    site: OneSite = None,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with instants in UTC.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List who declared, edited, locked, withdrew or granted what, the oldest first.

    Times are those of the site; of what concerns no site, and of bounds without --site, UTC.

    Example: commonwatt audit --site CH-0012 --start 2026-03-01
    """
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        sites = {each.number: each for each in named_sites(snapshot, None)}
        chosen = None if site is None else named_sites(snapshot, site)[0]
        zone = "UTC" if chosen is None else chosen.timezone
        start_at = _ALWAYS[0] if start is None else option_instant(start, "--start", zone)
        end_at = _ALWAYS[1] if end is None else option_instant(end, "--end", zone)
        lines = [
            line
            for line in snapshot.audit_trail(start_at, end_at)
            if chosen is None or line.site == chosen.number
        ]
    if as_json:
        typer.echo(json.dumps([_object(line, sites) for line in lines], ensure_ascii=False))
    else:
        show_table(_HEADERS, [_row(line, sites) for line in lines])


def _row(line: "AuditLine", sites: "dict[int, Site]") -> tuple[str, ...]:
    zone = sites[line.site].timezone if line.site in sites else "UTC"
    when = local_time(line.at, zone)
    return when, line.account, _site(line, sites) or "-", line.action, line.subject, line.reason


def _object(line: "AuditLine", sites: "dict[int, Site]") -> dict[str, object]:
    from commonwatt.formats.stamps.instants import utc_text

    return {
        "at": utc_text(line.at),
        "account": line.account,
        "site": _site(line, sites),
        "action": line.action,
        "subject": line.subject,
        "reason": line.reason,
    }


def _site(line: "AuditLine", sites: "dict[int, Site]") -> str | None:
    """The site of a line; one that was removed has its number alone, its id is the subject."""
    if line.site is None:
        return None
    site = sites.get(line.site)
    return f"removed ({line.site})" if site is None else site.site_ref or site.id
