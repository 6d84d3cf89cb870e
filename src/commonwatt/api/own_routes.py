"""Our own surface: readings in, and what explains the answers."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api import explanation_docs, own_explanations, own_series, own_state
from commonwatt.api import own_docs as docs
from commonwatt.api.endpoint.endpoint import Endpoint, always_costly, never_quick, respond
from commonwatt.api.endpoint.plain_route import PlainRoute
from commonwatt.api.own_deliveries import take_delivery, take_readings, take_sensor_values
from commonwatt.api.services import Services

PREFIX = "/commonwatt/v1/sites/{site_id}"

SERIES = Endpoint(
    route=f"{PREFIX}/meters/{{meter_id}}/series",
    parse=own_series.parse_series,
    answer=own_series.answer_series,
    is_quick=own_series.is_quick_series,
    is_costly=own_series.is_costly_series,
    weight=own_series.weight_of_series,
)
BALANCE = Endpoint(
    route=f"{PREFIX}/balance",
    parse=own_series.parse_balance,
    answer=own_series.answer_balance,
    is_quick=own_series.is_quick_balance,
    is_costly=own_series.is_costly_series,
    weight=own_series.weight_of_series,
)
STATUS = Endpoint(
    route=f"{PREFIX}/status",
    parse=own_state.parse_status,
    answer=own_state.answer_status,
    is_quick=never_quick,
)
FINDINGS = Endpoint(
    route=f"{PREFIX}/findings",
    parse=own_state.parse_findings,
    answer=own_state.answer_findings,
    is_quick=never_quick,
)


EXPLAIN = Endpoint(
    route=f"{PREFIX}/explain",
    parse=own_explanations.parse_explain,
    answer=own_explanations.answer_explain,
    is_quick=never_quick,
    is_costly=always_costly,
)
WORKLIST = Endpoint(
    route=f"{PREFIX}/worklist",
    parse=own_explanations.parse_worklist,
    answer=own_explanations.answer_worklist,
    is_quick=never_quick,
    is_costly=always_costly,
)


def own_router(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, redirect_slashes=False, route_class=PlainRoute)

    @router.put("/readings", **docs.READINGS)
    async def put_readings(request: Request) -> Response:
        route = f"{PREFIX}/readings"
        return await take_delivery(services, request, route, take_readings, "quality", "replaces")

    @router.put("/sensor_readings", **docs.SENSOR_READINGS)
    async def put_sensor_readings(request: Request) -> Response:
        route = f"{PREFIX}/sensor_readings"
        return await take_delivery(services, request, route, take_sensor_values)

    @router.get("/meters/{meter_id}/series", **docs.SERIES)
    async def series(request: Request) -> Response:
        return await respond(services, request, SERIES)

    @router.get("/balance", **docs.BALANCE)
    async def balance(request: Request) -> Response:
        return await respond(services, request, BALANCE)

    @router.get("/status", **docs.STATUS)
    async def status(request: Request) -> Response:
        return await respond(services, request, STATUS)

    @router.get("/findings", **docs.FINDINGS)
    async def findings(request: Request) -> Response:
        return await respond(services, request, FINDINGS)

    @router.get("/explain", **explanation_docs.EXPLAIN)
    async def explain(request: Request) -> Response:
        return await respond(services, request, EXPLAIN)

    @router.get("/worklist", **explanation_docs.WORKLIST)
    async def worklist(request: Request) -> Response:
        return await respond(services, request, WORKLIST)

    return router
