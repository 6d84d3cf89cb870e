"""What /auth is sent: a name and a password, as JSON or as a form."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from commonwatt.api.http.problems import InvalidInput
from commonwatt.formats.readings.bodies import UnknownContentType

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password, not yet verified."""

    username: str
    password: str


def parse_credentials(body: bytes, content_type: str) -> Credentials:
    """Read them from a body. Raises InvalidInput, which names the field but never repeats it.

    >>> parse_credentials(b"username=anna&password=secret", "application/x-www-form-urlencoded")
    Credentials(username='anna', password='secret')
    """
    essence = content_type.partition(";")[0].strip().lower()
    if essence.startswith(_MULTIPART):
        raise UnknownContentType(essence)
    fields = _form(body) if essence == _FORM else _json(body)
    return Credentials(_text(fields, "username"), _text(fields, "password"))


def _form(body: bytes) -> dict[str, object]:
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=20,
        )
    except ValueError:
        raise InvalidInput("body", "the body must be a form: username=…&password=…") from None
    return dict(fields)


def _json(body: bytes) -> dict[str, object]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise InvalidInput("body", 'the body must be JSON: {"username": "…", "password": "…"}')
    return fields


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidInput(name, f"{name} must be given, as text")
    return value
