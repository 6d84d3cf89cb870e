"""What the OpenAPI document cannot say of valid requests, for schemathesis (it loads this file).

A pattern cannot tell which days exist, a schema cannot order two of its fields, and to it CSV is
any text. So valid cases with such times are left out, and drawn text becomes the lines below the
header of a CSV. Cases that are meant to be wrong pass as they come.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import schemathesis
from schemathesis import APIOperation, Case, GenerationMode, HookContext

AnyCase = Case[APIOperation[Any, Any, Any, Any]]

_PERIODS = (("t_s", "t_e"), ("start", "end"), ("at", "at"), ("as_of", "now"))
_HEADERS = {"/readings": "meter,timestamp,en_im\n", "/sensor_readings": "sensor,timestamp,value\n"}


def _is_meant_to_be_valid(case: AnyCase) -> bool:
    return case.meta is not None and case.meta.generation.mode is not GenerationMode.NEGATIVE


@schemathesis.hook
def filter_case(context: HookContext, case: AnyCase) -> bool:
    """Keep a case unless it is meant to be valid and is not, as no schema can tell."""
    fields: dict[str, object] = dict(case.query or {})
    if isinstance(case.body, Mapping):
        fields |= case.body
    now = dt.datetime.now(dt.UTC).isoformat()
    return not _is_meant_to_be_valid(case) or all(
        _is_period(fields.get(start), now if end == "now" else fields.get(end))
        for start, end in _PERIODS
    )


@schemathesis.hook
def map_case(context: HookContext, case: AnyCase) -> AnyCase:
    """Write the header of a CSV above the text that was drawn."""
    is_csv = case.media_type == "text/csv" and isinstance(case.body, str)
    if is_csv and _is_meant_to_be_valid(case):
        header = _HEADERS[case.operation.path[case.operation.path.rindex("/") :]]
        case.body = header + str(case.body).removeprefix(header)
    return case


def _is_period(start: object, end: object) -> bool:
    try:
        instants = [_instant(text) for text in (start, end) if isinstance(text, str) and text]
    except (ValueError, OverflowError):
        return False
    return instants == sorted(instants)


def _instant(text: str) -> dt.datetime:
    """The second that is meant; fractions are cut."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return instant.astimezone(dt.UTC).replace(microsecond=0)
