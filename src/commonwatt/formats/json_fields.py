"""JSON objects read field by field: the first thing wrong is told with its field.

Numbers are taken as they are written, so 0.1 is the decimal 0.1. Unknown keys are refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from commonwatt.app.errors import INVALID_INPUT, CommonwattError
from commonwatt.formats.errors import BadValue, UnreadableBody, shown
from commonwatt.formats.readings.json_rows import unknown_key
from commonwatt.formats.stamps.instants import parse_instant

_TEXT_LENGTH_MAX = 200

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[object], T]
"""Turns a JSON value into what it says, or raises `BadValue` with what would be right."""


class BadField(CommonwattError):
    """A field of a JSON body that cannot be used; the message says what would be right."""

    kind = INVALID_INPUT

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


def json_document(body: bytes) -> object:
    """Return what a JSON text says, numbers with a fraction as decimals. Raises `UnreadableBody`.

    >>> json_document(b"[0.1, 2]")
    [Decimal('0.1'), 2]
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=_decimal)
    except json.JSONDecodeError as error:
        raise UnreadableBody(error.lineno, error.colno, f"not JSON: {error.msg}") from error
    except RecursionError as error:
        raise UnreadableBody(0, 0, "not JSON: nested too deep") from error
    except ValueError as error:  # not UTF-8, or a whole number with thousands of digits
        raise UnreadableBody(0, 0, f"not JSON: {error}") from error


def _decimal(number: str) -> Decimal:
    """Read a number; of one whose exponent no decimal has, an infinite one, which nothing takes."""
    try:
        return Decimal(number)
    except InvalidOperation:
        return Decimal("-Infinity" if number.startswith("-") else "Infinity")


class JsonFields:
    """The fields of an object; ``where`` names the object in messages, empty for the body."""

    def __init__(self, value: object, known: Sequence[str], where: str = "") -> None:
        self._where = where
        if not isinstance(value, dict):
            raise BadField(where or "body", f"must be an object with {', '.join(known)}")
        for key in value:
            if key not in known:
                raise BadField(self._name(key[:40]), f"is an {unknown_key(key, known)}")
        self._values: dict[str, object] = value

    def optional(self, key: str, reader: Reader[T]) -> T | None:
        """Return a field's value, None where it is absent or null."""
        value = self._values.get(key)
        if value is None:
            return None
        try:
            return reader(value)
        except BadValue as fault:
            raise BadField(self._name(key), str(fault)) from fault

    def required(self, key: str, reader: Reader[T]) -> T:
        """Return a field's value; it must be there."""
        value = self.optional(key, reader)
        if value is None:
            raise BadField(self._name(key), "is missing")
        return value

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def text(value: object) -> str:
    """Read text that can be shown in a line."""
    if not isinstance(value, str) or not value.strip().isprintable():
        raise BadValue(f"must be text, not {shown(value)}")
    if not 0 < len(value.strip()) <= _TEXT_LENGTH_MAX:
        raise BadValue(f"must be text of 1 to {_TEXT_LENGTH_MAX} letters")
    return value.strip()


def instant(value: object) -> int:
    """Read an instant [Unix seconds]; naive is UTC."""
    seconds, _, _ = parse_instant(value)
    return seconds


def boolean(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise BadValue(f"must be true or false, not {shown(value)}")
    return value


def whole(least: int, most: int) -> Reader[int]:
    """Return a reader of whole numbers from ``least`` to ``most``."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadValue(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return value

    return read


def decimal(least: str, most: str, places: int = 6) -> Reader[Decimal]:
    """Return a reader of exact decimals from ``least`` to ``most`` with up to ``places``.

    >>> decimal("0", "10")(Decimal("1.50"))
    Decimal('1.50')
    """

    def read(value: object) -> Decimal:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and Decimal(least) <= number <= Decimal(most):
                exponent = number.normalize().as_tuple().exponent
                if isinstance(exponent, int) and exponent >= -places:
                    return number
        raise BadValue(
            f"must be a number from {least} to {most} with up to {places} decimals, "
            f"not {shown(value)}"
        )

    return read


def one_of(kind: type[E]) -> Reader[E]:
    """Return a reader of the words of an enumeration."""

    def read(value: object) -> E:
        if not isinstance(value, str) or value not in list(kind):
            raise BadValue(f"must be one of {', '.join(kind)}, not {shown(value)}")
        return kind(value)

    return read


def by_name(names: Sequence[str], reader: Reader[T]) -> Reader[Mapping[str, T]]:
    """Return a reader of an object with a value of the same kind for each of some names."""

    def read(value: object) -> Mapping[str, T]:
        if not isinstance(value, dict) or not all(name in names for name in value):
            raise BadValue(f"must be an object of {', '.join(names)}")
        return {name: reader(each) for name, each in value.items()}

    return read
