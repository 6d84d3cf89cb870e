"""What the OpenAPI document says of our own surface."""

from typing import Any

from commonwatt.api import example_ids
from commonwatt.api import own_models as models
from commonwatt.api.climkit import shapes as climkit_models
from commonwatt.api.climkit.documentation import METER_ID, SITE_ID
from commonwatt.api.http import problems
from commonwatt.api.http.documentation import COUNTED, SITE, Answer, Fragment, operation, parameter
from commonwatt.api.http.media_types import ARROW, CSV, PARQUET
from commonwatt.domain.metering.catalogue import Medium, Register
from commonwatt.domain.metering.findings import FindingRule

_TAG = "commonwatt"
_DELIVERING = (
    *SITE,
    COUNTED,
    problems.BROKEN_REQUEST,
    problems.TOO_LARGE,
    problems.WRONG_CONTENT_TYPE,
    problems.INVALID_INPUT,
    problems.STORE_FULL,
)
_READING = (*SITE, COUNTED, problems.INVALID_INPUT)
_RECEIPT = {
    "delivery": 7,
    "accepted": 1,
    "unchanged": 0,
    "superseding": 0,
    "rejected": [{"row": 2, "reason": "no meter 'electricity' 99 at this site"}],
    "rejected_rows": 1,
    "not_counting": [],
    "not_counting_rows": 0,
    "held": [],
}
START = parameter(
    "start",
    "Start of the period, ISO 8601; without a zone UTC.",
    climkit_models.TIME_PARAMETER,
    where="query",
    example="2026-03-22T00:00:00Z",
)
END = parameter(
    "end",
    "End of the period, not included, ISO 8601; without a zone UTC.",
    climkit_models.TIME_PARAMETER,
    where="query",
    example="2026-03-23T00:00:00Z",
)
_SAMPLING = parameter(
    "sampling",
    "Length of the periods: quarter-hours (default), or hours, days, months, years of the site's "
    "calendar.",
    {"type": "string", "enum": climkit_models.FREQUENCIES},
    where="query",
    example="15T",
)


_TYPE = parameter(
    "type",
    "Which books: electricity (default), heating, cooling, cold_water, hot_water, charge_point.",
    {"type": "string", "enum": [medium.value for medium in Medium]},
    where="query",
    example="electricity",
)
_AS_OF = parameter(
    "as_of",
    "Answer what was known at this instant, ISO 8601 with up to microseconds; without a zone UTC. "
    "Default: now.",
    climkit_models.TIME_PARAMETER,
    where="query",
    example="2026-04-02T08:00:00Z",
)
_REGISTER = parameter(
    "register",
    "Tell this register of the meter instead of its main one: en_im or en_ex of electricity and "
    "charge points, heat_energy_kwh, or vol_m3 of water. Where it is not the main one, self and "
    "ext are null, and so is the method.",
    {"type": "string", "enum": [each.value for each in Register]},
    where="query",
    example="en_im",
)
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PERIOD = {
    "start": "2026-03-22T04:15:00Z",
    "end": "2026-03-22T04:30:00Z",
    "start_local": "2026-03-22T05:15:00+01:00",
}


def _other_forms(row: Fragment) -> Fragment:
    """The forms of a table besides JSON, by an example of a row."""
    cells = ["" if value is None else str(value) for value in row.values()]
    csv = f"{','.join(row)}\r\n{','.join(cells)}\r\n"
    return {
        CSV: {"schema": {"type": "string"}, "example": csv},
        ARROW: _BYTES,
        PARQUET: _BYTES,
    }


def _rows_body(schema: Fragment, example: Any, csv: str) -> Fragment:
    texts = {"type": "string"}
    return {
        "required": True,
        "description": "Rows; `Content-Encoding: gzip` is understood. At most 10 MB, "
        "unless the settings say more.",
        "content": {
            "application/json": {"schema": schema, "example": example},
            "application/x-ndjson": {"schema": texts},
            "text/csv": {"schema": texts, "example": csv},
        },
    }


_SAID_QUALITY = parameter(
    "quality",
    "What the rows are that do not say it themselves: a sender's word, in any case. "
    "Default: measured.",
    {"type": "string", "enum": models.SENDERS_WORDS},
    where="query",
    example="estimated",
)
_REPLACES = parameter(
    "replaces",
    "Whether the rows that do not say it themselves count before all that was sent earlier of "
    "their instants, whatever the quality. Default: false.",
    {"type": "boolean"},
    where="query",
    example="true",
)
READINGS = operation(
    tag=_TAG,
    summary="Deliver readings",
    description="Store the rows that can be readings, in one transaction, durable before the "
    "answer. What is merely implausible is accepted and judged by validation. Sending something "
    "twice changes nothing. For gateways and operators.",
    answer=Answer(models.Receipt, "The receipt, also when every row was rejected.", _RECEIPT),
    told=_DELIVERING,
    parameters=(SITE_ID, _SAID_QUALITY, _REPLACES),
    body=_rows_body(
        models.READINGS_BODY,
        [{"meter": example_ids.METER, "timestamp": "2026-03-22T04:30:00Z", "en_im": 1234.56}],
        f"meter,timestamp,en_im\n{example_ids.METER},2026-03-22T04:30:00Z,1234.56\n",
    ),
)
SENSOR_READINGS = operation(
    tag=_TAG,
    summary="Deliver sensor values",
    description="Store values of sensors; the same rules and receipt as for readings.",
    answer=Answer(models.Receipt, "The receipt, also when every row was rejected.", _RECEIPT),
    told=_DELIVERING,
    parameters=(SITE_ID,),
    body=_rows_body(
        models.SENSOR_READINGS_BODY,
        [{"sensor": example_ids.SENSOR, "timestamp": "2026-03-22T04:30:00Z", "value": 21.3}],
        f"sensor,timestamp,value\n{example_ids.SENSOR},2026-03-22T04:30:00Z,21.3\n",
    ),
)
_SERIES_ROW: Fragment = {
    **_PERIOD,
    "total": 0.029,
    "self": None,
    "ext": None,
    "quality_total": "measured",
    "quality_self": "missing",
    "coverage": 1.0,
    "estimated": 0.0,
    "method": "index",
}
_BALANCE_ROW: Fragment = {
    **_PERIOD,
    "conso_total": 0.105,
    "prod_total": 0.15,
    "from_ext": 0.0,
    "self": 0.105,
    "to_ext": 0.045,
    "storage_charging_self": 0.0,
    "storage_charging_total": 0.0,
    "storage_discharging_total": 0.0,
    "unallocated": 0.0,
    "unmetered": 0.0,
    "coverage": 1.0,
    "estimated": 0.0,
    "quality": "measured",
}
SERIES = operation(
    tag=_TAG,
    summary="A meter's series, with qualities",
    description="Periods that lie in [start, end): no quarter-hour is hidden because another meter "
    "is missing. Default: the last 24 hours. As JSON, CSV, Arrow or Parquet, by `Accept`; in the "
    "latter two, instants are timestamps and amounts decimals. At most one request a second per "
    "account.",
    answer=Answer(
        list[models.SeriesRow],
        "The rows, ascending in time; none where the meter is not alive.",
        [_SERIES_ROW],
    ),
    told=(*_READING, problems.UNKNOWN_METER, problems.CLOSED_METER, problems.NOT_ACCEPTABLE),
    parameters=(SITE_ID, METER_ID, START, END, _SAMPLING, _REGISTER, _AS_OF),
    other_forms=_other_forms(_SERIES_ROW),
)
BALANCE = operation(
    tag=_TAG,
    summary="The books of the site, with their quality",
    description="Periods that lie in [start, end), those of which a member is missing too. Forms "
    "as of a meter's series. Default: the last 24 hours. At most one request a second per account.",
    answer=Answer(
        list[models.BalanceRow],
        "The rows, ascending in time; none where no meter of the type is alive.",
        [_BALANCE_ROW],
    ),
    told=(*_READING, problems.NOT_ACCEPTABLE, problems.CLOSED_TOTALS),
    parameters=(SITE_ID, START, END, _SAMPLING, _TYPE, _AS_OF),
    other_forms=_other_forms(_BALANCE_ROW),
)
STATUS = operation(
    tag=_TAG,
    summary="How up to date a site is",
    description="Each meter's last accepted reading, until when the books are complete, and who "
    "holds them back. At most one request a second per account.",
    answer=Answer(
        models.SiteState,
        "The state of the site.",
        {
            "site": example_ids.SITE,
            "meters": [
                {
                    "meter": example_ids.METER,
                    "name": "Apartment 1",
                    "type": "electricity",
                    "last_reading": "2026-03-22T04:30:03Z",
                }
            ],
            "groups": [
                {
                    "group": "electricity",
                    "complete_until": "2026-03-22T04:30:00Z",
                    "held_back_by": [],
                }
            ],
        },
    ),
    told=_READING,
    parameters=(SITE_ID,),
)
_RULE = parameter(
    "rule",
    "Only findings of this rule.",
    {"type": "string", "enum": [rule.value for rule in FindingRule]},
    where="query",
    example="index-break",
)
_FINDINGS_OF = parameter(
    "meter",
    "Only findings about this meter, by its id.",
    {"type": "string"},
    where="query",
    example=example_ids.METER,
)
_SEVERITY = parameter(
    "severity",
    "Only those that need a decision, or only those that inform.",
    {"type": "string", "enum": ["decision", "information"]},
    where="query",
    example="decision",
)
_EACH = parameter(
    "each",
    "true: each finding by itself, not joined to stretches.",
    {"type": "boolean"},
    where="query",
    example="true",
)
FINDINGS = operation(
    tag=_TAG,
    summary="What validation set aside or doubts",
    description="Findings about readings, with their evidence; without bounds all that the account "
    "may see. Those that follow each other are one stretch of at most a month. At most one request "
    "a second per account.",
    answer=Answer(
        list[models.FindingRow],
        "The findings: those that need a decision first, by address of the meter, then in time.",
        [
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
    ),
    told=(*_READING, problems.UNKNOWN_METER, problems.CLOSED_METER),
    parameters=(SITE_ID, START, END, _RULE, _FINDINGS_OF, _SEVERITY, _EACH),
)
