"""Values of a declaration: each type reads what was written and says what would be right."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.domain.allocation import KEYS
from commonwatt.domain.look_alikes import has_special_forms, mixes_scripts
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    BalanceMode,
    BatteryOrder,
    Medium,
    Mode,
    Register,
    RegisterKind,
)
from commonwatt.domain.metering.zones import UnknownTimezone, parse_timezone
from commonwatt.formats.declaration.document import Scalar
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.stamps.local_dates import local_instant, parse_date

_TEXT_KINDS = {"str", "int", "float", "timestamp"}
_TEXT_LENGTH_MAX = 200
_RULE_LENGTH_MAX = 10_000
_ID = re.compile(r"[0-9a-f]{24}")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,30})?", re.ASCII)
_INT32_MAX = 2**31 - 1
_MOST = 1_000_000_000
"""The largest limit [kW, kWh or m3 per hour]: of a terawatt, nothing is implausible."""
INTERVALS = {"PT15M": 900, "PT30M": 1800, "PT1H": 3600}
"""The lengths of intervals that can be declared [s]."""
_DURATION = re.compile(r"(PT?)(\d{1,4})([HDWMY])", re.ASCII)
_SECONDS = {"PTH": 3_600} | {
    f"P{unit}": days * 86_400 for unit, days in {"D": 1, "W": 7, "M": 31, "Y": 366}.items()
}
_LONGEST_S = 400 * 86_400
_PRODUCERS = "a list such as [prim_ad:101], or a map with percentages such as {prim_ad:101: 40}"

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Read = Callable[[object], T]
"""Turns what was written into a value, or raises `BadValue` with what would be right."""


@dataclass(slots=True)
class Surroundings:
    """What a value is read by: the site's zone, and the type of the meter that it stands in."""

    zone: str
    medium: Medium = Medium.ELECTRICITY


def surroundings(info: ValidationInfo) -> Surroundings:
    """What a validator is given beside the value."""
    assert isinstance(info.context, Surroundings), "declarations are read within them"
    return info.context


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, Scalar) else ""


def _is(value: object, kind: str) -> bool:
    return isinstance(value, Scalar) and value.kind == kind


def _or_null(read: Read[T]) -> Read[T | None]:
    return lambda value: None if _is(value, "null") else read(value)


def _text_of(length_max: int) -> Read[str]:
    right = f"must be text of 1 to {length_max} letters"

    def read(value: object) -> str:
        if not isinstance(value, Scalar) or value.kind not in _TEXT_KINDS:
            raise BadValue(
                f"{right}; {shown(str(value))} needs quotes" if _is(value, "bool") else right
            )
        text = str(value).strip()
        if not 0 < len(text) <= length_max or not text.isprintable():
            raise BadValue(right)
        return text

    return read


_text, _rule = _text_of(_TEXT_LENGTH_MAX), _text_of(_RULE_LENGTH_MAX)


def _name(value: object) -> str:
    """Read a name that people know something by; composed and decomposed accents are one."""
    name = unicodedata.normalize("NFC", _text(value))
    if mixes_scripts(name):
        raise BadValue("mixes letters that look alike; write each word in letters of one script")
    return name


def _reference(value: object) -> str:
    """Read a name that things are told apart by: letters and digits in their plain form too."""
    name = _name(value)
    if has_special_forms(name):
        raise BadValue("has letters or digits in a special form; write plain ones")
    return name


def _hex_id(value: object) -> str:
    if _ID.fullmatch(_scalar(value)) is None:
        raise BadValue(f"must be 24 digits of 0-9 and a-f, not {shown(_scalar(value))}")
    return _scalar(value)


def _word_of(words: Collection[str]) -> Read[str]:
    def read(value: object) -> str:
        if _scalar(value) not in words:
            raise BadValue(f"must be one of {', '.join(words)}, not {shown(_scalar(value))}")
        return _scalar(value)

    return read


def _one_of(kind: type[E]) -> Read[E]:
    word = _word_of(list(kind))
    return lambda value: kind(word(value))


def _boolean(value: object) -> bool:
    """Read true or false (YAML's yes, no, on and off included)."""
    if not _is(value, "bool"):
        raise BadValue(f"must be true or false, not {shown(_scalar(value))}")
    return _scalar(value).lower() in {"true", "yes", "on"}


def _whole(least: int, most: int) -> Read[int]:
    def read(value: object) -> int:
        text = _scalar(value)
        number = int(text) if _WHOLE.fullmatch(text) else None
        if number is None or not least <= number <= most:
            raise BadValue(f"must be a whole number from {least} to {most}, not {shown(text)}")
        return number

    return read


def _decimal(least: str, most: str) -> Read[Decimal]:
    """Return a reader of exact decimals from ``least`` to ``most`` with up to 6 decimals."""

    def read(value: object) -> Decimal:
        text = _scalar(value)
        number = Decimal(text) if _DECIMAL.fullmatch(text) else None
        if (
            number is None
            or not Decimal(least) <= number <= Decimal(most)
            or len(text.partition(".")[2]) > 6
        ):
            raise BadValue(
                f"must be a number from {least} to {most} with up to 6 decimals, not {shown(text)}"
            )
        return number

    return read


_index, _percentage = _decimal("0", "9000000000"), _decimal("0", "100")
_factor = _decimal("0.000001", "999999.999999")


def _thousandths(value: object) -> int:
    """Read a number above 0 with up to 3 decimals, in thousandths."""
    text = _scalar(value)
    number = Decimal(text) if _DECIMAL.fullmatch(text) else None
    if number is None or not 0 < number <= _MOST or number * 1000 % 1:
        raise BadValue(
            f"must be a number above 0, up to {_MOST}, with up to 3 decimals, not {shown(text)}"
        )
    return int(number * 1000)


def _degrees(most: int) -> Read[float]:
    def read(value: object) -> float:
        text = _scalar(value)
        number = float(text) if _DECIMAL.fullmatch(text) else None
        if number is None or not -most <= number <= most:
            raise BadValue(f"must be degrees from -{most} to {most}, not {shown(text)}")
        return number

    return read


def read_timezone(value: object) -> str:
    """Read the name of an IANA zone. Raises `BadValue`."""
    try:
        return parse_timezone(_scalar(value))
    except UnknownTimezone as error:
        raise BadValue(str(error)) from error


def _iso_date(value: object) -> str:
    return parse_date(_scalar(value)).isoformat()


def _instant(value: object, info: ValidationInfo) -> int:
    return local_instant(_scalar(value), surroundings(info).zone)


def _instant_or_null(value: object, info: ValidationInfo) -> int | None:
    return None if _is(value, "null") else _instant(value, info)


def _duration_s(value: object) -> int:
    """Read how often something is expected, in seconds: a month is 31 days, a year 366."""
    match = _DURATION.fullmatch(_scalar(value))
    seconds = 0 if match is None else int(match[2]) * _SECONDS.get(match[1] + match[3], 0)
    if not 3_600 <= seconds <= _LONGEST_S:
        raise BadValue(
            "must be a duration of an hour to 400 days, such as PT6H, P1D, P1W, P1M or P3M, not "
            f"{shown(_scalar(value))}"
        )
    return seconds


def _interval_s(value: object) -> int:
    return INTERVALS[_word_of(INTERVALS)(value)]


def _medium(value: object, info: ValidationInfo) -> Medium:
    """Read the type of a meter; what follows of the meter is read by it."""
    medium = _one_of(Medium)(value)
    surroundings(info).medium = medium
    return medium


def _by_register(value: object, info: ValidationInfo, read: Read[T]) -> dict[Register, T]:
    registers = REGISTERS_OF[surroundings(info).medium]
    if not isinstance(value, dict):
        raise BadValue(f"must be a mapping of {', '.join(registers)}")
    for name in value:
        if name not in registers:
            raise BadValue(f"{shown(name)} is no register here; use {', '.join(registers)}")
    return {Register(name): read(each) for name, each in value.items()}


def _indexes(value: object, info: ValidationInfo) -> Mapping[Register, Decimal]:
    return _by_register(value, info, _index)


def _index_or_indexes(value: object, info: ValidationInfo) -> Decimal | Mapping[Register, Decimal]:
    return _indexes(value, info) if isinstance(value, dict) else _index(value)


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which raw register feeds which, and from when [Unix seconds] the meter has a register."""

    raw: Mapping[Register, Register]
    starts: Mapping[Register, int]


def _wiring(value: object, info: ValidationInfo) -> Wiring:
    """Read the registers of a meter; no raw register may feed two."""
    registers = REGISTERS_OF[surroundings(info).medium]
    said = _by_register(value, info, _of_register)
    raw = {name: _one_of(Register)(each["raw"]) for name, each in said.items() if "raw" in each}
    if {raw.get(register, register) for register in registers} != set(registers):
        raise BadValue(
            f"must give each of {', '.join(registers)} another one of them, "
            "such as {en_im: en_ex, en_ex: en_im}"
        )
    return Wiring(
        raw, {name: _instant(each["from"], info) for name, each in said.items() if "from" in each}
    )


def _of_register(value: object) -> Mapping[str, object]:
    """Read what is said of a register: which raw one feeds it, from when the meter has it."""
    if not isinstance(value, dict):
        return {"raw": value}
    if not value or not value.keys() <= {"from", "raw"}:
        raise BadValue("must be a register, or a mapping such as {from: 2026-03-16}")
    return value


def _producers(value: object) -> Mapping[str, Decimal | None]:
    """Read producers with the percentage of each, None where they are only listed; null is none."""
    if _is(value, "null"):
        return {}
    if isinstance(value, dict):
        return {_text_key(name): _part(name, each) for name, each in value.items()}
    if not isinstance(value, list):
        raise BadValue(f"must be {_PRODUCERS}")
    found: dict[str, Decimal | None] = {}
    for name in map(_text, value):
        if name in found:
            raise BadValue(f"{shown(name)} stands twice")
        found[name] = None
    return found


def _text_key(name: str) -> str:
    if not 0 < len(name.strip()) <= _TEXT_LENGTH_MAX or not name.isprintable():
        raise BadValue(f"must be {_PRODUCERS}")
    return name.strip()


def _part(name: str, value: object) -> Decimal:
    try:
        return _percentage(value)
    except BadValue as fault:
        raise BadValue(f"the percentage of {shown(name)} {fault}; write {_PRODUCERS}") from None


def _schema(**schema: Any) -> WithJsonSchema:
    """How an editor is told of a type: what YAML takes for it."""
    return WithJsonSchema(schema)


def _enum(words: Collection[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(words)})


_PLAIN: dict[str, Any] = {"type": ["string", "number"]}
_INDEX: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 9_000_000_000}
_INDEXES: dict[str, Any] = {"type": "object", "additionalProperties": _INDEX}
_OF_REGISTER: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"raw": {"type": "string"}, "from": {"type": "string"}}},
    ]
}

HexId: TypeAlias = Annotated[
    str, BeforeValidator(_hex_id), _schema(type="string", pattern="^[0-9a-f]{24}$")
]
Text: TypeAlias = Annotated[str, BeforeValidator(_text), _schema(**_PLAIN)]
TextOrNull: TypeAlias = Annotated[
    str | None, BeforeValidator(_or_null(_text)), _schema(type=["string", "number", "null"])
]
Name: TypeAlias = Annotated[str, BeforeValidator(_name), _schema(**_PLAIN)]
Reference: TypeAlias = Annotated[str, BeforeValidator(_reference), _schema(**_PLAIN)]
RuleOrNull: TypeAlias = Annotated[
    str | None, BeforeValidator(_or_null(_rule)), _schema(type=["string", "null"])
]
Timezone: TypeAlias = Annotated[str, BeforeValidator(read_timezone), _schema(type="string")]
DateOrNull: TypeAlias = Annotated[
    str | None,
    BeforeValidator(_or_null(_iso_date)),
    _schema(type=["string", "null"], format="date"),
]
Instant: TypeAlias = Annotated[int, BeforeValidator(_instant), _schema(type="string")]
InstantOrNull: TypeAlias = Annotated[
    int | None, BeforeValidator(_instant_or_null), _schema(type=["string", "null"])
]
YesNo: TypeAlias = Annotated[bool, BeforeValidator(_boolean), _schema(type="boolean")]
LatitudeOrNull: TypeAlias = Annotated[
    float | None,
    BeforeValidator(_or_null(_degrees(90))),
    _schema(type=["number", "null"], minimum=-90, maximum=90),
]
LongitudeOrNull: TypeAlias = Annotated[
    float | None,
    BeforeValidator(_or_null(_degrees(180))),
    _schema(type=["number", "null"], minimum=-180, maximum=180),
]
AllocationKey: TypeAlias = Annotated[str, BeforeValidator(_word_of(KEYS)), _enum(KEYS)]
BalanceWord: TypeAlias = Annotated[
    BalanceMode, BeforeValidator(_one_of(BalanceMode)), _enum(BalanceMode)
]
BatteryWord: TypeAlias = Annotated[
    BatteryOrder, BeforeValidator(_one_of(BatteryOrder)), _enum(BatteryOrder)
]
MeterType: TypeAlias = Annotated[Medium, BeforeValidator(_medium), _enum(Medium)]
MeterMode: TypeAlias = Annotated[Mode, BeforeValidator(_one_of(Mode)), _enum(Mode)]
RegisterKindWord: TypeAlias = Annotated[
    RegisterKind, BeforeValidator(_one_of(RegisterKind)), _enum(RegisterKind)
]
Address: TypeAlias = Annotated[
    int,
    BeforeValidator(_whole(0, _INT32_MAX)),
    _schema(type="integer", minimum=0, maximum=_INT32_MAX),
]
Priority: TypeAlias = Annotated[
    int, BeforeValidator(_whole(-_INT32_MAX, _INT32_MAX)), _schema(type="integer")
]
DigitsOrNull: TypeAlias = Annotated[
    int | None,
    BeforeValidator(_or_null(_whole(FEWEST_DIGITS, MOST_DIGITS))),
    _schema(type=["integer", "null"], minimum=FEWEST_DIGITS, maximum=MOST_DIGITS),
]
IntervalOrNull: TypeAlias = Annotated[
    int | None,
    BeforeValidator(_or_null(_interval_s)),
    WithJsonSchema({"enum": [*INTERVALS, None]}),
]
DurationOrNull: TypeAlias = Annotated[
    int | None, BeforeValidator(_or_null(_duration_s)), _schema(type=["string", "null"])
]
Factor: TypeAlias = Annotated[
    Decimal, BeforeValidator(_factor), _schema(type="number", exclusiveMinimum=0)
]
FactorOrNull: TypeAlias = Annotated[
    Decimal | None,
    BeforeValidator(_or_null(_factor)),
    _schema(type=["number", "null"], exclusiveMinimum=0),
]
PercentageOrNull: TypeAlias = Annotated[
    Decimal | None,
    BeforeValidator(_or_null(_percentage)),
    _schema(type=["number", "null"], minimum=0, maximum=100),
]
LimitOrNull: TypeAlias = Annotated[
    int | None,
    BeforeValidator(_or_null(_thousandths)),
    _schema(type=["number", "null"], exclusiveMinimum=0, maximum=_MOST),
]
"""A limit [kW, kWh or m3 per hour], held in thousandths."""
IndexOrIndexes: TypeAlias = Annotated[
    Decimal | Mapping[Register, Decimal],
    BeforeValidator(_index_or_indexes),
    _schema(anyOf=[_INDEX, _INDEXES]),
]
Indexes: TypeAlias = Annotated[
    Mapping[Register, Decimal], BeforeValidator(_indexes), _schema(**_INDEXES)
]
Registers: TypeAlias = Annotated[
    Wiring,
    BeforeValidator(_wiring),
    _schema(type="object", additionalProperties=_OF_REGISTER),
]
Producers: TypeAlias = Annotated[
    Mapping[str, Decimal | None],
    BeforeValidator(_producers),
    _schema(
        anyOf=[
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "number"}},
            {"type": "null"},
        ]
    ),
]
