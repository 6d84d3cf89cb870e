"""What the OpenAPI document says of locks and differences."""

from commonwatt.api import example_ids
from commonwatt.api import lock_models as models
from commonwatt.api.climkit.documentation import SITE_ID
from commonwatt.api.http import problems
from commonwatt.api.http.documentation import (
    COUNTED,
    SITE,
    Answer,
    Fragment,
    json_body,
    operation,
    parameter,
)
from commonwatt.api.own_docs import END, START
from commonwatt.domain.metering.catalogue import Group

_TAG = "commonwatt"
_READING = (*SITE, COUNTED, problems.INVALID_INPUT)
_CHANGING = (
    *_READING,
    problems.BROKEN_REQUEST,
    problems.TOO_LARGE,
    problems.WRONG_CONTENT_TYPE,
    problems.STORE_FULL,
)
_LIMITED = " At most one request a second per account."
_WORDS: Fragment = {"type": "string", "enum": [each.value for each in Group]}
_GROUP = parameter("group", "The group.", _WORDS, where="path", example="electricity")
_ASKED_GROUP = parameter(
    "group", "A group; all of them without.", _WORDS, where="query", example="electricity"
)
_STEP: Fragment = {
    "until": "2026-04-01T00:00:00Z",
    "content_hash": "5f2b2d58a0a3c1be8a5f7f1f1f7f7a3a9a4b0f6f7c2b1d0e9a8b7c6d5e4f3021",
    "locked_at": "2026-04-09T08:12:45Z",
    "by": "anna",
    "despite": None,
}
_LOCK: Fragment = {"group": "electricity", **_STEP, "steps": [_STEP]}

GET_LOCKS = operation(
    tag=_TAG,
    summary="Until when groups are locked",
    description="A row for each group that is." + _LIMITED,
    answer=Answer(list[models.LockRow], "The locks.", [_LOCK]),
    told=_READING,
    parameters=(SITE_ID,),
)
PUT_LOCK = operation(
    tag=_TAG,
    summary="Lock a group until an instant",
    description="What is dirty before it is settled, then frozen. Further is allowed, back is "
    "not, nor the future. With open tasks on the worklist it is refused, unless `despite` says "
    "why. For operators." + _LIMITED,
    answer=Answer(models.LockRow, "The lock.", _LOCK),
    told=(*_CHANGING, problems.PART_OF_SITE),
    parameters=(SITE_ID, _GROUP),
    body=json_body(models.LOCK_BODY, {"until": "2026-04-01T00:00:00Z"}, required=True),
)
POST_UNLOCK = operation(
    tag=_TAG,
    summary="Take a lock back",
    description="To an instant; to the lock's own, its last step is undone. For operators."
    + _LIMITED,
    answer=Answer(models.LockRow | None, "The lock that is left, or null.", _LOCK),
    told=(*_CHANGING, problems.PART_OF_SITE),
    parameters=(SITE_ID, _GROUP),
    body=json_body(
        models.UNLOCK_BODY,
        {"until": "2026-04-01T00:00:00Z", "reason": "wrong tariff month"},
        required=True,
    ),
)
DIFFERENCES = operation(
    tag=_TAG,
    summary="What corrections would change of what is locked",
    description="A row for each value of a locked quarter-hour that differs." + _LIMITED,
    answer=Answer(
        list[models.DifferenceRow],
        "The differences, ascending by meter and start.",
        [
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
    ),
    told=_READING,
    parameters=(SITE_ID, _ASKED_GROUP, START, END),
)
