"""The state of a site and the findings about its readings, on our own surface."""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from commonwatt.api.own_requests import instant, ordered, parameters
from commonwatt.api.visits import Asked, Visit
from commonwatt.app.read_findings import read_findings
from commonwatt.app.read_status import read_status
from commonwatt.domain.findings import finding_id

_FIRST_AT, _END_AT = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999 [Unix seconds]."""


@dataclass(frozen=True, slots=True)
class FindingsQuery:
    """Findings filed under instants of [start, end) [Unix seconds]; None is unbounded."""

    start_at: int | None
    end_at: int | None


def parse_status(_visit: Visit, asked: Asked) -> None:
    """Read a request for the state of a site: nothing more can be said."""
    parameters(asked.query, ())


def answer_status(visit: Visit, _query: None) -> bytes:
    """Answer each meter's last accepted reading, and by group until when the books are complete.

    Nothing of closed meters, and no instant before the account's history.
    """
    status = read_status(visit.snapshot, visit.catalogue)
    closed = visit.site.closed_meters
    meters = [
        {
            "meter": each.meter.id,
            "name": each.meter.name,
            "type": each.meter.medium.value,
            "last_reading": None
            if each.meter.id in closed
            else _since_history(visit, each.last_accepted_at),
        }
        for each in status.meters
    ]
    groups = [
        {
            "group": group.value,
            "complete_until": _since_history(visit, complete_until_at),
            "held_back_by": [
                meter.id for meter in status.held_back_by[group] if meter.id not in closed
            ],
        }
        for group, complete_until_at in status.complete_until.items()
    ]
    return orjson.dumps({"site": visit.site.id, "meters": meters, "groups": groups})


def _since_history(visit: Visit, instant_at: int | None) -> str | None:
    hidden_before_at = visit.site.history_from
    if instant_at is None or (hidden_before_at is not None and instant_at < hidden_before_at):
        return None
    return _utc(instant_at)


def parse_findings(visit: Visit, asked: Asked) -> FindingsQuery:
    """Read a request for findings; the account's history limit moves its start up."""
    query = parameters(asked.query, ("start", "end"))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    history_from = visit.site.history_from
    if history_from is not None:
        start_at = history_from if start_at is None else max(start_at, history_from)
    return FindingsQuery(start_at, end_at)


def answer_findings(visit: Visit, query: FindingsQuery) -> bytes:
    """Answer what validation set aside or doubts; nothing of closed meters."""
    start_at, end_at = query.start_at, query.end_at
    if start_at is not None and end_at is not None and start_at >= end_at:
        return b"[]"
    meter_ids = {meter.number: meter.id for meter in visit.catalogue.meters}
    findings = read_findings(visit.snapshot, visit.catalogue, start_at, end_at)
    return orjson.dumps(
        [
            {
                "id": finding_id(visit.site.id, meter_id, finding),
                "rule": finding.rule.value,
                "meter": meter_id,
                "register": finding.register,
                "start": _utc(finding.start_at),
                "end": _utc(finding.end_at),
                "evidence": dict(finding.evidence),
            }
            for finding in findings
            if (meter_id := meter_ids[finding.meter]) not in visit.site.closed_meters
        ]
    )


def _utc(instant_at: int | None) -> str | None:
    # What a store of before may hold: an instant that the calendar cannot name.
    if instant_at is None or not _FIRST_AT <= instant_at < _END_AT:
        return None
    return datetime.fromtimestamp(instant_at, UTC).isoformat().replace("+00:00", "Z")
