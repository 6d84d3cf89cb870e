"""The types of fields in the models of our own surface."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from commonwatt.api.endpoint.models import Query, WrongKey
from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.climkit_v1.requests import BadRequestField, parse_time
from commonwatt.domain.metering.quality import Quality
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.stamps.instants import parse_instant

OBJECT_ID_PATTERN = "^[0-9a-f]{24}$"
DATE_TIME = (
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?"
)
TIME_PATTERN = f"^{DATE_TIME}$"
_TEXT_LENGTH_MAX = 200
_FIRST_AT, _END_AT = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999 [Unix seconds]."""
_FRACTION = re.compile(r"[.,]([0-9]+)")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")

QualityWord: TypeAlias = Literal["missing", "estimated", "interpolated", "edited", "measured"]
"""The quality of a value in an answer."""
_QUALITY_WORDS: Mapping[Quality, QualityWord] = {
    Quality.MISSING: "missing",
    Quality.ESTIMATED: "estimated",
    Quality.INTERPOLATED: "interpolated",
    Quality.EDITED: "edited",
    Quality.MEASURED: "measured",
}


class WithoutNull:
    """Leaves null out of the documented schema of a parameter that may be absent."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema of the value where the parameter is given."""
        described = handler(schema)
        given: JsonSchemaValue = described["anyOf"][0]
        return given


def kwh(energy: int) -> float:
    """Write an energy [Wh] in kWh, a volume [litres] in m3."""
    return energy / 1000


def quality_word(quality: Quality) -> QualityWord | None:
    """Write a quality; None where the meter is not alive."""
    return _QUALITY_WORDS.get(quality)


def nameable_utc(instant_at: int | None) -> str | None:
    """Write an instant in UTC; None also for one that the calendar cannot name.

    A store of before may hold one.
    """
    if instant_at is None or not _FIRST_AT <= instant_at < _END_AT:
        return None
    return datetime.fromtimestamp(instant_at, UTC).isoformat().replace("+00:00", "Z")


def _text(value: object) -> str:
    """Read text that can be shown in a line."""
    if not isinstance(value, str) or not value.strip().isprintable():
        raise BadValue(f"must be text, not {shown(value)}")
    if not 0 < len(value.strip()) <= _TEXT_LENGTH_MAX:
        raise BadValue(f"must be text of 1 to {_TEXT_LENGTH_MAX} letters")
    return value.strip()


def _instant(value: object) -> int:
    seconds, _, _ = parse_instant(value)
    return seconds


def _number(least: Decimal | int, most: Decimal | int, places: int) -> BeforeValidator:
    """Read an exact decimal from ``least`` to ``most`` with up to ``places`` decimals."""

    def read(value: object) -> Decimal:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and least <= number <= most:
                exponent = number.normalize().as_tuple().exponent
                if isinstance(exponent, int) and exponent >= -places:
                    return number
        raise BadValue(
            f"must be a number from {least} to {most} with up to {places} decimals, "
            f"not {shown(value)}"
        )

    return BeforeValidator(read)


def _time(value: str, info: ValidationInfo) -> int:
    name = info.field_name or ""
    try:
        return parse_time(name, value)
    except BadRequestField as error:
        raise ValueError(str(error).removeprefix(f"{name} ")) from error


def _time_us(value: str, info: ValidationInfo) -> int:
    fraction = _FRACTION.search(value)
    micros = int(fraction[1].ljust(6, "0")[:6]) if fraction else 0
    return _time(value, info) * 1_000_000 + micros


def _flag(value: object) -> bool:
    if value not in ("true", "false"):
        raise ValueError("is true or false")
    return value == "true"


def _share(value: object) -> float:
    if (
        not isinstance(value, str)
        or _NUMBER.fullmatch(value) is None
        or not 0 <= float(value) <= 100
    ):
        raise ValueError("is a percentage from 0 to 100, such as 2.5")
    return float(value) / 100


_STAMP = {"type": "string", "description": "ISO 8601; naive stamps are UTC."}

Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
"""Text of a body that can be shown in a line."""
Instant: TypeAlias = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_STAMP)]
"""A stamp of a body, ISO 8601, naive in UTC [Unix seconds]."""
Energy: TypeAlias = Annotated[
    Decimal, _number(-9_000_000_000, 9_000_000_000, 3), WithJsonSchema({"type": "number"})
]
"""An amount of a body [kWh, m3], whole Wh or litres."""
Index: TypeAlias = Annotated[
    Decimal,
    _number(0, 9_000_000_000, 6),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9_000_000_000}),
]
"""An index of a body [kWh, m3], whole mWh or ml."""
Factor: TypeAlias = Annotated[
    Decimal,
    _number(Decimal("0.000001"), Decimal("999999.999999"), 6),
    WithJsonSchema({"type": "number", "minimum": 0.000001, "maximum": 999_999.999999}),
]
"""What the index of a device is multiplied by."""
Digits: TypeAlias = Annotated[int, Field(strict=True, ge=FEWEST_DIGITS, le=MOST_DIGITS)]
"""Digits of a register before the decimal point [kWh; water m3]."""
YesNo: TypeAlias = Annotated[bool, Field(strict=True)]
"""true or false in a body."""
Exact: TypeAlias = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""A decimal of an answer, written as it is."""

_TIME_SCHEMA = WithJsonSchema({"type": "string", "pattern": TIME_PATTERN})
Time: TypeAlias = Annotated[int | None, BeforeValidator(_time), _TIME_SCHEMA]
"""An instant of a query [Unix seconds]; None where it is not given."""
RequiredTime: TypeAlias = Annotated[
    int,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "pattern": TIME_PATTERN, "examples": ["2026-03-22T04:20:00Z"]}
    ),
]
"""An instant of a query that must be given [Unix seconds]."""
TimeUs: TypeAlias = Annotated[int | None, BeforeValidator(_time_us), _TIME_SCHEMA]
"""An instant of a query [Unix microseconds]; None where it is not given."""
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
"""true or false in a query."""
Share: TypeAlias = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
"""A percentage of a query, as a share [0 to 1]."""


class Period(Query):
    """A period of a query, [start, end) [Unix seconds]."""

    start: Time = Field(
        None,
        description="Start of the period, ISO 8601; without a zone UTC. "
        "Such as `2026-03-22T00:00:00Z`.",
    )
    end: Time = Field(
        None,
        description="End of the period, not included, ISO 8601; without a zone UTC. "
        "Such as `2026-03-23T00:00:00Z`.",
    )

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise WrongKey("start", "must not be after end")
        return self
