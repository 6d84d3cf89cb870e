"""What the OpenAPI document says of each endpoint of the Climkit surface."""

from commonwatt.api import example_ids
from commonwatt.api.climkit import shapes as models
from commonwatt.api.http import problems
from commonwatt.api.http.documentation import (
    COUNTED,
    READING,
    SITE,
    Answer,
    operation,
    parameter,
    period_body,
)

_SITES, _METERS, _SENSORS = "Sites", "Meters", "Sensors"
_STAMP = "2026-03-22 05:30:00+01:00"

SITE_ID = parameter(
    "site_id", "Id of the site.", models.OBJECT_ID, where="path", example=example_ids.SITE
)
METER_ID = parameter(
    "meter_id", "Id of the meter.", models.OBJECT_ID, where="path", example=example_ids.METER
)
_SENSOR_ID = parameter(
    "sensor_id", "Id of the sensor.", models.OBJECT_ID, where="path", example=example_ids.SENSOR
)
_METER_TYPE = parameter(
    "meter_type",
    "Type of meter data; one that the site lacks has no rows.",
    {"type": "string", "enum": models.METER_TYPES},
    where="path",
    example="electricity",
)
_T_S = parameter(
    "t_s",
    "Start of the period, naive ISO 8601 in UTC or with an offset; default: 24 hours before t_e. "
    "Without a value it counts as absent.",
    models.BLANK_OR_TIME_PARAMETER,
    where="query",
    example="2026-03-22T00:00:00",
)
_T_E = parameter(
    "t_e",
    "End of the period, naive ISO 8601 in UTC or with an offset; default: now. "
    "Without a value it counts as absent.",
    models.BLANK_OR_TIME_PARAMETER,
    where="query",
    example="2026-03-23T00:00:00",
)
_PERIOD = {"t_s": "2026-03-22T00:00:00", "t_e": "2026-03-23T00:00:00"}
_SERIES = {"sampling_frequency": "15T"}
_INFOS = {
    "site_ref": "CH-0012",
    "name": "Les Tilleuls 12",
    "address": {
        "street_name": "Rue des Tilleuls",
        "street_number": "12",
        "city": "Renens",
        "postal_code": 1020,
    },
    "creation_date": "2022-05-05T00:00:00",
    "latitude": 46.53,
    "longitude": 6.59,
    "timezone": "Europe/Zurich",
}
_LIMITED = " At most one request a second per account."
_SELECTED = (
    " A quarter-hour belongs to the period if t_s < its end <= t_e; hours, days, months and years "
    "of the site's own calendar sum the quarter-hours selected. "
    "A quarter-hour without data is no row."
)

AUTH = operation(
    tag="Sign-in",
    summary="Sign in",
    description="Exchange a user name and a password for a token that is good for 15 minutes. "
    "Five failures in a minute from one address hold the account's sign-ins from there back.",
    answer=Answer(
        models.AccessToken,
        "The token.",
        {"access_token": "eyJhbGciOi…", "valid_until": {"$date": 1774157400000}},
    ),
    problems=(
        problems.WRONG_SIGN_IN,
        problems.TOO_LARGE,
        problems.WRONG_CONTENT_TYPE,
        problems.INVALID_INPUT,
        problems.TOO_MANY_SIGN_INS,
        problems.INTERNAL,
        problems.STORE_BUSY,
    ),
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": models.CREDENTIALS,
                "example": {"username": "anna", "password": "…"},
            },
            "application/x-www-form-urlencoded": {"schema": models.CREDENTIALS},
        },
    },
)
ALL_INSTALLATIONS = operation(
    tag=_SITES,
    summary="All sites",
    description="The sites that the account may see: objects, or bare ids for accounts set so."
    + _LIMITED,
    answer=Answer(
        list[models.Installation] | list[str],
        "The sites, by id.",
        [{"id": example_ids.SITE, **_INFOS}],
    ),
    problems=(*READING, COUNTED),
)
INSTALLATION_INFOS = operation(
    tag=_SITES,
    summary="A site",
    description="The settings of a site." + _LIMITED,
    answer=Answer(models.InstallationInfos, "The site.", _INFOS),
    problems=(*SITE, COUNTED),
    parameters=(SITE_ID,),
)
METER_INFO = operation(
    tag=_METERS,
    summary="All meters of a site",
    description="Every meter, also those whose data is closed to the account." + _LIMITED,
    answer=Answer(
        list[models.MeterInfo],
        "The meters, by type and address.",
        [
            {
                "id": example_ids.METER,
                "type": "electricity",
                "name": "Apartment 1",
                "mode": "consumption",
                "prim_ad": 11,
                "is_rule_meter": False,
            }
        ],
    ),
    problems=(*SITE, COUNTED),
    parameters=(SITE_ID,),
)
SITE_DATA = operation(
    tag=_SITES,
    summary="Validated data of a site",
    description="The site's balance for one type of meter data." + _SELECTED + _LIMITED,
    answer=Answer(
        list[models.SiteDataRow],
        "The rows, ascending in time; `[]` if there is nothing.",
        [
            {
                "conso_total": 0.029,
                "prod_total": 0.004,
                "from_ext": 0.028,
                "self": 0.001,
                "to_ext": 0.003,
                "storage_charging_self": 0.0,
                "storage_charging_total": 0.0,
                "storage_discharging_total": 0.0,
                "timestamp": _STAMP,
            }
        ],
    ),
    problems=(
        *SITE,
        COUNTED,
        problems.INVALID_INPUT,
        problems.TOO_LARGE,
        problems.CLOSED_TOTALS,
    ),
    parameters=(SITE_ID, _METER_TYPE),
    body=period_body(models.SITE_DATA_BODY, {**_SERIES, "meters": False}, _PERIOD),
)
METER_DATA = operation(
    tag=_METERS,
    summary="Validated data of a meter",
    description="The load profile of a meter." + _SELECTED + _LIMITED,
    answer=Answer(
        list[models.MeterDataRow],
        "The rows, ascending in time; `[]` if there is nothing.",
        [{"total": 0.029, "self": 0.001, "ext": 0.028, "timestamp": _STAMP}],
    ),
    problems=(
        *SITE,
        COUNTED,
        problems.INVALID_INPUT,
        problems.TOO_LARGE,
        problems.UNKNOWN_METER,
        problems.CLOSED_METER,
    ),
    parameters=(SITE_ID, METER_ID),
    body=period_body(models.METER_DATA_BODY, _SERIES, _PERIOD),
)
METER_DATA_RAW = operation(
    tag=_METERS,
    summary="Readings of a meter",
    description="What was read from a meter, without validation: t_s <= stamp <= t_e, without a "
    "period the latest reading. Rule meters have none." + _LIMITED,
    answer=Answer(
        list[models.RawRow],
        "The readings, ascending in time.",
        [{"en_im": 1234.56, "en_ex": 0.0, "timestamp": _STAMP}],
    ),
    problems=(
        *SITE,
        COUNTED,
        problems.INVALID_INPUT,
        problems.TOO_LARGE,
        problems.UNKNOWN_METER,
        problems.CLOSED_METER,
        problems.RULE_METER,
    ),
    parameters=(SITE_ID, METER_ID),
    body=period_body(models.RAW_BODY, {}, _PERIOD),
)
SENSORS_LIST = operation(
    tag=_SENSORS,
    summary="All sensors of a site",
    description="The sensors of a site.",
    answer=Answer(
        list[models.SensorInfo],
        "The sensors.",
        [
            {
                "id": example_ids.SENSOR,
                "name": "Stairwell",
                "type": "temperature",
                "unit": "°C",
                "model": "LoRa T1",
            }
        ],
    ),
    problems=SITE,
    parameters=(SITE_ID,),
)
SENSOR_DATA = operation(
    tag=_SENSORS,
    summary="Values of a sensor",
    description="The values with t_s <= timestamp <= t_e; without a period the latest." + _LIMITED,
    answer=Answer(
        list[models.SensorValue],
        "The values, ascending in time.",
        [{"timestamp": 1774153800, "value": 21.3}],
    ),
    problems=(*SITE, COUNTED, problems.INVALID_INPUT, problems.UNKNOWN_SENSOR),
    parameters=(SITE_ID, _SENSOR_ID, _T_S, _T_E),
)
