"""The models of our own surface: queries and bodies are read, answers written, by them.

Unknown keys and parameters are refused, never ignored. Numbers of a body are taken as they are
written, so 0.1 is the decimal 0.1.
"""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from commonwatt.api.http.problems import InvalidInput
from commonwatt.formats.errors import UnreadableBody
from commonwatt.formats.readings.json_rows import unknown_key

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class WrongKey(ValueError):
    """A key of an object that does not fit the others."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key[:40]


class Query(BaseModel):
    """The parameters of a query."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Body(BaseModel):
    """An object of a body; null counts as absent where a key may be absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _require_known_keys(cls, value: object) -> object:
        known = _keys(cls)
        if not isinstance(value, dict):
            raise ValueError(  # noqa: TRY004  # pydantic takes this one for what is wrong
                f"must be an object with {', '.join(known)}"
            )
        for key in value:
            if key not in known:
                raise WrongKey(key, f"is an {unknown_key(key, known)}")
        return {key: each for key, each in value.items() if each is not None}


class Answer(BaseModel):
    """An object of an answer; what is not known is null."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)


def read_query(model: type[M], query: Sequence[tuple[str, str]]) -> M:
    """Read the parameters of a query. Raises InvalidInput, also for one that is given twice."""
    known = _keys(model)
    found: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "there is none here"
            raise InvalidInput(name, f"{name[:60]!r} is no parameter; {there_are}")
        if name in found:
            raise InvalidInput(name, f"{name} is given twice")
        found[name] = value
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _refusal(error) from error


def read_body(shape: type[T], body: bytes, name: str = "") -> T:
    """Read a body of JSON; ``name`` is what a list is called in messages.

    Raises UnreadableBody where it is not JSON, and InvalidInput with the field that is wrong.
    """
    document = json_document(body)
    try:
        return TypeAdapter(shape).validate_python(document)
    except ValidationError as error:
        raise _refusal(error, name) from error


def to_json(answer: BaseModel | Sequence[BaseModel] | None) -> bytes:
    """Write an answer; decimals as they are, without trailing zeros."""
    if answer is None or isinstance(answer, BaseModel):
        plain: object = None if answer is None else answer.model_dump()
    else:
        plain = [each.model_dump() for each in answer]
    return orjson.dumps(plain, default=_decimal_text, option=orjson.OPT_NON_STR_KEYS)


def json_document(body: bytes) -> object:
    """Return what a JSON text says, numbers with a fraction as decimals. Raises UnreadableBody.

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


def _decimal_text(value: object) -> orjson.Fragment:
    assert isinstance(value, Decimal), "nothing else is answered"
    return orjson.Fragment(format(value.normalize(), "f").encode())


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _refusal(error: ValidationError, name: str = "") -> InvalidInput:
    """Tell the first thing that is wrong: which field, and what would be right."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    path = [*first["loc"], cause.key] if isinstance(cause, WrongKey) else first["loc"]
    field = _field_name(path, name) if path else "body"
    return InvalidInput(field, f"{field} {_what_is_right(first)}")


def _field_name(path: Sequence[int | str], name: str) -> str:
    """Write a path as in `devices[0].start_index.en_im`."""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
        elif part != "[key]":
            name += f".{part}" if name else part
    # A key may have half a character, which no answer can carry.
    return name.encode("utf-8", "replace").decode()


def _what_is_right(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] in _IN_WORDS:
        return _IN_WORDS[error["type"]].format_map(error.get("ctx", {}))
    return error["msg"].replace("Input should", "must", 1)


_IN_WORDS = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "string_unicode": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
