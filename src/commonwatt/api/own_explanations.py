"""Why a quarter-hour is what it is, and what keeps a period from being locked."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.endpoint.windows import quarters_within
from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.own_requests import group, instant, ordered, parameters, percentage
from commonwatt.app.findings.explain import explain_quarter
from commonwatt.app.findings.meter_tasks import ESTIMATED_LIMIT
from commonwatt.app.findings.worklist import read_worklist
from commonwatt.app.series.local_month import month_before
from commonwatt.domain.metering.catalogue import Group, Meter
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S, quarter_of
from commonwatt.formats.explanations import explanation_object
from commonwatt.formats.worklists import worklist_rows

MOST_DAYS = 400
"""A worklist looks at all meters of a group at once: of a year and a little more."""


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """A quarter-hour of a meter."""

    meter: Meter
    quarter: int


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """A period of a group, [start, end) [Unix seconds].

    ``estimated_limit`` is the share of a meter's energy that may be estimated.
    """

    group: Group
    start_at: int
    end_at: int
    estimated_limit: float


def parse_explain(context: RequestContext, sent: RequestData) -> ExplainQuery:
    """Read a request for an explanation: which meter, and an instant of the quarter-hour."""
    query = parameters(sent.query, ("meter", "at"))
    for name in ("meter", "at"):
        if name not in query:
            raise InvalidInput(name, f"{name} is required")
    quarter = quarter_of(_given(query, "at"))
    window = quarters_within(
        quarter * QUARTER_S, (quarter + 1) * QUARTER_S, context.site, context.now
    )
    if not window.length:
        raise InvalidInput("at", "the account sees no quarter-hour at that instant")
    return ExplainQuery(open_meter(context, query["meter"]), quarter)


def _given(query: Mapping[str, str], name: str) -> int:
    at = instant(query, name)
    assert at is not None, "it is given"
    return at


def answer_explain(context: RequestContext, query: ExplainQuery) -> bytes:
    """Answer the explanation; nothing of closed meters, nor of before the account's history."""
    sight = context.site.sight
    explained = explain_quarter(
        context.snapshot, context.catalogue, query.meter, query.quarter, sight
    )
    return orjson.dumps(explanation_object(explained, context.catalogue, sight))


def parse_worklist(context: RequestContext, sent: RequestData) -> WorklistQuery:
    """Read a request for a worklist; by default of electricity and the last local month."""
    query = parameters(sent.query, ("group", "start", "end", "estimated_limit"))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    month = month_before(context.site.timezone, int(context.now))
    start_at = month[0] if start_at is None else start_at
    end_at = month[1] if end_at is None else end_at
    if end_at - start_at > MOST_DAYS * DAY_S:
        raise InvalidInput("start", f"a worklist is of at most {MOST_DAYS} days")
    window = quarters_within(start_at, max(start_at, end_at), context.site, context.now)
    return WorklistQuery(
        group=group(query),
        start_at=window.first * QUARTER_S,
        end_at=(window.first + window.length) * QUARTER_S,
        estimated_limit=percentage(query, "estimated_limit", ESTIMATED_LIMIT),
    )


def answer_worklist(context: RequestContext, query: WorklistQuery) -> bytes:
    """Answer what is to do; nothing about closed meters but that the books cannot be closed."""
    period = query.start_at, query.end_at
    asked = query.group, *period, query.estimated_limit
    tasks = read_worklist(context.snapshot, context.catalogue, *asked, context.site.sight)
    return orjson.dumps(worklist_rows(tasks))
