"""What the OpenAPI document says of devices, resolutions and edits."""

from commonwatt.api import change_models as models
from commonwatt.api import example_ids
from commonwatt.api.climkit.documentation import METER_ID, SITE_ID
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

_TAG = "commonwatt"
_FINDING = "d0555ae54556"
_READING = (*SITE, COUNTED, problems.INVALID_INPUT)
_CHANGING = (
    *_READING,
    problems.BROKEN_REQUEST,
    problems.TOO_LARGE,
    problems.WRONG_CONTENT_TYPE,
    problems.STORE_FULL,
)
_OF_METER = (problems.UNKNOWN_METER, problems.CLOSED_METER)
_LIMITED = " At most one request a second per account."
_FINDING_ID = parameter(
    "finding_id", "Id of the finding.", {"type": "string"}, where="path", example=_FINDING
)
_NUMBER = parameter(
    "number",
    "Number of the edit.",
    {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    where="path",
    example="3",
)
_DEVICES: list[Fragment] = [
    {
        "from": None,
        "serial": "A1",
        "digits": 6,
        "factor": None,
        "start_index": {},
        "end_index": {"en_im": 81234.5},
    },
    {
        "from": "2026-03-01T09:20:00Z",
        "serial": "B7",
        "digits": 6,
        "factor": None,
        "start_index": {"en_im": 0},
        "end_index": {},
    },
]
_RECOMPUTED: list[Fragment] = [
    {
        "group": "electricity",
        "start": "2026-02-27T00:00:00Z",
        "end": "2026-03-23T00:00:00Z",
        "days": 24,
        "locked_days": 0,
    }
]
_RESOLUTION: Fragment = {
    "finding": _FINDING,
    "meter": example_ids.METER,
    "register": "en_im",
    "as": "reset",
    "start": "2026-03-01T09:15:00Z",
    "end": "2026-03-01T09:30:00Z",
    "digits": None,
}
_EDIT: Fragment = {
    "number": 3,
    "meter": example_ids.METER,
    "register": "en_im",
    "start": "2026-03-01T10:00:00Z",
    "end": "2026-03-01T12:00:00Z",
    "energy": 1.25,
    "at": None,
    "index": None,
    "reason": "read off by hand",
    "by": "anna",
    "made_at": "2026-03-04T08:12:45Z",
    "undone_at": None,
    "undone_by": None,
}

GET_DEVICES = operation(
    tag=_TAG,
    summary="The devices in a meter's place",
    description="All that were there, the first one first; none where none was declared."
    + _LIMITED,
    answer=Answer(list[models.DeviceRow], "The devices.", _DEVICES),
    told=(*_READING, *_OF_METER),
    parameters=(SITE_ID, METER_ID),
)
PUT_DEVICES = operation(
    tag=_TAG,
    summary="Declare the devices in a meter's place",
    description="Replaces the list, also for the past. For operators." + _LIMITED,
    answer=Answer(
        models.DevicesChanged,
        "The devices as they are now, and what is computed anew.",
        {
            "devices": _DEVICES,
            "changed": ["meter Apartment 1 (electricity 11): device from the beginning added"],
            "recomputed": _RECOMPUTED,
        },
    ),
    told=(*_CHANGING, *_OF_METER, problems.CLOSED_HISTORY),
    parameters=(SITE_ID, METER_ID),
    body=json_body(models.DEVICES_BODY, _DEVICES, required=True),
)
GET_RESOLUTIONS = operation(
    tag=_TAG,
    summary="What findings were declared to be",
    description="By meter, in the order in which they were declared." + _LIMITED,
    answer=Answer(list[models.ResolutionRow], "The resolutions.", [_RESOLUTION]),
    told=_READING,
    parameters=(SITE_ID,),
)
POST_RESOLUTION = operation(
    tag=_TAG,
    summary="Say what a finding was",
    description="A break was a reset, a rollover, or faulty readings: of the smaller of its sides. "
    "An exchange of the device is declared with its devices. For operators." + _LIMITED,
    answer=Answer(
        models.FindingResolved,
        "What it is declared to be now, and what is computed anew.",
        {"resolution": _RESOLUTION, "changed": [], "recomputed": _RECOMPUTED},
    ),
    told=(*_CHANGING, problems.UNKNOWN_FINDING),
    parameters=(SITE_ID, _FINDING_ID),
    body=json_body(models.RESOLUTION_BODY, {"as": "reset"}, required=True),
)
DELETE_RESOLUTION = operation(
    tag=_TAG,
    summary="Take back what a finding was said to be",
    description="It stands again as if nobody had said anything. For operators." + _LIMITED,
    answer=Answer(
        models.FindingResolved,
        "What is computed anew.",
        {"resolution": None, "changed": [], "recomputed": _RECOMPUTED},
    ),
    told=(*_CHANGING, problems.UNKNOWN_FINDING),
    parameters=(SITE_ID, _FINDING_ID),
)
GET_EDITS = operation(
    tag=_TAG,
    summary="Quarter-hours and readings set or cleared by hand",
    description="The oldest edit first, undone ones too." + _LIMITED,
    answer=Answer(list[models.EditRow], "The edits.", [_EDIT]),
    told=_READING,
    parameters=(SITE_ID,),
)
POST_EDIT = operation(
    tag=_TAG,
    summary="Set or clear quarter-hours, or a reading",
    description="Quarter-hours from `start` to `end`: either `energy`, spread evenly over them to "
    "the Wh, or `clear`. A reading `at` an instant: either its `index`, or `clear`. Of edits of "
    "the same the later one counts. For operators." + _LIMITED,
    answer=Answer(models.EditRow, "The edit with its number.", _EDIT),
    told=(*_CHANGING, *_OF_METER, problems.CLOSED_HISTORY),
    parameters=(SITE_ID,),
    body=json_body(
        models.EDIT_BODY,
        {key: _EDIT[key] for key in ("meter", "start", "end", "energy", "reason")},
        required=True,
    ),
)
DELETE_EDIT = operation(
    tag=_TAG,
    summary="Undo an edit",
    description="It counts no more and stays listed. For operators." + _LIMITED,
    answer=Answer(
        models.EditRow,
        "The edit.",
        _EDIT | {"undone_at": "2026-03-05T07:00:00Z", "undone_by": "anna"},
    ),
    told=(
        *_CHANGING,
        problems.UNKNOWN_EDIT,
        problems.NOTHING_TO_CHANGE,
    ),
    parameters=(SITE_ID, _NUMBER),
)
