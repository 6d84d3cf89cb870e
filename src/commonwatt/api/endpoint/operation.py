"""An operation of our own surface: how it is answered, and the models that document it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.http import problems
from commonwatt.api.http.documentation import COUNTED, SITE, Fragment
from commonwatt.api.services import Services
from commonwatt.app.errors import ErrorKind

SITE_PATH = "/commonwatt/v1/sites/{site_id}"
LIMITED = " At most one request a second per account."

READING = (*SITE, COUNTED, problems.INVALID_INPUT)
"""Problems of whatever is read."""
CHANGING = (
    *READING,
    problems.BROKEN_REQUEST,
    problems.TOO_LARGE,
    problems.WRONG_CONTENT_TYPE,
    problems.STORE_FULL,
)
"""Problems of whatever is changed."""
OF_METER = (problems.UNKNOWN_METER, problems.CLOSED_METER)
"""Problems of whatever names a meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path, how it is answered, and what the OpenAPI document says of it.

    ``query``, ``body`` and ``answer`` are the models that read and write it; ``problems`` all that
    it may be refused for. ``body_forms`` and ``answer_forms`` are what body and 200 may be besides
    JSON, by media type.
    """

    name: str
    method: str
    path: str
    respond: Callable[[Services, Request], Awaitable[Response]]
    summary: str
    description: str
    query: type[BaseModel] | None = None
    body: Any = None
    body_example: Any = None
    body_forms: Fragment = field(default_factory=dict)
    answer: Any
    answered: str
    example: Any
    answer_forms: Fragment = field(default_factory=dict)
    problems: Sequence[ErrorKind]
