"""Values of a declaration: each type reads what was written and says what would be right."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from commonwatt.domain.allocation import KEYS
from commonwatt.domain.look_alikes import has_special_forms, mixes_scripts
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Medium, Register
from commonwatt.domain.metering.zones import parse_timezone
from commonwatt.formats.declaration.document import Scalar
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.stamps.local_dates import local_instant, parse_date

_TEXT_KINDS = {"str", "int", "float", "timestamp"}
_ID = re.compile(r"[0-9a-f]{24}")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,30})?", re.ASCII)
INT32_MAX = 2**31 - 1
INTERVALS = {"PT15M": 900, "PT30M": 1800, "PT1H": 3600}
"""The lengths of intervals that can be declared [s]."""
_DURATION = re.compile(r"(PT?)(\d{1,4})([HDWMY])", re.ASCII)
_UNITS_S = {"PTH": 3_600, "PD": 86_400, "PW": 7 * 86_400, "PM": 31 * 86_400, "PY": 366 * 86_400}
_MOST = 1_000_000_000
"""The largest limit [kW, kWh or m3 per hour]: of a terawatt, nothing is implausible."""
_PRODUCERS = "a list such as [prim_ad:101], or a map with percentages such as {prim_ad:101: 40}"

T = TypeVar("T")
Schema: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Context:
    """What values are read by: the site's zone, and the rows of each list as far as read."""

    zone: str = "UTC"
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers of the meter that is being read."""
        return REGISTERS_OF[self.rows["meters"][-1].get("medium", Medium.ELECTRICITY)]


def context_of(info: ValidationInfo) -> Context:
    """What a validator is given beside the value."""
    assert isinstance(info.context, Context), "declarations are read with one"
    return info.context


def _reads(read: Callable[..., object], **schema: Any) -> PlainValidator:
    """A type by what reads it and what editors are told of it."""
    return PlainValidator(read, json_schema_input_type=Annotated[Any, WithJsonSchema(schema)])


def _written(value: object) -> str:
    if isinstance(value, (list, dict)):
        return ""
    return "null" if value is None else str(value)


def must_be(right: str, value: object) -> BadValue:
    """The error of a value that is another than the right one."""
    return BadValue(f"must be {right}, not {shown(_written(value))}")


def _text(value: object, length_max: int = 200) -> str:
    right = f"must be text of 1 to {length_max} letters"
    if not isinstance(value, Scalar) or value.kind not in _TEXT_KINDS:
        needs_quotes = isinstance(value, Scalar) and value.kind == "bool"
        raise BadValue(f"{right}; {shown(str(value))} needs quotes" if needs_quotes else right)
    text = str(value).strip()
    if not 0 < len(text) <= length_max or not text.isprintable():
        raise BadValue(right)
    return text


def _rule(value: object) -> str:
    """Read the text of a rule; what it means is not judged here."""
    return _text(value, 10_000)


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
    if _ID.fullmatch(_written(value)) is None:
        raise must_be("24 digits of 0-9 and a-f", value)
    return _written(value)


def _word(value: object, words: Collection[str]) -> str:
    if _written(value) not in words:
        raise must_be(f"one of {', '.join(words)}", value)
    return _written(value)


def _yes_or_no(value: object) -> bool:
    """Read true or false (YAML's yes, no, on and off included)."""
    if not isinstance(value, Scalar) or value.kind != "bool":
        raise must_be("true or false", value)
    return value.lower() in {"true", "yes", "on"}


def whole(least: int, most: int) -> PlainValidator:
    """A whole number from ``least`` to ``most``."""

    def read(value: object) -> int:
        number = int(_written(value)) if _WHOLE.fullmatch(_written(value)) else None
        if number is None or not least <= number <= most:
            raise must_be(f"a whole number from {least} to {most}", value)
        return number

    return _reads(read, type="integer", minimum=least, maximum=most)


def _number(value: object) -> Decimal | None:
    return Decimal(_written(value)) if _DECIMAL.fullmatch(_written(value)) else None


def _decimal(value: object, least: str, most: str) -> Decimal:
    """Read an exact decimal from ``least`` to ``most`` with up to 6 decimals."""
    number = _number(value)
    decimals = len(_written(value).partition(".")[2])
    if number is None or not Decimal(least) <= number <= Decimal(most) or decimals > 6:
        raise must_be(f"a number from {least} to {most} with up to 6 decimals", value)
    return number


def _factor(value: object) -> Decimal:
    return _decimal(value, "0.000001", "999999.999999")


def _percentage(value: object) -> Decimal:
    return _decimal(value, "0", "100")


def _index(value: object) -> Decimal:
    return _decimal(value, "0", "9000000000")


def _thousandths(value: object) -> int:
    """Read a number above 0 with up to 3 decimals, in thousandths."""
    number = _number(value)
    if number is None or not 0 < number <= _MOST or number * 1000 % 1:
        raise must_be(f"a number above 0, up to {_MOST}, with up to 3 decimals", value)
    return int(number * 1000)


def degrees(most: int) -> PlainValidator:
    """Degrees from -``most`` to ``most``."""

    def read(value: object) -> float:
        number = _number(value)
        if number is None or not -most <= number <= most:
            raise must_be(f"degrees from -{most} to {most}", value)
        return float(number)

    return _reads(read, type="number", minimum=-most, maximum=most)


def _instant(value: object, info: ValidationInfo) -> int:
    return local_instant(_written(value), context_of(info).zone)


def _duration_s(value: object) -> int:
    """Read how often something is expected, in seconds: a month is 31 days, a year 366."""
    match = _DURATION.fullmatch(_written(value))
    seconds = 0 if match is None else int(match[2]) * _UNITS_S.get(match[1] + match[3], 0)
    if not 3_600 <= seconds <= 400 * 86_400:
        example = "such as PT6H, P1D, P1W, P1M or P3M"
        raise must_be(f"a duration of an hour to 400 days, {example}", value)
    return seconds


def _by_register(value: object, info: ValidationInfo, read: Callable[[object], T]) -> dict[Any, T]:
    registers = context_of(info).registers
    if not isinstance(value, dict):
        raise BadValue(f"must be a mapping of {', '.join(registers)}")
    for name in value:
        if name not in registers:
            raise BadValue(f"{shown(str(name))} is no register here; use {', '.join(registers)}")
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
    registers = context_of(info).registers
    said = _by_register(value, info, _of_register)
    raw = {
        name: Register(_word(each["raw"], list(Register)))
        for name, each in said.items()
        if "raw" in each
    }
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
    if value is not None and not isinstance(value, (list, dict)):
        raise BadValue(f"must be {_PRODUCERS}")
    found: dict[str, Decimal | None] = {}
    for each in value or ():
        name = _text(each)
        if name in found:
            raise BadValue(f"{shown(name)} stands twice")
        found[name] = _part(name, value[each]) if isinstance(value, dict) else None
    return found


def _part(name: str, value: object) -> Decimal:
    try:
        return _percentage(value)
    except BadValue as fault:
        raise BadValue(f"the percentage of {shown(name)} {fault}; write {_PRODUCERS}") from None


def _map_of_registers(value: Schema) -> Schema:
    properties = dict.fromkeys(Register, value)
    return {"type": "object", "properties": properties, "additionalProperties": False}


_TEXT: Schema = {"type": ["string", "number"]}
_INDEX: Schema = {"type": "number", "minimum": 0, "maximum": 9_000_000_000}
_INDEXES = _map_of_registers(_INDEX)
_REGISTER: Schema = {"type": "string", "enum": list(Register)}
_LATER_REGISTER: Schema = {
    "type": "object",
    "properties": {"raw": _REGISTER, "from": {"type": "string"}},
    "additionalProperties": False,
}
_LISTED: Schema = {"type": "array", "items": {"type": "string"}}
_PARTS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
}

HexId = Annotated[str, _reads(_hex_id, **_TEXT, pattern="^[0-9a-f]{24}$")]
Text = Annotated[str, _reads(_text, **_TEXT)]
Rule = Annotated[str, _reads(_rule, type="string")]
Name = Annotated[str, _reads(_name, **_TEXT)]
Reference = Annotated[str, _reads(_reference, **_TEXT)]
Timezone = Annotated[str, _reads(lambda value: parse_timezone(_written(value)), type="string")]
Date = Annotated[
    str, _reads(lambda value: parse_date(_written(value)).isoformat(), type="string", format="date")
]
Instant = Annotated[int, _reads(_instant, type="string")]
YesOrNo = Annotated[bool, _reads(_yes_or_no, type="boolean")]
AllocationKey = Annotated[str, _reads(lambda value: _word(value, KEYS), enum=list(KEYS))]
Interval = Annotated[
    int, _reads(lambda value: INTERVALS[_word(value, INTERVALS)], enum=list(INTERVALS))
]
Duration = Annotated[int, _reads(_duration_s, type="string")]
Factor = Annotated[
    Decimal, _reads(_factor, type="number", minimum=0.000001, maximum=999_999.999999)
]
Percentage = Annotated[Decimal, _reads(_percentage, type="number", minimum=0, maximum=100)]
Thousandths = Annotated[int, _reads(_thousandths, type="number", exclusiveMinimum=0, maximum=_MOST)]
"""A limit [kW, kWh or m3 per hour], held in thousandths."""
Indexes = Annotated[Mapping[Register, Decimal], _reads(_indexes, **_INDEXES)]
IndexOrIndexes = Annotated[
    Decimal | Mapping[Register, Decimal], _reads(_index_or_indexes, anyOf=[_INDEX, _INDEXES])
]
Registers = Annotated[
    Wiring, _reads(_wiring, **_map_of_registers({"anyOf": [_REGISTER, _LATER_REGISTER]}))
]
Producers = Annotated[
    Mapping[str, Decimal | None],
    _reads(_producers, anyOf=[_LISTED, _PARTS, {"type": "null"}]),
]
