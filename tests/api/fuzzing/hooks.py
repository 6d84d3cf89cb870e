"""What the OpenAPI document cannot say of valid requests, for schemathesis (it loads this file).

A pattern cannot tell which days exist, a schema cannot order two of its fields, and CSV is a string
to it. So valid cases with such times are left out, and bodies of lines are drawn as what they are.
Cases that are meant to be wrong pass as they come.
"""

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, HookContext, openapi

_PERIODS = (("t_s", "t_e"), ("start", "end"))
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "meter": st.sampled_from(("61dfcb4beba4e3563fdf0003", "61dfcb4beba4e3563fdf0fff", "")),
            "timestamp": st.datetimes(dt.datetime(1999, 1, 1)).map(dt.datetime.isoformat)
            | st.text(),
            "en_im": st.decimals(-1, 10**10) | st.text(),
        }
    ),
    min_size=1,
    max_size=5,
)


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Keep a case unless it is meant to be valid and is not, as no schema can tell."""
    meta = case.meta
    if meta is None or meta.generation.mode is GenerationMode.NEGATIVE:
        return True
    fields: dict[str, object] = dict(case.query or {})
    if isinstance(case.body, Mapping):
        fields |= case.body
    return all(_is_period(fields.get(start), fields.get(end)) for start, end in _PERIODS)


def _is_period(start: object, end: object) -> bool:
    try:
        instants = [_instant(text) for text in (start, end) if isinstance(text, str)]
    except (ValueError, OverflowError):
        return False
    return instants == sorted(instants)


def _instant(text: str) -> dt.datetime:
    """The second that is meant; fractions are cut."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return instant.astimezone(dt.UTC).replace(microsecond=0)


def _csv(rows: list[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _ndjson(rows: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row, default=str).encode() + b"\n" for row in rows)


openapi.media_type("text/csv", _ROWS.map(_csv))
openapi.media_type("application/x-ndjson", _ROWS.map(_ndjson))
