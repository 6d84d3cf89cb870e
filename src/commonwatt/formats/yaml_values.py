"""Values of a declaration from YAML scalars: each reader says what would be right."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import yaml

from commonwatt.domain.look_alikes import has_special_forms, mixes_scripts
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.zones import UnknownTimezone, parse_timezone
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.stamps.local_dates import local_instant, parse_date
from commonwatt.formats.yaml_fields import Reader

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {_TAG + kind for kind in ("str", "int", "float", "timestamp")}
_TEXT_LENGTH_MAX = 200
_RULE_LENGTH_MAX = 10_000
_ID = re.compile(r"[0-9a-f]{24}")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,30})?", re.ASCII)
INTERVALS = {"PT15M": 900, "PT30M": 1800, "PT1H": 3600}
_DURATION = re.compile(r"(PT?)(\d{1,4})([HDWMY])", re.ASCII)
_SECONDS = {"PTH": 3_600} | {
    f"P{unit}": days * 86_400 for unit, days in {"D": 1, "W": 7, "M": 31, "Y": 366}.items()
}
_LONGEST_S = 400 * 86_400
"""The lengths of intervals that can be declared, in seconds."""

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def text(node: yaml.Node) -> str:
    """Read text, or a number as it is written."""
    return _text(node, _TEXT_LENGTH_MAX)


def name(node: yaml.Node) -> str:
    """Read a name that people know something by; composed and decomposed accents are one."""
    value = unicodedata.normalize("NFC", text(node))
    if mixes_scripts(value):
        raise BadValue("mixes letters that look alike; write each word in letters of one script")
    return value


def reference(node: yaml.Node) -> str:
    """Read a name that things are told apart by: letters and digits in their plain form too."""
    value = name(node)
    if has_special_forms(value):
        raise BadValue("has letters or digits in a special form; write plain ones")
    return value


def rule(node: yaml.Node) -> str:
    """Read the text of a rule; what it means is not judged here."""
    return _text(node, _RULE_LENGTH_MAX)


def _text(node: yaml.Node, length_max: int) -> str:
    right = f"must be text of 1 to {length_max} letters"
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _TEXT_TAGS:
        written = f"; {shown(node.value)} needs quotes" if _is(node, "bool") else ""
        raise BadValue(right + written)
    value = str(node.value).strip()
    if not 0 < len(value) <= length_max or not value.isprintable():
        raise BadValue(right)
    return value


def or_null(reader: Reader[T]) -> Reader[T | None]:
    """Return a reader that also takes null, as None."""

    def read(node: yaml.Node) -> T | None:
        return None if _is(node, "null") else reader(node)

    return read


def _is(node: yaml.Node, kind: str) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _TAG + kind


def _scalar(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def hex_id(node: yaml.Node) -> str:
    """Read an id."""
    value = _scalar(node)
    if _ID.fullmatch(value) is None:
        raise BadValue(f"must be 24 digits of 0-9 and a-f, not {shown(value)}")
    return value


def one_of(kind: type[E]) -> Reader[E]:
    """Return a reader of the words of an enumeration."""

    def read(node: yaml.Node) -> E:
        value = _scalar(node)
        if value not in list(kind):
            raise BadValue(f"must be one of {', '.join(kind)}, not {shown(value)}")
        return kind(value)

    return read


def word_of(words: Collection[str]) -> Reader[str]:
    """Return a reader of some words."""

    def read(node: yaml.Node) -> str:
        value = _scalar(node)
        if value not in words:
            raise BadValue(f"must be one of {', '.join(words)}, not {shown(value)}")
        return value

    return read


def boolean(node: yaml.Node) -> bool:
    """Read true or false (YAML's yes, no, on and off included)."""
    if not _is(node, "bool"):
        raise BadValue(f"must be true or false, not {shown(_scalar(node))}")
    return _scalar(node).lower() in {"true", "yes", "on"}


def whole(least: int, most: int) -> Reader[int]:
    """Return a reader of whole numbers from ``least`` to ``most``."""

    def read(node: yaml.Node) -> int:
        value = _scalar(node)
        number = int(value) if _WHOLE.fullmatch(value) else None
        if number is None or not least <= number <= most:
            raise BadValue(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return number

    return read


def decimal(least: str, most: str) -> Reader[Decimal]:
    """Return a reader of exact decimals from ``least`` to ``most`` with up to 6 decimals."""

    def read(node: yaml.Node) -> Decimal:
        value = _scalar(node)
        number = Decimal(value) if _DECIMAL.fullmatch(value) else None
        if (
            number is None
            or not Decimal(least) <= number <= Decimal(most)
            or len(value.partition(".")[2]) > 6
        ):
            raise BadValue(
                f"must be a number from {least} to {most} with up to 6 decimals, not {shown(value)}"
            )
        return number

    return read


def thousandths(most: str) -> Reader[int]:
    """Return a reader of numbers above 0 with up to 3 decimals, in thousandths."""

    def read(node: yaml.Node) -> int:
        value = _scalar(node)
        number = Decimal(value) if _DECIMAL.fullmatch(value) else None
        if number is None or not 0 < number <= Decimal(most) or number * 1000 % 1:
            raise BadValue(
                f"must be a number above 0, up to {most}, with up to 3 decimals, not {shown(value)}"
            )
        return int(number * 1000)

    return read


def degrees(most: int) -> Reader[float]:
    """Return a reader of degrees from -``most`` to ``most``."""

    def read(node: yaml.Node) -> float:
        value = _scalar(node)
        number = float(value) if _DECIMAL.fullmatch(value) else None
        if number is None or not -most <= number <= most:
            raise BadValue(f"must be degrees from -{most} to {most}, not {shown(value)}")
        return number

    return read


def timezone(node: yaml.Node) -> str:
    """Read the name of an IANA zone."""
    try:
        return parse_timezone(_scalar(node))
    except UnknownTimezone as error:
        raise BadValue(str(error)) from error


def iso_date(node: yaml.Node) -> str:
    """Read a date, as ``YYYY-MM-DD``."""
    return parse_date(_scalar(node)).isoformat()


def instant(zone: str) -> Reader[int]:
    """Return a reader of instants: a date is its first one in the zone, a naive time one there."""

    def read(node: yaml.Node) -> int:
        return local_instant(_scalar(node), zone)

    return read


def duration_s(node: yaml.Node) -> int:
    """Read how often something is expected, in seconds: a month is 31 days, a year 366."""
    value = _scalar(node)
    match = _DURATION.fullmatch(value)
    seconds = 0 if match is None else int(match[2]) * _SECONDS.get(match[1] + match[3], 0)
    if not 3_600 <= seconds <= _LONGEST_S:
        raise BadValue(
            "must be a duration of an hour to 400 days, such as PT6H, P1D, P1W, P1M or P3M, not "
            f"{shown(value)}"
        )
    return seconds


def interval_s(node: yaml.Node) -> int:
    """Read the length of intervals, in seconds."""
    value = _scalar(node)
    if value not in INTERVALS:
        raise BadValue(f"must be one of {', '.join(INTERVALS)}, not {shown(value)}")
    return INTERVALS[value]


def wiring(registers: Sequence[Register]) -> Reader[Mapping[Register, Register]]:
    """Return a reader of which raw register feeds which; none may feed two."""

    def read(node: yaml.Node) -> Mapping[Register, Register]:
        said = _by_register(node, registers, _raw_register)
        found = {register: raw for register, raw in said.items() if raw is not None}
        feeding = {found.get(register, register) for register in registers}
        if feeding != set(registers):
            raise BadValue(
                f"must give each of {', '.join(registers)} another one of them, "
                "such as {en_im: en_ex, en_ex: en_im}"
            )
        return found

    return read


def _raw_register(node: yaml.Node) -> Register | None:
    """Read which raw register feeds one, or a mapping that says from when; None: its own."""
    if not isinstance(node, yaml.MappingNode):
        return one_of(Register)(node)
    said = _said_of_register(node)
    return one_of(Register)(said["raw"]) if "raw" in said else None


def _said_of_register(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    said = {_scalar(key): value for key, value in node.value}
    if not said or not said.keys() <= {"from", "raw"}:
        raise BadValue("must be a register, or a mapping such as {from: 2026-03-16}")
    return said


def register_starts(registers: Sequence[Register], zone: str) -> Reader[Mapping[Register, int]]:
    """Return a reader of the instants from which a meter has registers, of those that say one."""

    def start(node: yaml.Node) -> int | None:
        if not isinstance(node, yaml.MappingNode):
            return None
        said = _said_of_register(node)
        return instant(zone)(said["from"]) if "from" in said else None

    def read(node: yaml.Node) -> Mapping[Register, int]:
        found = _by_register(node, registers, start)
        return {register: at for register, at in found.items() if at is not None}

    return read


def index_or_indexes(registers: Sequence[Register]) -> Reader[Decimal | Mapping[Register, Decimal]]:
    """Return a reader of an index [kWh, m3], of the main register or of each."""
    index = decimal("0", "9000000000")

    def read(node: yaml.Node) -> Decimal | Mapping[Register, Decimal]:
        if isinstance(node, yaml.MappingNode):
            return _by_register(node, registers, index)
        return index(node)

    return read


def indexes(registers: Sequence[Register]) -> Reader[Mapping[Register, Decimal]]:
    """Return a reader of an index [kWh, m3] of each register that is named."""

    def read(node: yaml.Node) -> Mapping[Register, Decimal]:
        return _by_register(node, registers, decimal("0", "9000000000"))

    return read


def _by_register(
    node: yaml.Node, registers: Sequence[Register], reader: Reader[T]
) -> dict[Register, T]:
    if not isinstance(node, yaml.MappingNode):
        raise BadValue(f"must be a mapping of {', '.join(registers)}")
    found: dict[Register, T] = {}
    for key, value in node.value:
        register = _scalar(key)
        if register not in registers:
            raise BadValue(f"{shown(register)} is no register here; use {', '.join(registers)}")
        if register in found:
            raise BadValue(f"{register} stands twice")
        found[Register(register)] = reader(value)
    return found
