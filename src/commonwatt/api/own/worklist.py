"""What keeps a period from being locked."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    RequestContext,
    RequestData,
    always_costly,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.fields import Period, Share
from commonwatt.api.endpoint.models import Answer, read_query, to_json
from commonwatt.api.endpoint.operation import LIMITED, READING, SITE_PATH, Operation
from commonwatt.api.endpoint.windows import quarters_within
from commonwatt.api.http.problems import InvalidInput
from commonwatt.app.findings.meter_tasks import ESTIMATED_LIMIT
from commonwatt.app.findings.task import Task
from commonwatt.app.findings.worklist import read_worklist
from commonwatt.app.series.local_month import month_before
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.formats.commands import command, task_text
from commonwatt.formats.stamps.instants import utc_text

_PATH = f"{SITE_PATH}/worklist"
MOST_DAYS = 400
"""A worklist looks at all meters of a group at once: of a year and a little more."""


class WorklistQuery(Period):
    """Which worklist; by default of the last month of the site's calendar that is over."""

    group: Group = Field(
        Group.ELECTRICITY,
        description="Which group: electricity (default, with charge points), heating, cooling, "
        "cold_water, hot_water.",
    )
    estimated_limit: Share = Field(
        default_factory=lambda: ESTIMATED_LIMIT,
        description="Percentage of a meter's energy that may be estimated [%]. Default: 5.",
    )


class TaskRow(Answer):
    """Something to do before the period can be locked."""

    kind: str = Field(
        description="missing-meter, missing, missing-register, register-kind, unbalanced, "
        "unmetered, unallocated, unproduced, estimated, accepted, or the rule of a finding."
    )
    meter: str | None = Field(description="Id of the meter; null where it concerns the site.")
    start: str = Field(description="First instant concerned, UTC.")
    end: str = Field(description="Last instant concerned, UTC.")
    text: str = Field(description="What is the matter.")
    command: str = Field(description="What resolves it; words in capitals are to be filled in.")
    state: Literal["open", "locked", "accepted"] = Field(
        description="open keeps the period from being locked; the others inform: it was locked so, "
        "or somebody accepted it."
    )


def task_rows(tasks: Iterable[Task]) -> list[TaskRow]:
    """Write tasks as rows."""
    return [
        TaskRow(
            kind=task.kind,
            meter=None if task.meter is None else task.meter.id,
            start=utc_text(task.start_at),
            end=utc_text(task.end_at),
            text=task_text(task),
            command=command(task.action),
            state=task.state.value,
        )
        for task in tasks
    ]


@dataclass(frozen=True, slots=True)
class WantedWorklist:
    """A period of a group, [start, end) [Unix seconds].

    ``estimated_limit`` is the share of a meter's energy that may be estimated.
    """

    group: Group
    start_at: int
    end_at: int
    estimated_limit: float


def parse_worklist(context: RequestContext, sent: RequestData) -> WantedWorklist:
    """Read a request for a worklist; by default of electricity and the last local month."""
    query = read_query(WorklistQuery, sent.query)
    month = month_before(context.site.timezone, int(context.now))
    start_at = month[0] if query.start is None else query.start
    end_at = month[1] if query.end is None else query.end
    if end_at - start_at > MOST_DAYS * DAY_S:
        raise InvalidInput("start", f"a worklist is of at most {MOST_DAYS} days")
    window = quarters_within(start_at, max(start_at, end_at), context.site, context.now)
    return WantedWorklist(
        group=query.group,
        start_at=window.first * QUARTER_S,
        end_at=(window.first + window.length) * QUARTER_S,
        estimated_limit=query.estimated_limit,
    )


def answer_worklist(context: RequestContext, wanted: WantedWorklist) -> bytes:
    """Answer what is to do; of closed meters only that the balance cannot be computed."""
    tasks = read_worklist(
        context.snapshot,
        context.catalogue,
        wanted.group,
        wanted.start_at,
        wanted.end_at,
        wanted.estimated_limit,
        context.site.scope,
    )
    return to_json(task_rows(tasks))


WORKLIST = Endpoint(
    route=_PATH,
    parse=parse_worklist,
    answer=answer_worklist,
    is_quick=never_quick,
    is_costly=always_costly,
)
OPERATIONS = (
    Operation(
        name="worklist",
        method="GET",
        path=_PATH,
        respond=partial(respond, endpoint=WORKLIST),
        summary="What keeps a period from being locked",
        description="Missing meters, open findings, quarter-hours without a balance, too much "
        "estimated energy, each with the command that resolves it. Default: the last month of the "
        "site's calendar that is over. Without an `open` row it can be locked." + LIMITED,
        query=WorklistQuery,
        answer=list[TaskRow],
        answered="What is to do, ascending in time.",
        example=[
            {
                "kind": "missing",
                "meter": example_ids.METER,
                "start": "2026-03-22T04:15:00Z",
                "end": "2026-03-22T06:00:00Z",
                "text": "Apartment 1 is missing in 7 quarter-hours",
                "command": f"commonwatt import FILE --meter {example_ids.METER}",
                "state": "open",
            }
        ],
        problems=READING,
    ),
)
