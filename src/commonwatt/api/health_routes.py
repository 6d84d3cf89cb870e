"""Whether the service lives and can reach its store: for supervisors and load balancers."""

import anyio.to_thread
from fastapi import APIRouter
from starlette.responses import Response

from commonwatt.api import problems
from commonwatt.api.documentation import Answer, operation
from commonwatt.api.json_answers import JSON_TYPE
from commonwatt.api.own_models import Health
from commonwatt.api.services import Services
from commonwatt.app.store_errors import StoreUnreachable

_OK = b'{"status":"ok"}'
_HEALTH = operation(
    tag="Health",
    summary="Whether it lives",
    description="Answers as long as the process does.",
    answer=Answer(Health, "It lives.", {"status": "ok"}),
    told=(problems.INTERNAL,),
)
_READY = operation(
    tag="Health",
    summary="Whether it can answer",
    description="Answers once the store can be reached.",
    answer=Answer(Health, "It can.", {"status": "ok"}),
    told=(problems.INTERNAL, problems.STORE_BUSY),
)


def health_router(services: Services) -> APIRouter:
    """The routes; neither asks for a token, neither tells any detail."""
    router = APIRouter(redirect_slashes=False)

    @router.head("/health", include_in_schema=False)
    @router.get("/health", **_HEALTH)
    async def health() -> Response:
        return Response(_OK, media_type=JSON_TYPE)

    @router.head("/ready", include_in_schema=False)
    @router.get("/ready", **_READY)
    async def ready() -> Response:
        if not await anyio.to_thread.run_sync(services.store.ready, limiter=services.reading):
            raise StoreUnreachable("the store cannot be reached")
        return Response(_OK, media_type=JSON_TYPE)

    return router
