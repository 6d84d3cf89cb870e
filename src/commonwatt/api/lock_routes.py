"""Our own surface: locks, and what differs from what is locked."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api import lock_docs as docs
from commonwatt.api import own_locks
from commonwatt.api.endpoint.change import respond_to_change
from commonwatt.api.endpoint.endpoint import Endpoint, always_costly, never_quick, respond
from commonwatt.api.endpoint.plain_route import PlainRoute
from commonwatt.api.own_routes import PREFIX
from commonwatt.api.services import Services

_LOCK = f"{PREFIX}/locks/{{group}}"
_UNLOCK = f"{PREFIX}/locks/{{group}}/unlock"

LOCKS = Endpoint(
    route=f"{PREFIX}/locks", parse=own_locks.parse_locks, answer=own_locks.answer_locks
)
DIFFERENCES = Endpoint(
    route=f"{PREFIX}/differences",
    parse=own_locks.parse_differences,
    answer=own_locks.answer_differences,
    is_quick=never_quick,
    is_costly=always_costly,
)


def lock_router(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, redirect_slashes=False, route_class=PlainRoute)

    @router.get("/locks", **docs.GET_LOCKS)
    async def get_locks(request: Request) -> Response:
        return await respond(services, request, LOCKS)

    @router.put("/locks/{group}", **docs.PUT_LOCK)
    async def put_lock(request: Request) -> Response:
        return await respond_to_change(services, request, _LOCK, own_locks.put_lock)

    @router.post("/locks/{group}/unlock", **docs.POST_UNLOCK)
    async def post_unlock(request: Request) -> Response:
        return await respond_to_change(services, request, _UNLOCK, own_locks.post_unlock)

    @router.get("/differences", **docs.DIFFERENCES)
    async def differences(request: Request) -> Response:
        return await respond(services, request, DIFFERENCES)

    return router
