"""The routes of operations, with the signatures from which FastAPI documents them."""

import re
from collections.abc import Awaitable, Callable, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from fastapi import Query as InQuery
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api import example_ids
from commonwatt.api.endpoint.fields import OBJECT_ID_PATTERN
from commonwatt.api.endpoint.operation import Operation
from commonwatt.api.http.documentation import problem_answers
from commonwatt.api.services import Services
from commonwatt.domain.metering.catalogue import Group

_TAG = "commonwatt"


def _in_path(description: str, example: Any, **limits: Any) -> Any:
    return Path(description=description, examples=[example], **limits)


_PATH_PARAMETERS = {
    "site_id": Annotated[
        str, _in_path("Id of the site.", example_ids.SITE, pattern=OBJECT_ID_PATTERN)
    ],
    "meter_id": Annotated[
        str, _in_path("Id of the meter.", example_ids.METER, pattern=OBJECT_ID_PATTERN)
    ],
    "finding_id": Annotated[str, _in_path("Id of the finding.", example_ids.FINDING)],
    "number": Annotated[int, _in_path("Number of the edit.", 3, ge=1, le=999_999_999)],
    "group": Annotated[Group, _in_path("The group.", Group.ELECTRICITY.value)],
}


def add_operations(router: APIRouter, services: Services, operations: Sequence[Operation]) -> None:
    """Add the route of each operation."""
    for each in operations:
        forms = {"application/json": {"example": each.example}, **each.answer_forms}
        router.add_api_route(
            each.path,
            _documented(each, services),
            methods=[each.method],
            tags=[_TAG],
            summary=each.summary,
            description=each.description,
            response_model=each.answer,
            response_description=each.answered,
            responses={200: {"content": forms}, **problem_answers(each.problems)},
            openapi_extra={"requestBody": {"content": each.body_forms}} if each.body_forms else {},
        )


def _documented(operation: Operation, services: Services) -> Callable[..., Awaitable[Response]]:
    """The function of a route, with the signature from which FastAPI documents what it takes."""

    async def endpoint(request: Request) -> Response:
        return await operation.respond(services, request)

    taken: dict[str, Any] = {
        name: _PATH_PARAMETERS[name] for name in re.findall(r"{(\w+)}", operation.path)
    }
    if operation.query is not None:
        taken["query"] = Annotated[operation.query, InQuery()]
    if operation.body is not None:
        taken["body"] = Annotated[
            operation.body, Body(openapi_examples={"example": {"value": operation.body_example}})
        ]
    endpoint.__name__ = operation.name
    endpoint.__signature__ = Signature(  # type: ignore[attr-defined]  # what inspect reads first
        [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in taken.items()
        ]
    )
    return endpoint
