"""The state of a site and the findings about its readings, on our own surface."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.own_requests import flag, instant, one_of, ordered, parameters
from commonwatt.app.findings.joined import Severity, Stretch, read_stretches
from commonwatt.app.series.status import read_status
from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id

_FIRST_AT, _END_AT = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999 [Unix seconds]."""


@dataclass(frozen=True, slots=True)
class FindingsQuery:
    """Findings filed under instants of [start, end) [Unix seconds]; None is unbounded.

    Of a rule, a meter by its id, and a severity; None is any. ``each``: not joined to stretches.
    """

    start_at: int | None
    end_at: int | None
    rule: FindingRule | None
    meter: str | None
    severity: Severity | None
    each: bool


def parse_status(_context: RequestContext, sent: RequestData) -> None:
    """Read a request for the state of a site: nothing more can be said."""
    parameters(sent.query, ())


def answer_status(context: RequestContext, _query: None) -> bytes:
    """Answer each meter's last accepted reading, and by group until when the books are complete.

    Nothing of closed meters, and no instant before the account's history.
    """
    status = read_status(context.snapshot, context.catalogue, context.site.sight)
    meters = [
        {
            "meter": each.meter.id,
            "name": each.meter.name,
            "type": each.meter.medium.value,
            "last_reading": _utc(each.last_accepted_at),
        }
        for each in status.meters
    ]
    groups = [
        {
            "group": group.value,
            "complete_until": _utc(complete_until_at),
            "held_back_by": [meter.id for meter in status.held_back_by[group]],
        }
        for group, complete_until_at in status.complete_until.items()
    ]
    return orjson.dumps({"site": context.site.id, "meters": meters, "groups": groups})


def parse_findings(context: RequestContext, sent: RequestData) -> FindingsQuery:
    """Read a request for findings."""
    query = parameters(sent.query, ("start", "end", "rule", "meter", "severity", "each"))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    meter = query.get("meter")
    return FindingsQuery(
        start_at,
        end_at,
        rule=one_of(query, "rule", FindingRule),
        meter=None if meter is None else open_meter(context, meter).id,
        severity=one_of(query, "severity", Severity),
        each=flag(query, "each"),
    )


def answer_findings(context: RequestContext, query: FindingsQuery) -> bytes:
    """Answer what validation set aside or doubts, as far as it is in sight."""
    meters = {meter.number: meter for meter in context.catalogue.meters}
    period = query.start_at, query.end_at
    stretches = read_stretches(context.snapshot, context.catalogue, *period, context.site.sight)
    return orjson.dumps(
        [
            _finding_row(context.site.id, meters[first.meter], first, finding)
            for stretch in stretches
            for first, finding in _told(stretch, query)
            if query.meter in (None, meters[first.meter].id)
            and query.rule in (None, first.rule)
            and query.severity in (None, Severity.of(first.rule))
        ]
    )


def _told(stretch: Stretch, query: FindingsQuery) -> Iterator[tuple[Finding, Finding]]:
    """Yield what is told of a stretch, after the finding whose id it has: all as one, or each."""
    if not query.each:
        yield stretch.first, stretch.whole
        return
    for finding in stretch.findings:
        at = finding.belongs_at
        if (query.start_at or at) <= at and (query.end_at is None or at < query.end_at):
            yield finding, finding


def _finding_row(site_id: str, meter: Meter, first: Finding, told: Finding) -> dict[str, object]:
    return {
        "id": finding_id(site_id, meter.id, first),
        "severity": Severity.of(told.rule).value,
        "rule": told.rule.value,
        "meter": meter.id,
        "name": meter.name,
        "register": told.register,
        "start": _utc(told.start_at),
        "end": _utc(told.end_at),
        "evidence": dict(told.evidence),
    }


def _utc(instant_at: int | None) -> str | None:
    # What a store of before may hold: an instant that the calendar cannot name.
    if instant_at is None or not _FIRST_AT <= instant_at < _END_AT:
        return None
    return datetime.fromtimestamp(instant_at, UTC).isoformat().replace("+00:00", "Z")
