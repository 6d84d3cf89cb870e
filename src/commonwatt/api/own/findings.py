"""What validation set aside or finds implausible."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    RequestContext,
    RequestData,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.fields import Flag, Period, WithoutNull, nameable_utc
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.endpoint.models import Answer, read_query, to_json
from commonwatt.api.endpoint.operation import LIMITED, OF_METER, READING, SITE_PATH, Operation
from commonwatt.app.findings.joined import JoinedFinding, Severity, read_joined_findings
from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id

_PATH = f"{SITE_PATH}/findings"


class FindingsQuery(Period):
    """Which findings: filed under instants of [start, end), of all time without bounds."""

    rule: Annotated[FindingRule | None, WithoutNull()] = Field(
        None, description="Only findings of this rule. Such as `index-break`."
    )
    meter: Annotated[str | None, WithoutNull()] = Field(
        None, description="Only findings about this meter, by its id."
    )
    severity: Annotated[Severity | None, WithoutNull()] = Field(
        None, description="Only those that need a decision, or only those that inform."
    )
    each: Flag = Field(False, description="true: each finding by itself, not joined.")


class FindingRow(Answer):
    """What validation set aside or finds implausible."""

    id: str = Field(description="Id of the finding, the same as long as it is found.")
    severity: Literal["decision", "information"] = Field(
        description="Whether somebody has to decide before the days can be billed, or it informs."
    )
    rule: str = Field(description="Id of the rule; it never changes its meaning.")
    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Its name.")
    register_: str = Field(serialization_alias="register", description="Register that is meant.")
    start: str | None = Field(description="First instant concerned, UTC.")
    end: str | None = Field(description="Last instant concerned, UTC.")
    evidence: dict[str, int] = Field(
        description="Numbers in base units: registers mWh or ml, quarter-hours Wh or litres."
    )


def parse_findings(context: RequestContext, sent: RequestData) -> FindingsQuery:
    """Read a request for findings."""
    query = read_query(FindingsQuery, sent.query)
    if query.meter is not None:
        open_meter(context, query.meter)
    return query


def answer_findings(context: RequestContext, query: FindingsQuery) -> bytes:
    """Answer what validation set aside or finds implausible, as far as it is in sight."""
    meters = {meter.number: meter for meter in context.catalogue.meters}
    period = query.start, query.end
    joined_findings = read_joined_findings(
        context.snapshot, context.catalogue, *period, context.site.scope
    )
    return to_json(
        [
            _row(context.site.id, meters[first.meter], first, finding)
            for joined in joined_findings
            for first, finding in _each_or_joined(joined, query)
            if query.meter in (None, meters[first.meter].id)
            and query.rule in (None, first.rule)
            and query.severity in (None, Severity.of(first.rule))
        ]
    )


def _each_or_joined(
    joined: JoinedFinding, query: FindingsQuery
) -> Iterator[tuple[Finding, Finding]]:
    """Yield what is answered, after the finding whose id it has: all joined as one, or each."""
    if not query.each:
        yield joined.first, joined.whole
        return
    for finding in joined.findings:
        at = finding.belongs_at
        if (query.start or at) <= at and (query.end is None or at < query.end):
            yield finding, finding


def _row(site_id: str, meter: Meter, first: Finding, shown: Finding) -> FindingRow:
    return FindingRow(
        id=finding_id(site_id, meter.id, first),
        severity=Severity.of(shown.rule).value,
        rule=shown.rule.value,
        meter=meter.id,
        name=meter.name,
        register_=shown.register,
        start=nameable_utc(shown.start_at),
        end=nameable_utc(shown.end_at),
        evidence=dict(shown.evidence),
    )


OPERATIONS = (
    Operation(
        name="findings",
        method="GET",
        path=_PATH,
        respond=partial(
            respond,
            endpoint=Endpoint(
                route=_PATH, parse=parse_findings, answer=answer_findings, is_quick=never_quick
            ),
        ),
        summary="What validation set aside or finds implausible",
        description="Findings about readings, with their evidence; without bounds all that the "
        "account may see. Those that follow each other are joined, at most a month." + LIMITED,
        query=FindingsQuery,
        answer=list[FindingRow],
        answered="The findings: those that need a decision first, by address of the meter, then "
        "in time.",
        example=[
            {
                "id": "e66b9a68e761",
                "severity": "information",
                "rule": "zero-after-positive",
                "meter": example_ids.METER,
                "name": "Apartment 1",
                "register": "en_im",
                "start": "2026-03-22T04:30:00Z",
                "end": "2026-03-22T04:30:00Z",
                "evidence": {"index": 0},
            }
        ],
        problems=(*READING, *OF_METER),
    ),
)
