"""``commonwatt findings`` and ``commonwatt resolve``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonwatt.domain.metering.catalogue import Meter
    from commonwatt.domain.metering.findings import Finding
import json
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.meters import named_meter
from commonwatt.cli.output import local_time, show_applied, show_table
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
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.metering.catalogue import Meter, Site
    from commonwatt.domain.metering.findings import FindingRule


_INDEXES = ("index", "index_before", "index_after", "lowest", "highest")
_ENERGIES = ("energy", "residual", "produced", "consumed", "intervals", "register")
_TIMES = ("seconds", "still", "offset")


def evidence_text(meter: "Meter", finding: "Finding") -> str:
    """Write the evidence of a finding about a meter on one line."""
    return ", ".join(_parts(meter, finding))


def _parts(meter: "Meter", finding: "Finding") -> Iterator[str]:
    unit = meter.medium.unit
    for name, value in finding.evidence.items():
        word = name.replace("_", " ")
        if name in _INDEXES:
            yield f"{word} {value / 1_000_000:.3f} {unit}"
        elif name in _ENERGIES:
            yield f"{word} {value / 1_000:.3f} {unit}"
        elif name == "limit":
            yield f"{word} {value / 1_000:.3f} {unit} an hour"
        elif name == "factor":
            yield f"{word} {value / 1_000:.3f}"
        elif name in _TIMES:
            yield f"{word if name != 'seconds' else 'over'} {_duration(value)}"
        else:
            yield f"{word} {value}"


def _duration(seconds: int) -> str:
    """Write a duration.

    >>> _duration(95), _duration(5_400), _duration(-90_000)
    ('95 s', '1 h 30 min', '-1 d 1 h')
    """
    if seconds < 0:
        return f"-{_duration(-seconds)}"
    if seconds < 3_600:
        return f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3_600, rest % 3_600 // 60
    parts = ((days, "d"), (hours, "h"), (0 if days else minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


_HEADERS = ("id", "severity", "rule", "meter", "register", "start", "end", "evidence")
_RESOLVED_HEADERS = ("finding", "meter", "register", "start", "end", "resolved as")


class FindingSeverity(StrEnum):
    """What a finding is to whoever bills."""

    DECISION = "decision"
    INFORMATION = "information"


class ResolvedAs(StrEnum):
    """What a finding can have been."""

    RESET = "reset"
    ROLLOVER = "rollover"
    FAULTY = "faulty"


def findings(
    site: OneSite = None,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="Only of a rule, as index-break.")
    ] = None,
    meter: Annotated[
        str | None,
        typer.Option(
            metavar="METER", help="Only of a meter: id, prim_ad:N, type and prim_ad, or name."
        ),
    ] = None,
    severity: Annotated[
        FindingSeverity | None,
        typer.Option(help="Only those that need a decision, or only those that inform."),
    ] = None,
    each_: Annotated[bool, typer.Option("--each", help="Each by itself, not joined.")] = False,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Those that somebody resolved, instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with instants in UTC.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List what validation set aside or finds implausible: first what needs a decision, by meter.

    Findings that follow each other are joined, over at most a month of UTC.

    Example: commonwatt findings --site CH-0012 --start 2026-03-01 --severity decision
    """
    wanted = _Filter(_rule(rule), severity, each_)
    rows: list[dict[str, object]] = []
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        for each in named_sites(snapshot, site):
            zone = each.timezone
            start_at = None if start is None else option_instant(start, "--start", zone)
            end_at = None if end is None else option_instant(end, "--end", zone)
            if resolved:
                rows += _resolutions(snapshot, each, as_json)
            else:
                of_meter = None if meter is None else named_meter(snapshot, meter, each.id)[1]
                period = start_at, end_at
                rows += _findings(snapshot, each, period, of_meter, wanted, as_json)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    headers = _RESOLVED_HEADERS if resolved else _HEADERS
    show_table(headers, [[str(value) for value in row.values()] for row in rows])


@dataclass(frozen=True, slots=True)
class _Filter:
    """Which findings are wanted; None is any."""

    rule: "FindingRule | None"
    severity: FindingSeverity | None
    each: bool


def _rule(word: str | None) -> "FindingRule | None":
    from commonwatt.domain.metering.findings import FindingRule

    if word is None:
        return None
    try:
        return FindingRule(word)
    except ValueError as error:
        there_are = ", ".join(FindingRule)
        raise typer.BadParameter(f"is one of {there_are}", param_hint="--rule") from error


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
    from commonwatt.app.findings.resolve import Verdict, resolve_finding, take_resolution_back
    from commonwatt.domain.metering.catalogue import ResolutionKind

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
        show_applied(retry_while_busy(work))


def _site_of(store: "SqlStore", wanted: str, site: str | None, resolved: bool) -> int:
    """Return the number of the site that has a finding. Raises Failed."""
    from commonwatt.app.findings.resolve import find_finding, resolved_meter

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
    snapshot: "Snapshot",
    site: "Site",
    period: tuple[int | None, int | None],
    of_meter: "Meter | None",
    wanted: _Filter,
    as_json: bool,
) -> list[dict[str, object]]:
    from commonwatt.app.findings.joined import Severity, read_joined_findings
    from commonwatt.domain.metering.findings import finding_id

    catalogue = snapshot.catalogue.catalogue(site.number)
    meters = {meter.number: meter for meter in catalogue.meters}
    rows: list[dict[str, object]] = []
    for joined in read_joined_findings(snapshot, catalogue, *period):
        meter, severity = meters[joined.first.meter], Severity.of(joined.first.rule)
        if wanted.rule not in (None, joined.first.rule) or of_meter not in (None, meter):
            continue
        if wanted.severity is not None and wanted.severity.value != severity.value:
            continue
        shown = joined.findings if wanted.each else (joined.whole,)
        for first, each in zip(joined.findings, shown, strict=False):
            rows.append(
                {
                    "id": finding_id(site.id, meter.id, first),
                    "severity": severity.value,
                    "rule": each.rule.value,
                    "meter": meter.id if as_json else meter.name,
                    "register": each.register,
                    "start": _instant(each.start_at, site, as_json),
                    "end": _instant(each.end_at, site, as_json),
                    "evidence": dict(each.evidence) if as_json else evidence_text(meter, each),
                }
            )
    return rows


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
    from commonwatt.formats.stamps.instants import utc_text

    return utc_text(instant_at) if utc else local_time(instant_at, site.timezone)
