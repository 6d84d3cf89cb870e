"""The shapes of Climkit's requests and answers, for the OpenAPI document alone.

A default factory marks a key that may be absent; it is never null.

Answers are written by `climkit_v1`, not from these; a test holds the two together.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from commonwatt.api.endpoint.fields import DATE_TIME, OBJECT_ID_PATTERN, TIME_PATTERN
from commonwatt.api.http.documentation import Fragment

OBJECT_ID: Fragment = {"type": "string", "pattern": OBJECT_ID_PATTERN}
_TIME_NOTE = (
    " ISO 8601 with `T` or a blank; without a zone it is UTC, an offset or `Z` is honoured; "
    "`null` counts as absent."
)
_OF_2022 = "only for accounts with the habits of 2022"
FREQUENCIES = ["15T", "H", "D", "M", "Y"]
METER_TYPES = ["electricity", "heating", "cooling", "cold_water", "hot_water", "charge_point"]

Kwh = Annotated[float, Field(description="kWh (water: m3), three decimals.")]
LocalTime = Annotated[
    str,
    Field(
        description="Local time of the site with its offset.",
        pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}(:\d{2})?$",
        examples=["2026-03-22 05:30:00+01:00"],
    ),
]


def _time(description: str) -> Fragment:
    return {
        "anyOf": [{"type": "string", "pattern": TIME_PATTERN}, {"type": "null"}],
        "description": description + _TIME_NOTE,
    }


def _body(properties: Fragment, description: str) -> Fragment:
    # Unknown keys are ignored, so additional ones are allowed.
    return {
        "type": ["object", "null"],
        "description": f"{description} `null` counts as empty.",
        "properties": properties,
    }


_PERIOD: Fragment = {
    "t_s": _time("Start of the period; default: 24 hours before `t_e`."),
    "t_e": _time("End of the period; default: now. It may lie in the future."),
}
_RAW_PERIOD: Fragment = {
    "t_s": _time("Start of the period; default: 24 hours before `t_e`, if that is given."),
    "t_e": _time("End of the period; default: now, if `t_s` is given."),
}
_FREQUENCY: Fragment = {
    "sampling_frequency": {
        "anyOf": [{"type": "string", "enum": FREQUENCIES}, {"type": "null"}],
        "description": "Length of the periods: quarter-hours (default), or hours, days, months, "
        "years of the site's calendar.",
    }
}
METER_DATA_BODY = _body(
    _PERIOD | _FREQUENCY, "The period; an empty body asks for the last 24 hours."
)
SITE_DATA_BODY = _body(
    _PERIOD
    | _FREQUENCY
    | {
        "meters": {
            "anyOf": [{"type": "boolean"}, {"type": "null"}],
            "description": "Whether rows also have the columns of the site's meters.",
        }
    },
    "The period; an empty body asks for the last 24 hours.",
)
RAW_BODY = _body(_RAW_PERIOD, "The period; an empty body asks for the latest reading.")
TIME_PARAMETER: Fragment = {"type": "string", "pattern": TIME_PATTERN}
# On the Climkit surface a parameter without a value counts as absent.
BLANK_OR_TIME_PARAMETER: Fragment = {"type": "string", "pattern": f"^({DATE_TIME})?$"}
CREDENTIALS: Fragment = {
    "type": "object",
    "required": ["username", "password"],
    "properties": {
        "username": {"type": "string", "description": "The name of the API account."},
        "password": {"type": "string", "format": "password", "description": "Its password."},
    },
}


class Milliseconds(BaseModel):
    """An instant."""

    date: int = Field(alias="$date", description="Milliseconds since 1970-01-01 UTC [ms].")


class AccessToken(BaseModel):
    """A token and its end."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    valid_until: Milliseconds = Field(description="When it ends: 15 minutes after sign-in.")


class Address(BaseModel):
    """The address of a site; texts that nobody declared are empty."""

    street_name: str = Field(description="Street.")
    street_number: str = Field(description="House number.")
    city: str = Field(description="City.")
    postal_code: int | str = Field(description="A number where it is numeric.")
    city_name: str = Field(default_factory=str, description=f"`city`, {_OF_2022}.")
    city_ref: int = Field(
        default_factory=int, description=f"`postal_code` up to 32767, {_OF_2022}."
    )


class InstallationInfos(BaseModel):
    """The settings of a site."""

    site_ref: str = Field(description="The operator's own reference.")
    name: str = Field(description="Name of the site.")
    address: Address = Field(description="Where it is.")
    creation_date: str = Field(
        default_factory=str,
        description="Local date and time, no offset; absent before the first reading.",
    )
    latitude: float = Field(
        default_factory=float, description="Degrees north; absent if not declared."
    )
    longitude: float = Field(
        default_factory=float, description="Degrees east; absent if not declared."
    )
    timezone: str = Field(description="IANA zone of all local times of the site.")


class Installation(InstallationInfos):
    """A site with its id."""

    id: str = Field(description="Id of the site, 24 hexadecimal digits.")


class MeterInfo(BaseModel):
    """A meter of a site."""

    id: str = Field(description="Id of the meter, 24 hexadecimal digits.")
    type: Literal[
        "electricity", "heating", "cooling", "cold_water", "hot_water", "charge_point"
    ] = Field(description="What it measures.")
    name: str = Field(description="Name of the meter.")
    mode: Literal["consumption", "production", "introduction", "battery"] = Field(
        description="Its part in the site; `introduction` is the grid connection."
    )
    prim_ad: int = Field(description="Its address, unique per type.")
    is_rule_meter: bool = Field(description="Whether it is computed from others.")
    virtual: bool = Field(default_factory=bool, description=f"`is_rule_meter`, {_OF_2022}.")


class SiteDataRow(BaseModel):
    """A period of a site. What does not apply to the type is absent, never null.

    With `meters: true`, or the habits of 2022, a row also has `total_<id>`, `self_<id>` and
    `ext_<id>` of each consumer and `total_<id>` of each producer [kWh, m3].
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float] = Field(init=False)

    conso_total: Kwh = Field(description="Consumption of the site [kWh; water m3].")
    prod_total: float = Field(default_factory=float, description="Production of the site [kWh].")
    from_ext: float = Field(default_factory=float, description="Taken from the grid [kWh].")
    self: float = Field(
        default_factory=float,
        description="Consumption from the site's own production [kWh]; may dip below 0 at night.",
    )
    to_ext: float = Field(default_factory=float, description="Fed into the grid [kWh].")
    storage_charging_self: float = Field(
        default_factory=float, description="Charged into batteries from own production [kWh]."
    )
    storage_charging_total: float = Field(
        default_factory=float, description="Charged into batteries [kWh]."
    )
    storage_discharging_total: float = Field(
        default_factory=float, description="Discharged from batteries [kWh]."
    )
    timestamp: LocalTime = Field(
        description="Site-local time: end of a quarter-hour, start of longer periods."
    )


class MeterDataRow(BaseModel):
    """A period of a meter. `self` and `ext` are there for consumers of the electricity balance."""

    total: Kwh = Field(description="Energy or volume of the period [kWh; water m3].")
    self: float = Field(
        default_factory=float, description="Its share of the site's own production [kWh]."
    )
    ext: float = Field(default_factory=float, description="The rest, taken from the grid [kWh].")
    timestamp: LocalTime = Field(
        description="Site-local time: end of a quarter-hour, start of longer periods."
    )


class RawRow(BaseModel):
    """A reading: the registers it has; of an interval meter the energy of its interval."""

    en_im: float = Field(default_factory=float, description="Index of imported energy [kWh].")
    en_ex: float = Field(default_factory=float, description="Index of exported energy [kWh].")
    heat_energy_kwh: float = Field(
        default_factory=float, description="Index of heat or cold [kWh]."
    )
    vol_m3: float = Field(default_factory=float, description="Index of volume [m3].")
    timestamp: LocalTime = Field(description="Instant of the reading in site-local time.")


class SensorInfo(BaseModel):
    """A sensor of a site."""

    id: str = Field(description="Id of the sensor, 24 hexadecimal digits.")
    name: str = Field(description="Name of the sensor.")
    type: str = Field(description="The quantity it measures.")
    unit: str = Field(description="The unit of its values.")
    model: str = Field(description="The device.")


class SensorValue(BaseModel):
    """A value of a sensor."""

    timestamp: int = Field(description="Seconds since 1970-01-01 UTC [s].")
    value: float = Field(description="In the sensor's unit.")
