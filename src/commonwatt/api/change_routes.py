"""Our own surface: devices, resolutions and edits."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api import change_docs as docs
from commonwatt.api import own_devices, own_edits, own_resolutions
from commonwatt.api.endpoint.change import respond_to_change
from commonwatt.api.endpoint.endpoint import Endpoint, respond
from commonwatt.api.endpoint.plain_route import PlainRoute
from commonwatt.api.own_routes import PREFIX
from commonwatt.api.services import Services

_DEVICES = f"{PREFIX}/meters/{{meter_id}}/devices"
_RESOLVE = f"{PREFIX}/findings/{{finding_id}}/resolve"
_EDITS = f"{PREFIX}/edits"
_EDIT = f"{PREFIX}/edits/{{number}}"

DEVICES = Endpoint(
    route=_DEVICES, parse=own_devices.parse_devices, answer=own_devices.answer_devices
)
RESOLUTIONS = Endpoint(
    route=f"{PREFIX}/resolutions",
    parse=own_resolutions.parse_resolutions,
    answer=own_resolutions.answer_resolutions,
)
EDITS = Endpoint(route=_EDITS, parse=own_edits.parse_edits, answer=own_edits.answer_edits)


def change_router(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, redirect_slashes=False, route_class=PlainRoute)

    @router.get("/meters/{meter_id}/devices", **docs.GET_DEVICES)
    async def get_devices(request: Request) -> Response:
        return await respond(services, request, DEVICES)

    @router.put("/meters/{meter_id}/devices", **docs.PUT_DEVICES)
    async def put_devices(request: Request) -> Response:
        return await respond_to_change(services, request, _DEVICES, own_devices.put_devices)

    @router.get("/resolutions", **docs.GET_RESOLUTIONS)
    async def get_resolutions(request: Request) -> Response:
        return await respond(services, request, RESOLUTIONS)

    @router.post("/findings/{finding_id}/resolve", **docs.POST_RESOLUTION)
    async def post_resolution(request: Request) -> Response:
        return await respond_to_change(services, request, _RESOLVE, own_resolutions.post_resolution)

    @router.delete("/findings/{finding_id}/resolve", **docs.DELETE_RESOLUTION)
    async def delete_resolution(request: Request) -> Response:
        return await respond_to_change(
            services, request, _RESOLVE, own_resolutions.delete_resolution
        )

    @router.get("/edits", **docs.GET_EDITS)
    async def get_edits(request: Request) -> Response:
        return await respond(services, request, EDITS)

    @router.post("/edits", **docs.POST_EDIT)
    async def post_edit(request: Request) -> Response:
        return await respond_to_change(services, request, _EDITS, own_edits.post_edit)

    @router.delete("/edits/{number}", **docs.DELETE_EDIT)
    async def delete_edit(request: Request) -> Response:
        return await respond_to_change(services, request, _EDIT, own_edits.delete_edit)

    return router
