"""Locks and what differs from what is locked, on our own surface."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from commonwatt.api.endpoint.change import ChangeRequest
from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.own_requests import instant, ordered, parameters
from commonwatt.app.accounts.authorize import require_whole_site
from commonwatt.app.accounts.sight import WHOLE, Sight
from commonwatt.app.billing.differences import Differences, read_differences
from commonwatt.app.billing.lock import GroupLock, lock_group, read_locks, unlock_group
from commonwatt.app.ports import LockStep, Store
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats import json_fields as read
from commonwatt.formats.difference_rows import difference_rows
from commonwatt.formats.json_fields import JsonFields, json_document
from commonwatt.formats.stamps.instants import utc_text

MOST_ROWS = 300_000
"""So many differences are told at once: ten days of a hundred meters of which all differ."""


@dataclass(frozen=True, slots=True)
class DifferencesQuery:
    """The groups and the instants [start, end) [Unix seconds] that are asked for."""

    groups: tuple[Group, ...]
    start_at: int | None
    end_at: int | None


def parse_locks(_context: RequestContext, sent: RequestData) -> None:
    """Read a request of which nothing more can be said."""
    parameters(sent.query, ())


def answer_locks(context: RequestContext, _query: None) -> bytes:
    """Answer the locks that are in force, a row a group, as far as they reach into sight."""
    sight = context.site.sight
    locks = read_locks(context.snapshot, context.site.number)
    return orjson.dumps([_row(each, sight) for each in locks if _reaches(each.last, sight)])


def put_lock(store: Store, sent: ChangeRequest) -> bytes:
    """Lock a group, or lock it further."""
    require_whole_site(sent.admitted.site)
    fields = JsonFields(json_document(sent.body), ("until", "despite"))
    until_at = fields.required("until", read.instant)
    despite = fields.optional("despite", read.text)
    site, group = sent.admitted.site.number, _group(sent.path["group"])
    lock = lock_group(store, site, group, until_at, sent.admitted.account, sent.now_us, despite)
    return orjson.dumps(_row(lock))


def post_unlock(store: Store, sent: ChangeRequest) -> bytes:
    """Take a lock back; the answer is the lock that is left, or null."""
    require_whole_site(sent.admitted.site)
    fields = JsonFields(json_document(sent.body), ("until", "reason"))
    until_at = fields.required("until", read.instant)
    reason = fields.required("reason", read.text)
    site, group = sent.admitted.site.number, _group(sent.path["group"])
    left = unlock_group(store, site, group, until_at, reason, sent.admitted.account, sent.now_us)
    return orjson.dumps(None if left is None else _row(left))


def parse_differences(context: RequestContext, sent: RequestData) -> DifferencesQuery:
    """Read a request; the account's history limit moves its start up."""
    query = parameters(sent.query, ("group", "start", "end"))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    if context.site.sight.history_from is not None:
        start_at = max(start_at or 0, context.site.sight.history_from)
    groups = (_group(query["group"]),) if "group" in query else tuple(Group)
    return DifferencesQuery(groups, start_at, end_at)


def answer_differences(context: RequestContext, query: DifferencesQuery) -> bytes:
    """Answer the open differences; nothing of closed meters. Raises InvalidInput for too many."""
    window = query.start_at, query.end_at
    if query.start_at is not None and query.end_at is not None and query.end_at <= query.start_at:
        return b"[]"
    found = [
        each
        for group in query.groups
        for each in read_differences(context.snapshot, context.catalogue, group, *window)
        if context.site.sight.opens(each.meter)
    ]
    refuse_too_many(found)
    return orjson.dumps(difference_rows(found))


def refuse_too_many(found: Sequence[Differences]) -> None:
    """Raise InvalidInput for more than MOST_ROWS rows."""
    count = sum(len(each.quarters) for each in found)
    if count > MOST_ROWS:
        message = f"{count} values differ, at most {MOST_ROWS} are told; ask for a shorter period"
        raise InvalidInput("start", message)


def _group(word: str) -> Group:
    try:
        return Group(word)
    except ValueError:
        raise InvalidInput("group", f"group is one of {', '.join(Group)}") from None


def _reaches(step: LockStep, sight: Sight) -> bool:
    """Whether a step locks a quarter-hour that is in sight."""
    return sight.since(step.until_at - QUARTER_S)


def _row(lock: GroupLock, sight: Sight = WHOLE) -> dict[str, object]:
    return {
        "group": lock.group.value,
        **_step(lock.last, sight),
        "steps": [_step(each, sight) for each in lock.steps if _reaches(each, sight)],
    }


def _step(step: LockStep, sight: Sight) -> dict[str, object]:
    return {
        "until": utc_text(step.until_at),
        # The hash is of all meters and times: guesses of a closed one could be tried by it.
        "content_hash": step.content_hash if sight.is_whole else None,
        "locked_at": utc_text(step.locked_us // 1_000_000),
        "by": step.account,
        "despite": step.despite if sight.is_whole else None,
    }
