"""Locks of groups: listed, set, taken back; what corrections would change of what is locked."""

from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.change import ChangeRequest, respond_to_change
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    RequestContext,
    RequestData,
    always_costly,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.fields import Instant, Period, Text, WithoutNull
from commonwatt.api.endpoint.models import Answer, Body, Query, read_body, read_query, to_json
from commonwatt.api.endpoint.operation import CHANGING, LIMITED, READING, SITE_PATH, Operation
from commonwatt.api.http import problems
from commonwatt.api.http.problems import InvalidInput
from commonwatt.app.accounts.authorize import require_whole_site
from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.billing.differences import Differences, read_differences
from commonwatt.app.billing.lock import GroupLock, lock_group, read_locks, unlock_group
from commonwatt.app.ports import LockStep, Store
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats.stamps.instants import utc_text

_LIST = f"{SITE_PATH}/locks"
_LOCK = f"{SITE_PATH}/locks/{{group}}"
_DIFFERENCES = f"{SITE_PATH}/differences"
_UNLOCK = f"{SITE_PATH}/locks/{{group}}/unlock"


_PER_UNIT = 1000
MOST_ROWS = 300_000
"""So many differences are told at once: ten days of a hundred meters of which all differ."""


class LockBody(Body):
    """Until when to lock."""

    until: Instant = Field(description="ISO 8601, on a quarter-hour; naive is UTC.")
    despite: Text | None = Field(
        None, description="Why it is locked although something is to do; kept with the lock."
    )


class UnlockBody(Body):
    """Until when a lock is to hold."""

    until: Instant = Field(description="ISO 8601, on a quarter-hour; naive is UTC.")
    reason: Text = Field(description="Why; kept in the audit trail.")


class LockStepRow(Answer):
    """A step of locking."""

    until: str = Field(description="Results before it are frozen, UTC.")
    content_hash: str | None = Field(
        description="SHA-256 of what the step froze and of the hash of the step before, in hex; "
        "null for who sees a part of the site."
    )
    locked_at: str = Field(description="When it was locked, UTC.")
    by: str = Field(description="Account that locked it.")
    despite: str | None = Field(
        description="Why it was locked although something was to do; null where nothing was, and "
        "for who sees a part of the site."
    )


class LockRow(Answer):
    """The lock of a group: its last step, and all of them."""

    group: str = Field(description="Meters that settle together.")
    until: str = Field(description="Results before it are frozen, UTC.")
    content_hash: str | None = Field(description="That of the last step.")
    locked_at: str = Field(description="When the last step was locked, UTC.")
    by: str = Field(description="Account that locked the last step.")
    despite: str | None = Field(description="That of the last step.")
    steps: list[LockStepRow] = Field(description="All steps, the first one first.")


def _row(lock: GroupLock, scope: AccessScope = WHOLE) -> LockRow:
    return LockRow(
        group=lock.group.value,
        **_step(lock.last, scope).model_dump(),
        steps=[_step(each, scope) for each in lock.steps if _reaches(each, scope)],
    )


def _step(step: LockStep, scope: AccessScope) -> LockStepRow:
    return LockStepRow(
        until=utc_text(step.until_at),
        # The hash is of all meters and times: guesses of a closed one could be tried by it.
        content_hash=step.content_hash if scope.is_whole else None,
        locked_at=utc_text(step.locked_us // 1_000_000),
        by=step.account,
        despite=step.despite if scope.is_whole else None,
    )


def _reaches(step: LockStep, scope: AccessScope) -> bool:
    """Whether a step locks a quarter-hour that is in sight."""
    return scope.since(step.until_at - QUARTER_S)


def parse_locks(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    read_query(Query, sent.query)


def answer_locks(context: RequestContext, _query: None) -> bytes:
    """Answer the locks that are in force, a row a group, as far as they reach into sight."""
    scope = context.site.scope
    locks = read_locks(context.snapshot, context.site.number)
    return to_json([_row(each, scope) for each in locks if _reaches(each.last, scope)])


def put_lock(store: Store, sent: ChangeRequest) -> bytes:
    """Lock a group, or lock it further."""
    require_whole_site(sent.admitted.site)
    body = read_body(LockBody, sent.body)
    site, group = sent.admitted.site.number, _group(sent.path["group"])
    by = sent.admitted.account, sent.now_us
    return to_json(_row(lock_group(store, site, group, body.until, *by, body.despite)))


def post_unlock(store: Store, sent: ChangeRequest) -> bytes:
    """Take a lock back; the answer is the lock that is left, or null."""
    require_whole_site(sent.admitted.site)
    body = read_body(UnlockBody, sent.body)
    site, group = sent.admitted.site.number, _group(sent.path["group"])
    by = sent.admitted.account, sent.now_us
    left = unlock_group(store, site, group, body.until, body.reason, *by)
    return to_json(None if left is None else _row(left))


def _group(word: str) -> Group:
    try:
        return Group(word)
    except ValueError:
        raise InvalidInput("group", f"group is one of {', '.join(Group)}") from None


class DifferencesQuery(Period):
    """Which differences."""

    group: Annotated[Group | None, WithoutNull()] = Field(
        None, description="A group; all of them without."
    )


class DifferenceRow(Answer):
    """What a correction would change of a locked quarter-hour [kWh; water m3]."""

    meter: str = Field(description="Id of the meter.")
    start: str = Field(description="Start of the quarter-hour, UTC.")
    column: str = Field(description="Which value differs: total, self or ext.")
    locked: float | None = Field(description="What is answered; null where nothing was known.")
    current: float | None = Field(description="What would be answered without the lock.")
    difference: float = Field(description="current less locked; what is unknown counts as 0.")
    cause: Literal["correction", "rules"] = Field(
        description="A correction, or an upgrade's rules alone, which is no reason to bill."
    )


def differences_json(found: Sequence[Differences]) -> bytes:
    """Write rows of `DifferenceRow`, ascending by meter and start.

    There may be hundreds of thousands: they are written without a model each.
    """
    rows = [row for each in found for row in _rows(each)]
    return orjson.dumps(sorted(rows, key=itemgetter("meter", "start")))


def _rows(found: Differences) -> Iterator[dict[str, Any]]:
    columns = (found.quarters, found.locked, found.current, found.difference)
    known = (found.locked_known, found.current_known)
    values = zip(*(each.tolist() for each in (*columns, *known)), strict=True)
    for quarter, locked, current, difference, was_known, is_known in values:
        yield {
            "meter": found.meter.id,
            "start": utc_text(quarter * QUARTER_S),
            "column": found.column,
            "locked": locked / _PER_UNIT if was_known else None,
            "current": current / _PER_UNIT if is_known else None,
            "difference": difference / _PER_UNIT,
            "cause": found.cause.value,
        }


def parse_differences(context: RequestContext, sent: RequestData) -> DifferencesQuery:
    """Read a request; the account's history limit moves its start up."""
    query = read_query(DifferencesQuery, sent.query)
    history_from = context.site.scope.history_from
    if history_from is None:
        return query
    return query.model_copy(update={"start": max(query.start or 0, history_from)})


def answer_differences(context: RequestContext, query: DifferencesQuery) -> bytes:
    """Answer the open differences; nothing of closed meters. Raises InvalidInput for too many."""
    if query.start is not None and query.end is not None and query.end <= query.start:
        return to_json([])
    found = [
        each
        for group in (Group if query.group is None else (query.group,))
        for each in read_differences(
            context.snapshot, context.catalogue, group, query.start, query.end
        )
        if context.site.scope.opens(each.meter)
    ]
    refuse_too_many(found)
    return differences_json(found)


def refuse_too_many(found: Sequence[Differences]) -> None:
    """Raise InvalidInput for more than MOST_ROWS rows."""
    count = sum(len(each.quarters) for each in found)
    if count > MOST_ROWS:
        message = f"{count} values differ, at most {MOST_ROWS} are told; ask for a shorter period"
        raise InvalidInput("start", message)


_STEP = {
    "until": "2026-04-01T00:00:00Z",
    "content_hash": "5f2b2d58a0a3c1be8a5f7f1f1f7f7a3a9a4b0f6f7c2b1d0e9a8b7c6d5e4f3021",
    "locked_at": "2026-04-09T08:12:45Z",
    "by": "anna",
    "despite": None,
}
_EXAMPLE = {"group": "electricity", **_STEP, "steps": [_STEP]}

OPERATIONS = (
    Operation(
        name="get_locks",
        method="GET",
        path=_LIST,
        respond=partial(
            respond, endpoint=Endpoint(route=_LIST, parse=parse_locks, answer=answer_locks)
        ),
        summary="Until when groups are locked",
        description="A row for each group that is." + LIMITED,
        answer=list[LockRow],
        answered="The locks.",
        example=[_EXAMPLE],
        problems=READING,
    ),
    Operation(
        name="put_lock",
        method="PUT",
        path=_LOCK,
        respond=partial(respond_to_change, route=_LOCK, change=put_lock),
        summary="Lock a group until an instant",
        description="What is dirty before it is settled, then frozen. Further is allowed, back is "
        "not, nor the future. With open tasks on the worklist it is refused, unless `despite` "
        "says why. For operators." + LIMITED,
        body=LockBody,
        body_example={"until": "2026-04-01T00:00:00Z"},
        answer=LockRow,
        answered="The lock.",
        example=_EXAMPLE,
        problems=(*CHANGING, problems.PART_OF_SITE),
    ),
    Operation(
        name="post_unlock",
        method="POST",
        path=_UNLOCK,
        respond=partial(respond_to_change, route=_UNLOCK, change=post_unlock),
        summary="Take a lock back",
        description="To an instant; to the lock's own, its last step is undone. For operators."
        + LIMITED,
        body=UnlockBody,
        body_example={"until": "2026-04-01T00:00:00Z", "reason": "wrong tariff month"},
        answer=LockRow | None,
        answered="The lock that is left, or null.",
        example=_EXAMPLE,
        problems=(*CHANGING, problems.PART_OF_SITE),
    ),
    Operation(
        name="differences",
        method="GET",
        path=_DIFFERENCES,
        respond=partial(
            respond,
            endpoint=Endpoint(
                route=_DIFFERENCES,
                parse=parse_differences,
                answer=answer_differences,
                is_quick=never_quick,
                is_costly=always_costly,
            ),
        ),
        summary="What corrections would change of what is locked",
        description="A row for each value of a locked quarter-hour that differs." + LIMITED,
        query=DifferencesQuery,
        answer=list[DifferenceRow],
        answered="The differences, ascending by meter and start.",
        example=[
            {
                "meter": example_ids.METER,
                "start": "2026-03-22T04:15:00Z",
                "column": "total",
                "locked": 0.029,
                "current": 0.041,
                "difference": 0.012,
                "cause": "correction",
            }
        ],
        problems=READING,
    ),
)
