"""``commonwatt findings`` and ``commonwatt resolve``."""

import json
import time
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import local_time, show_applied, show_table
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
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.catalogue import Site

_HEADERS = ("id", "rule", "meter", "register", "start", "end", "evidence")
_RESOLVED_HEADERS = ("finding", "meter", "register", "start", "end", "resolved as")


class ResolvedAs(StrEnum):
    """What a finding can have been."""

    RESET = "reset"
    ROLLOVER = "rollover"
    FAULTY = "faulty"


def findings(
    site: OneSite = None,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Those that somebody resolved, instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with instants in UTC.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List what validation set aside or doubts, the oldest first.

    Example: commonwatt findings --site CH-0012 --start 2026-03-01
    """
    rows: list[dict[str, object]] = []
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        for each in named_sites(snapshot, site):
            zone = each.timezone
            start_at = None if start is None else option_instant(start, "--start", zone)
            end_at = None if end is None else option_instant(end, "--end", zone)
            if resolved:
                rows += _resolutions(snapshot, each, as_json)
            else:
                rows += _findings(snapshot, each, start_at, end_at, as_json)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    headers = _RESOLVED_HEADERS if resolved else _HEADERS
    show_table(headers, [[_cell(value) for value in row.values()] for row in rows])


def resolve(
    finding: Annotated[str, typer.Argument(metavar="FINDING", help="Its id, of `findings`.")],
    resolved_as: Annotated[
        ResolvedAs | None,
        typer.Option("--as", help="The register began anew at 0, ran over, or readings are wrong."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take what was said back.")] = False,
    digits: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=3, max=12, help="Digits of a register that ran over, if not inferred."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; kept in the audit trail.", show_default=False)
    ] = "",
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Say what a finding was: a reset or rollover of the register, or faulty readings.

    Of a break, faulty are the readings of its smaller side. An exchange of the device is declared
    by `commonwatt exchange` instead.

    Example: commonwatt resolve d0555ae54556 --as reset --reason "new module, index from 0"
    """
    from commonwatt.app.resolve_finding import Verdict, resolve_finding, take_resolution_back
    from commonwatt.domain.catalogue import ResolutionKind

    if (resolved_as is None) != undo:
        raise typer.BadParameter("give either --as or --undo")
    now_at = int(time.time())
    with opened_store(data, database_url) as store:
        where = _site_of(store, finding, site, undo)
        if resolved_as is None:
            work = partial(take_resolution_back, store, where, finding, BY_COMMAND_LINE, now_at)
        else:
            kind = ResolutionKind(resolved_as.value)
            verdict = Verdict(kind=kind, digits=digits, reason=reason.strip())
            work = partial(resolve_finding, store, where, finding, verdict, BY_COMMAND_LINE, now_at)
        show_applied(patiently(work))


def _site_of(store: "SqlStore", wanted: str, site: str | None, resolved: bool) -> int:
    """Return the number of the site that has a finding. Raises Failed."""
    from commonwatt.app.resolve_finding import find_finding, resolved_meter

    with store.snapshot() as snapshot:
        for each in named_sites(snapshot, site):
            catalogue = snapshot.catalogue.catalogue(each.number)
            if resolved_meter(catalogue, wanted) is not None:
                return each.number
            if not resolved and find_finding(snapshot, catalogue, wanted) is not None:
                return each.number
    listing = "commonwatt findings --resolved" if resolved else "commonwatt findings"
    raise Failed(f"no finding {wanted}; `{listing}` lists them with their id")


def _findings(
    snapshot: "Snapshot", site: "Site", start_at: int | None, end_at: int | None, as_json: bool
) -> list[dict[str, object]]:
    from commonwatt.app.read_findings import read_findings
    from commonwatt.domain.findings import finding_id

    catalogue = snapshot.catalogue.catalogue(site.number)
    meters = {meter.number: meter for meter in catalogue.meters}
    return [
        {
            "id": finding_id(site.id, meters[each.meter].id, each),
            "rule": each.rule.value,
            "meter": meters[each.meter].id if as_json else meters[each.meter].name,
            "register": each.register,
            "start": _instant(each.start_at, site, as_json),
            "end": _instant(each.end_at, site, as_json),
            "evidence": dict(each.evidence),
        }
        for each in read_findings(snapshot, catalogue, start_at, end_at)
    ]


def _resolutions(snapshot: "Snapshot", site: "Site", as_json: bool) -> list[dict[str, object]]:
    return [
        {
            "finding": each.finding,
            "meter": meter.id if as_json else meter.name,
            "register": each.register.value,
            "start": _instant(each.start_at, site, as_json),
            "end": _instant(each.end_at, site, as_json),
            "as": each.kind.value,
        }
        for meter in snapshot.catalogue.catalogue(site.number).meters
        for each in meter.resolutions
    ]


def _instant(instant_at: int, site: "Site", utc: bool) -> str:
    from commonwatt.formats.instants import utc_text

    return utc_text(instant_at) if utc else local_time(instant_at, site.timezone)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {amount}" for name, amount in value.items())
    return str(value)
