"""Whether the service lives and can reach its store: for supervisors and load balancers."""

from functools import partial
from typing import Literal

import anyio.to_thread
import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.http import problems
from commonwatt.api.http.documentation import Answer, operation
from commonwatt.api.http.json_answers import JSON_TYPE
from commonwatt.api.server.connections import CONNECTIONS, Connections
from commonwatt.api.services import Services
from commonwatt.app.operation.check import Writing, read_as_answers_do


class Health(BaseModel):
    """Whether it lives."""

    status: Literal["ok"] = Field(description="Always ok.")


class Readiness(BaseModel):
    """Whether it can answer, and what it cannot do."""

    status: Literal["ok", "limited"] = Field(
        description="limited: questions are answered, but something else does not work."
    )
    connections: Literal["ok", "short"] = Field(
        description="short: within the last minute there were too many, or no file could be opened."
    )
    writing: Literal["ok", "busy", "full", "failing"] = Field(
        description="What became of the last try to write, at most a few seconds ago: busy while "
        "others write, full without room on the disk, failing for all else."
    )


_OK = b'{"status":"ok"}'
_HEALTH = operation(
    tag="Health",
    summary="Whether it lives",
    description="Answers as long as the process does.",
    answer=Answer(Health, "It lives.", {"status": "ok"}),
    problems=(problems.INTERNAL,),
)
_ALL_WELL = {"status": "ok", "writing": "ok", "connections": "ok"}
_READY = operation(
    tag="Health",
    summary="Whether it can answer",
    description="Reads what an answer about today needs, on the way that answers take, and tries "
    "now and then to write. 503 where reading fails. Where only writing fails, or connections ran "
    "out lately, questions go on being answered, so it is 200 and says so in `status`.",
    answer=Answer(Readiness, "Questions are answered.", _ALL_WELL),
    problems=(problems.INTERNAL, problems.STORE_BUSY),
)
_WAIT_FOR_READING_S = 5.0
_WAIT_FOR_WRITING_S = 1.0


def health_router(services: Services) -> APIRouter:
    """The routes; neither asks for a token, neither tells any detail."""
    router = APIRouter(redirect_slashes=False)

    @router.head("/health", include_in_schema=False)
    @router.get("/health", **_HEALTH)
    async def health() -> Response:
        return Response(_OK, media_type=JSON_TYPE)

    @router.head("/ready", include_in_schema=False)
    @router.get("/ready", **_READY)
    async def ready(request: Request) -> Response:
        now = services.clock()
        reading = partial(read_as_answers_do, services.store, now)
        await services.read_in_time(reading, _WAIT_FOR_READING_S)
        writing = await _writing(services, now)
        open_connections: Connections | None = request.scope.get("state", {}).get(CONNECTIONS)
        are_short = open_connections is not None and open_connections.are_short
        works = writing is Writing.OK and not are_short
        body = orjson.dumps(
            {
                "status": "ok" if works else "limited",
                "writing": writing,
                "connections": "short" if are_short else "ok",
            }
        )
        return Response(body, media_type=JSON_TYPE)

    return router


async def _writing(services: Services, now: float) -> Writing:
    """What became of the last try to write; of one that takes long, what is known of it later."""
    check = services.writing_check
    if check.is_due(now):
        with anyio.move_on_after(_WAIT_FOR_WRITING_S) as waiting:
            return await anyio.to_thread.run_sync(
                check.try_now, now, limiter=services.writing, abandon_on_cancel=True
            )
        if waiting.cancelled_caught and check.last is Writing.OK:
            return Writing.BUSY
    return check.last
