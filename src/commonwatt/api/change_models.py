"""The shapes of devices, resolutions and edits, for the OpenAPI document."""

from typing import Literal

from pydantic import BaseModel, Field

from commonwatt.api.http.documentation import Fragment

_UTC = "UTC, with Z."


class Indexes(BaseModel):
    """Indexes of registers; those that are not said are absent."""

    en_im: float | None = Field(default=None, description="Imported energy [kWh].")
    en_ex: float | None = Field(default=None, description="Exported energy [kWh].")
    heat_energy_kwh: float | None = Field(default=None, description="Heat or cold [kWh].")
    vol_m3: float | None = Field(default=None, description="Volume [m3].")


class DeviceRow(BaseModel):
    """A device that was, or is, in a meter's place. What is not said is null."""

    from_: str | None = Field(
        alias="from", description="When it was put in, UTC; null of the first: from the beginning."
    )
    serial: str | None = Field(description="Serial number.")
    digits: int | None = Field(description="Digits before the decimal point [kWh; water m3].")
    factor: float | None = Field(description="Multiplies its index; null: the meter's.")
    start_index: Indexes = Field(description="Indexes when it was put in.")
    end_index: Indexes = Field(description="Indexes when it was taken out.")


class RecomputedRow(BaseModel):
    """What is computed anew because of a change."""

    group: str = Field(description="Meters that settle together.")
    start: str = Field(description=f"From when, {_UTC}")
    end: str = Field(description=f"Until when, not included, {_UTC}")
    days: int = Field(description="How many UTC days.")
    locked_days: int = Field(description="How many of them have locked quarter-hours.")


class DevicesChanged(BaseModel):
    """The devices as they are now, and what follows."""

    devices: list[DeviceRow] = Field(description="The devices, the first one first.")
    changed: list[str] = Field(description="What was changed, in words.")
    recomputed: list[RecomputedRow] = Field(description="What is computed anew.")


class ResolutionRow(BaseModel):
    """What a finding was declared to be."""

    finding: str = Field(description="Id of the finding.")
    meter: str = Field(description="Id of the meter.")
    register_: str = Field(alias="register", description="Register that is meant.")
    as_: Literal["reset", "rollover", "faulty"] = Field(alias="as", description="What it was.")
    start: str = Field(description=f"First reading concerned, {_UTC}")
    end: str = Field(description=f"Last reading concerned, {_UTC}")
    digits: int | None = Field(description="Digits of a register that ran over; null: inferred.")


class FindingResolved(BaseModel):
    """What a finding is declared to be now, and what follows."""

    resolution: ResolutionRow | None = Field(description="What it was; null once taken back.")
    changed: list[str] = Field(description="What was changed, in words.")
    recomputed: list[RecomputedRow] = Field(description="What is computed anew.")


class EditRow(BaseModel):
    """Quarter-hours, or a reading, that somebody set or cleared."""

    number: int = Field(description="Number of the edit within the site.")
    meter: str = Field(description="Id of the meter.")
    register_: str = Field(alias="register", description="Register that is meant.")
    start: str | None = Field(description=f"First quarter-hour, {_UTC} Null of a reading.")
    end: str | None = Field(description=f"End of the last one, {_UTC} Null of a reading.")
    energy: float | None = Field(
        description="Energy or volume of them all [kWh; water m3]; null: cleared."
    )
    at: str | None = Field(description=f"Stamp of the reading, {_UTC} Null of quarter-hours.")
    index: float | None = Field(description="Its index [kWh; water m3]; null: cleared.")
    accepts: bool = Field(
        description="Whether the quarter-hours are taken as they are: nothing is set or cleared."
    )
    reason: str = Field(description="Why.")
    by: str = Field(description="Who made it.")
    made_at: str = Field(description=f"When, {_UTC}")
    undone_at: str | None = Field(description=f"When it was undone, {_UTC} Null: it counts.")
    undone_by: str | None = Field(description="Who undid it.")


_INDEX: Fragment = {"type": "number", "minimum": 0, "maximum": 9_000_000_000}
_INDEXES: Fragment = {
    "type": "object",
    "properties": dict.fromkeys(("en_im", "en_ex", "heat_energy_kwh", "vol_m3"), _INDEX),
    "additionalProperties": False,
}
_STAMP: Fragment = {"type": "string", "description": "ISO 8601; naive stamps are UTC."}
DEVICES_BODY: Fragment = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "from": {**_STAMP, "description": "When it was put in; only the first may lack it."},
            "serial": {"type": "string", "description": "Serial number."},
            "digits": {"type": "integer", "minimum": 3, "maximum": 12},
            "factor": {"type": "number", "minimum": 0.000001, "maximum": 999_999.999999},
            "start_index": {**_INDEXES, "description": "Indexes when it was put in [kWh; m3]."},
            "end_index": {**_INDEXES, "description": "Indexes when it was taken out [kWh; m3]."},
        },
        "additionalProperties": False,
    },
}
RESOLUTION_BODY: Fragment = {
    "type": "object",
    "properties": {
        "as": {"type": "string", "enum": ["reset", "rollover", "faulty"]},
        "digits": {"type": "integer", "minimum": 3, "maximum": 12},
        "reason": {"type": "string"},
    },
    "required": ["as"],
    "additionalProperties": False,
}
EDIT_BODY: Fragment = {
    "type": "object",
    "properties": {
        "meter": {"type": "string", "description": "Id of the meter."},
        "register": {
            "type": "string",
            "enum": ["en_im", "en_ex", "heat_energy_kwh", "vol_m3"],
            "description": "Default: the meter's main register. Of a reading as senders name it.",
        },
        "start": {**_STAMP, "description": "First quarter-hour; naive stamps are UTC."},
        "end": {**_STAMP, "description": "End of the last quarter-hour; naive stamps are UTC."},
        "energy": {"type": "number", "description": "Energy of them all [kWh; water m3]."},
        "at": {**_STAMP, "description": "Instead: stamp of a reading; naive stamps are UTC."},
        "index": {
            **_INDEX,
            "description": "Its index [kWh; water m3]; of an interval meter its energy.",
        },
        "clear": {"type": "boolean", "description": "Clear the quarter-hours, or the reading."},
        "accept": {
            "type": "boolean",
            "description": "Instead: take what is estimated or doubted from start to end as it is.",
        },
        "reason": {"type": "string", "description": "Why."},
    },
    "required": ["meter", "reason"],
    "additionalProperties": False,
}
