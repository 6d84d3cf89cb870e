"""The shapes of our own surface's answers, for the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from commonwatt.api.http.documentation import Fragment
from commonwatt.formats.readings.quality_words import QUALITY_WORDS

QualityWord = Literal["missing", "estimated", "interpolated", "edited", "measured"]


class RejectedRow(BaseModel):
    """A row that cannot be a reading."""

    row: int = Field(description="Its number in the body, from 1; a CSV header is not counted.")
    reason: str = Field(description="What is wrong with it, and what would be right.")


class NotCountingRow(BaseModel):
    """A row that is stored and does not count."""

    row: int = Field(description="Its number in the body, from 1; a CSV header is not counted.")
    reason: str = Field(description="Why another version counts, and how this one would.")


class HeldRows(BaseModel):
    """Rows of a meter that look like something else: not used until they are accepted."""

    meter: str = Field(description="Id of the meter.")
    rows: int = Field(description="How many rows.")
    rule: str = Field(description="The rule of the finding, as `looks-like-unit`.")
    reason: str = Field(description="What they look like, and how the meter would be declared.")


class Receipt(BaseModel):
    """What became of a body: accepted + unchanged + rejected_rows = its rows."""

    delivery: int | None = Field(description="Number of the delivery; null if nothing was stored.")
    accepted: int = Field(description="Rows of which something was stored.")
    unchanged: int = Field(description="Rows that say what is known already.")
    superseding: int = Field(
        description="Accepted rows that now count instead of an earlier value."
    )
    rejected: list[RejectedRow] = Field(
        description="Rows that cannot be readings, the first 1,000 of them."
    )
    rejected_rows: int = Field(description="How many rows cannot be readings.")
    not_counting: list[NotCountingRow] = Field(
        description="Accepted and unchanged rows whose value does not count, the first 1,000."
    )
    not_counting_rows: int = Field(description="How many rows do not count.")
    held: list[HeldRows] = Field(
        description="Rows, accepted or unchanged, that are stored and not used, by meter and rule."
    )


MethodWords = Annotated[str, Field(pattern=r"^[a-z]+(\+[a-z]+)*$")]


class Period(BaseModel):
    """When a period begins and ends."""

    start: str = Field(description="First instant of the period, UTC.")
    end: str = Field(description="First instant after it, UTC.")
    start_local: str = Field(description="`start` in the site's zone, with its offset.")


class Completeness(BaseModel):
    """How much of a period is known, and how well."""

    coverage: float = Field(
        description="Share [0 to 1] of its quarter-hours that have a value, of those of the life; "
        "cut to six decimals, so that 1 is complete."
    )
    estimated: float | None = Field(
        description="Share [0 to 1] of its energy, without signs, that is estimated, of a period "
        "without energy of its quarter-hours; rounded up to six decimals, so that 0 is no "
        "estimate; null where nothing is known."
    )


class SeriesRow(Completeness, Period):
    """A period of a meter's life. What is missing is null, never 0."""

    total: float | None = Field(description="Energy or volume [kWh; water m3], three decimals.")
    self: float | None = Field(
        description="Share of the site's own production [kWh]; null for what is no consumer of "
        "the balance."
    )
    ext: float | None = Field(description="total less self [kWh]; null where self is.")
    quality_total: QualityWord | None = Field(
        description="Quality of total: the worst of the period's quarter-hours."
    )
    quality_self: QualityWord | None = Field(
        description="Quality of self and ext; `missing` if a member of the balance is missing."
    )
    method: MethodWords | None = Field(
        description="How total was found: index, interval, rule, linear, shape, proxy, edit, seam; "
        "several methods in a period are joined by `+`; null where nothing is known."
    )


def _flow(description: str) -> Any:  # what pydantic declares a field by
    return Field(description=f"{description} [kWh]; null for types other than electricity.")


class BalanceRow(Completeness, Period):
    """A period of the site's books. What is missing is null, never 0."""

    conso_total: float | None = Field(description="Consumption [kWh; water m3], three decimals.")
    prod_total: float | None = _flow("Production, as the books have it")
    from_ext: float | None = _flow("Taken from the grid")
    self: float | None = _flow("Consumption from the site's own energy")
    to_ext: float | None = _flow("Fed into the grid")
    storage_charging_self: float | None = _flow("Charged from the site's own energy")
    storage_charging_total: float | None = _flow("Charged, as measured")
    storage_discharging_total: float | None = _flow("Discharged, as measured")
    unallocated: float | None = _flow("Part of self that no consumer has a share in")
    unmetered: float | None = _flow("Consumption that no meter measured, of clamped books")
    quality: QualityWord | None = Field(
        description="The worst of the period's quarter-hours; `missing` if a member is missing."
    )


class MeterState(BaseModel):
    """A physical meter and its last reading."""

    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Name of the meter.")
    type: str = Field(description="What it measures.")
    last_reading: str | None = Field(description="Instant of the last accepted reading, UTC.")


class GroupState(BaseModel):
    """Meters that settle together."""

    group: str = Field(
        description="Electricity (with charge points), heating, cooling, or a water."
    )
    complete_until: str | None = Field(
        description="End of the newest quarter-hour whose books could be closed, UTC."
    )
    held_back_by: list[str] = Field(description="Ids of the meters that hold newer ones back.")


class SiteState(BaseModel):
    """How up to date a site is."""

    site: str = Field(description="Id of the site.")
    meters: list[MeterState] = Field(description="Its physical meters.")
    groups: list[GroupState] = Field(description="Its groups.")


class FindingRow(BaseModel):
    """What validation set aside or doubts."""

    id: str = Field(description="Id of the finding, the same as long as it is found.")
    severity: Literal["decision", "information"] = Field(
        description="Whether somebody has to decide before the days can be billed, or it informs."
    )
    rule: str = Field(description="Id of the rule; it never changes its meaning.")
    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Its name.")
    register_: str = Field(alias="register", description="Register that is meant.")
    start: str = Field(description="First instant concerned, UTC.")
    end: str = Field(description="Last instant concerned, UTC.")
    evidence: dict[str, int] = Field(
        description="Numbers in base units: registers mWh or ml, quarter-hours Wh or litres."
    )


class Health(BaseModel):
    """Whether it lives."""

    status: Literal["ok"] = Field(description="Always ok.")


class Readiness(BaseModel):
    """Whether it can answer, and what it cannot do."""

    status: Literal["ok", "limited"] = Field(
        description="limited: questions are answered, but something else does not work."
    )
    connections: Literal["ok", "short"] = Field(
        description="short: within the last minute there were too many, or no file could be opened."
    )
    writing: Literal["ok", "busy", "full", "failing"] = Field(
        description="What became of the last try to write, at most a few seconds ago: busy while "
        "others write, full without room on the disk, failing for all else."
    )


def _array_of(properties: Fragment, required: list[str]) -> Fragment:
    row = {"type": "object", "properties": properties, "required": required}
    return {"type": "array", "items": row}


_STAMP: Fragment = {
    "type": "string",
    "description": "ISO 8601; naive stamps are UTC. Of an interval meter the end of the interval.",
}
_INDEX: Fragment = {"type": "number", "minimum": 0, "maximum": 9_000_000_000}
SENDERS_WORDS = [each.word for each in QUALITY_WORDS]
READINGS_BODY = _array_of(
    {
        "meter": {"type": "string", "description": "Id of the meter; or give type and prim_ad."},
        "type": {"type": "string", "description": "Type of the meter, with prim_ad."},
        "prim_ad": {"type": "integer", "description": "Address of the meter, with type."},
        "timestamp": _STAMP,
        "en_im": {**_INDEX, "description": "Index of imported energy [kWh]."},
        "en_ex": {**_INDEX, "description": "Index of exported energy [kWh]."},
        "heat_energy_kwh": {**_INDEX, "description": "Index of heat or cold [kWh]."},
        "vol_m3": {**_INDEX, "description": "Index of volume [m3]."},
        "quality": {
            "type": "string",
            "enum": SENDERS_WORDS,
            "description": "In the sender's own word, in any case. A placeholder is stored and "
            "never used. Default: what the query says, else measured.",
        },
        "issued_at": {
            **_STAMP,
            "description": "When the sender made it; of two versions the later counts.",
        },
        "serial": {"type": "string", "description": "Serial number of the device."},
        "replaces": {
            "type": "boolean",
            "description": "Whether it counts before all that was sent earlier of its instant, "
            "whatever their quality. Default: what the query says, else false.",
        },
    },
    ["timestamp"],
)
SENSOR_READINGS_BODY = _array_of(
    {
        "sensor": {"type": "string", "description": "Id of the sensor."},
        "timestamp": _STAMP,
        "value": {"type": "number", "description": "In the sensor's unit."},
    },
    ["sensor", "timestamp", "value"],
)
