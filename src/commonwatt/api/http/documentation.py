"""How an operation is documented: what it takes, what it answers, and every problem it may tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from commonwatt.api.http import problems
from commonwatt.api.http.problems import PROBLEM_TYPE
from commonwatt.app.errors import ErrorKind

# JSON schema fragments are whatever JSON is.
Fragment = dict[str, Any]

PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a 200 carries: a pydantic model or a type of several, in words, and an example."""

    model: Any
    description: str
    example: Any


class Operation(TypedDict):
    """What FastAPI is told of an operation, in the words of its decorators."""

    summary: str
    description: str
    tags: list[str | Any]
    response_model: Any
    response_description: str
    responses: dict[int | str, dict[str, Any]]
    openapi_extra: Fragment


_ALWAYS = (problems.INTERNAL, problems.STORE_BUSY)
READING = (problems.NOT_SIGNED_IN, problems.ROLE_FORBIDS, *_ALWAYS)
"""Problems of whatever needs a token."""
SITE = (*READING, problems.UNKNOWN_SITE)
"""Problems of whatever names a site."""
COUNTED = problems.TOO_MANY_REQUESTS

_HEADERS_OF: Mapping[int, Fragment] = {
    401: {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait [s].", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds to wait [s].", "schema": {"type": "integer"}}},
}


def parameter(
    name: str, description: str, schema: Fragment, *, where: str, example: str
) -> Fragment:
    """A parameter of a path (required) or a query (optional).

    Only what is required has its example filled in where an operation is tried out: nothing else
    is asked for unless somebody means it.
    """
    described = {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
    }
    if where == "path":
        return {**described, "example": example}
    return {**described, "description": f"{description} Such as `{example}`."}


def period_body(schema: Fragment, lately: Fragment, period: Fragment) -> Fragment:
    """A body that may name a period; the example without one, filled in, is right at any time."""
    examples = {
        "lately": {"summary": "Without a period", "value": lately},
        "period": {"summary": "A period", "value": {**period, **lately}},
    }
    return {
        "required": False,
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }


def operation(
    *,
    tag: str,
    summary: str,
    description: str,
    answer: Answer,
    problems: Sequence[ErrorKind],
    parameters: Sequence[Fragment] = (),
    body: Fragment | None = None,
    other_forms: Fragment | None = None,
) -> Operation:
    """Document an operation; ``answer`` is its 200, ``problems`` all that it may be refused for.

    ``other_forms`` are what the 200 may be besides JSON, by media type.
    """
    extra: Fragment = {}
    if parameters:
        extra["parameters"] = list(parameters)
    if body is not None:
        extra["requestBody"] = body
    forms = {"application/json": {"example": answer.example}, **(other_forms or {})}
    ok: Fragment = {"content": forms}
    return {
        "summary": summary,
        "description": description,
        "tags": [tag],
        "response_model": answer.model,
        "response_description": answer.description,
        "responses": {200: ok, **problem_answers(problems)},
        "openapi_extra": extra,
    }


def problem_answers(problems: Sequence[ErrorKind]) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation that are problems, by status."""
    by_status: dict[int, list[ErrorKind]] = {}
    for kind in sorted(set(problems), key=lambda each: (each.status, each.slug)):
        by_status.setdefault(kind.status, []).append(kind)
    answers: dict[int | str, dict[str, Any]] = {}
    for status, kinds in by_status.items():
        answers[status] = {
            "description": ". ".join(kind.title for kind in kinds) + ".",
            "content": {
                PROBLEM_TYPE: {
                    "schema": PROBLEM_REF,
                    "examples": {kind.slug: {"value": _example(kind)} for kind in kinds},
                }
            },
        }
        if status in _HEADERS_OF:
            answers[status]["headers"] = _HEADERS_OF[status]
    return answers


def _example(kind: ErrorKind) -> Fragment:
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": "What exactly is wrong, and what would be right.",
    }


def problem_schema() -> Fragment:
    """The schema of problem details."""
    texts = {
        "type": "URN of the kind of error; it never changes its meaning.",
        "title": "The kind of error in words, for people.",
        "detail": "What is wrong with this request, and what would be right.",
        "field": "The parameter, key or path part that is meant, where one is.",
    }
    properties: Fragment = {
        name: {"type": "string", "description": text} for name, text in texts.items()
    }
    properties["status"] = {
        "type": "integer",
        "description": "The status of the answer once more.",
        "minimum": 400,
        "maximum": 599,
    }
    return {
        "type": "object",
        "title": "Problem",
        "description": "An error, as problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": properties,
    }
