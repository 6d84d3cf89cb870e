"""A request and the answer that came, with what may be shown of them."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

_SHOWN = 400
_LARGEST_EXPONENT = 308
_HALF_LETTER = re.compile(r"\\u[dD][89a-fA-F]")


class Bearer(Enum):
    """Which token a request carries."""

    TOKEN = auto()
    NONE = auto()
    FORGED = auto()
    FIRST = auto()
    """The token of the first sign-in, expired or not."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``route`` names the published endpoint, ``body`` is JSON text."""

    route: str
    method: str
    path: str
    body: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    bearer: Bearer = Bearer.TOKEN


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer.

    ``content`` is the parsed JSON (numbers with a point are Decimals of the very digits sent), or
    None with a ``fault`` that says why it cannot be read. ``began_at`` and ``ended_at`` are seconds
    of a monotonic clock. ``sent`` and ``came`` are texts to show, without passwords and tokens.
    """

    request: Request
    status: int
    content: object
    fault: str | None
    began_at: float
    ended_at: float
    sent: str
    came: str

    @property
    def is_answered(self) -> bool:
        """Whether it is a success with readable JSON."""
        return self.status == 200 and self.fault is None

    @property
    def is_refused(self) -> bool:
        """Whether the server refused, and did not fail: any status from 400 to 499."""
        return 400 <= self.status < 500

    @property
    def tells_something(self) -> bool:
        """Whether it is a success with more in it than an empty list or object."""
        return self.status == 200 and self.content not in ([], {}, None)


def read_json(text: str) -> object:
    """Parse JSON, keeping the digits of numbers; NaN and Infinity are no JSON.

    Nor is what a program that reads it could not use: halves of letters, numbers beyond any
    binary one, hundreds of lists within each other.

    >>> read_json("[0.070, 1]")
    [Decimal('0.070'), 1]
    >>> read_json("[NaN]")
    Traceback (most recent call last):
    ValueError: NaN is no JSON
    """
    try:
        content: object = json.loads(text, parse_float=_decimal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too many lists and objects within each other") from None
    if _HALF_LETTER.search(text):
        json.dumps(content, ensure_ascii=False, default=str).encode()
    return content


def _decimal(digits: str) -> Decimal:
    found = Decimal(digits)
    if found.adjusted() > _LARGEST_EXPONENT:
        raise ValueError(f"{digits} is no number")
    return found


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def shown(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A text for a report: without secrets, and its beginning only where it is long.

    >>> shown('{"password": "correct horse"}', ("correct horse",))
    '{"password": "***"}'
    """
    forms = set(filter(None, secrets))
    for _ in range(2):  # as text of JSON, and as text in such a text
        forms |= {json.dumps(form, ensure_ascii=b)[1:-1] for form in forms for b in (True, False)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
