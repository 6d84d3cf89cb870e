"""What the OpenAPI document says of explanations and worklists."""

from commonwatt.api import example_ids
from commonwatt.api import explanation_models as models
from commonwatt.api.climkit import shapes as climkit_models
from commonwatt.api.climkit.documentation import SITE_ID
from commonwatt.api.http import problems
from commonwatt.api.http.documentation import (
    COUNTED,
    SITE,
    Answer,
    Fragment,
    operation,
    parameter,
    required,
)
from commonwatt.domain.metering.catalogue import Group

_TAG = "commonwatt"
_AT = "2026-03-22T04:20:00Z"
_READING = (*SITE, COUNTED, problems.INVALID_INPUT)
_LIMITED = " At most one request a second per account."


def _when(name: str, description: str, example: str) -> Fragment:
    return parameter(
        name, description, climkit_models.TIME_PARAMETER, where="query", example=example
    )


_MEMBER = parameter(
    "meter", "Id of the meter.", climkit_models.OBJECT_ID, where="query", example=example_ids.METER
)
_GROUP = parameter(
    "group",
    "Which group: electricity (default, with charge points), heating, cooling, cold_water, "
    "hot_water.",
    {"type": "string", "enum": [group.value for group in Group]},
    where="query",
    example="electricity",
)
_EXAMPLE: Fragment = {
    "meter": example_ids.METER,
    "start": "2026-03-22T04:15:00Z",
    "total": 0.029,
    "self": 0.01,
    "ext": 0.019,
    "quality_total": "measured",
    "quality_self": "measured",
    "readings": [],
    "boundaries": None,
    "findings": [],
    "method": None,
    "device": None,
    "rule": None,
    "balance": None,
    "key": None,
    "share": None,
    "versions": [],
}

EXPLAIN = operation(
    tag=_TAG,
    summary="Why a quarter-hour is what it is",
    description="The readings, boundary indexes, findings, method, device, rule, balance, key and "
    "share behind one quarter-hour of a meter, and its versions." + _LIMITED,
    answer=Answer(models.ExplanationOf, "The explanation.", _EXAMPLE),
    told=(*_READING, problems.UNKNOWN_METER, problems.CLOSED_METER),
    parameters=(
        SITE_ID,
        required(_MEMBER, example_ids.METER),
        required(
            _when("at", "An instant of the quarter-hour, ISO 8601; without a zone UTC.", _AT), _AT
        ),
    ),
)
WORKLIST = operation(
    tag=_TAG,
    summary="What keeps a period from being locked",
    description="Missing meters, open findings, quarter-hours without books, too much estimated "
    "energy, each with the command that resolves it. Default: the last month of the site's "
    "calendar that is over. Without an `open` row it can be locked." + _LIMITED,
    answer=Answer(
        list[models.TaskRow],
        "What is to do, ascending in time.",
        [
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
    ),
    told=_READING,
    parameters=(
        SITE_ID,
        _GROUP,
        _when("start", "Start of the period, ISO 8601; without a zone UTC.", "2026-02-28T23:00Z"),
        _when("end", "End of the period, not included.", "2026-03-31T22:00Z"),
        parameter(
            "estimated_limit",
            "Percentage of a meter's energy that may be estimated [%]. Default: 5.",
            {"type": "number", "minimum": 0, "maximum": 100},
            where="query",
            example="2.5",
        ),
    ),
)
