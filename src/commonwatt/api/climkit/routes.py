"""The published Climkit Developer API v1: nine endpoints, nothing more."""

import logging
from functools import partial

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.climkit import documentation as docs
from commonwatt.api.climkit import lists, series
from commonwatt.api.climkit.sign_in import parse_credentials
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    bearer_of,
    identify,
    limit_rate,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.plain_route import PlainRoute
from commonwatt.api.http.bodies import QUERY_LIMIT, read_body
from commonwatt.api.http.json_answers import JSON_TYPE, json_answer
from commonwatt.api.http.throttled_log import ThrottledLog, address_of
from commonwatt.api.services import Services
from commonwatt.app.accounts.authorize import Action, require_action
from commonwatt.app.accounts.sign_in import TooManySignIns, WrongSignIn
from commonwatt.climkit_v1 import answers

PREFIX = "/api/v1"
_LOG = ThrottledLog(logging.getLogger(__name__))
_NO_ADDRESS = "unknown"

METER_DATA = Endpoint(
    route="/api/v1/meter_data/{site_id}/{meter_id}",
    parse=series.parse_meter_data,
    answer=series.answer_meter_data,
    is_quick=series.is_quick_meter_data,
)
SITE_DATA = Endpoint(
    route="/api/v1/site_data/{site_id}/{meter_type}",
    parse=series.parse_site_data,
    answer=series.answer_site_data,
    is_quick=series.is_quick_site_data,
)
METER_DATA_RAW = Endpoint(
    route="/api/v1/meter_data_raw/{site_id}/{meter_id}",
    parse=series.parse_raw,
    answer=series.answer_raw,
    is_quick=never_quick,
)
SENSOR_DATA = Endpoint(
    route="/api/v1/{site_id}/sensor_data/{sensor_id}",
    parse=series.parse_sensor_data,
    answer=series.answer_sensor_data,
    is_quick=never_quick,
)
INSTALLATION_INFOS = Endpoint(
    route="/api/v1/installation_infos/{site_id}",
    parse=lists.no_query,
    answer=lists.answer_installation_infos,
)
METER_INFO = Endpoint(
    route="/api/v1/meter_info/{site_id}",
    parse=lists.no_query,
    answer=lists.answer_meter_info,
)
SENSORS_LIST = Endpoint(route=None, parse=lists.no_query, answer=lists.answer_sensors_list)


def climkit_router(services: Services) -> APIRouter:
    """The routes, most asked first."""
    router = APIRouter(prefix=PREFIX, redirect_slashes=False, route_class=PlainRoute)

    @router.post("/meter_data/{site_id}/{meter_id}", **docs.METER_DATA)
    async def meter_data(request: Request) -> Response:
        return await respond(services, request, METER_DATA)

    @router.post("/site_data/{site_id}/{meter_type}", **docs.SITE_DATA)
    async def site_data(request: Request) -> Response:
        return await respond(services, request, SITE_DATA)

    @router.post("/meter_data_raw/{site_id}/{meter_id}", **docs.METER_DATA_RAW)
    async def meter_data_raw(request: Request) -> Response:
        return await respond(services, request, METER_DATA_RAW)

    @router.post("/auth", **docs.AUTH)
    async def auth(request: Request) -> Response:
        return await _sign_in(services, request)

    @router.get("/all_installations", **docs.ALL_INSTALLATIONS)
    async def all_installations(request: Request) -> Response:
        work = partial(_all_installations, services, bearer_of(request))
        content = await services.read_in_time(work)
        return await json_answer(request, content)

    @router.get("/installation_infos/{site_id}", **docs.INSTALLATION_INFOS)
    async def installation_infos(request: Request) -> Response:
        return await respond(services, request, INSTALLATION_INFOS)

    @router.get("/meter_info/{site_id}", **docs.METER_INFO)
    async def meter_info(request: Request) -> Response:
        return await respond(services, request, METER_INFO)

    @router.get("/{site_id}/sensors_list", **docs.SENSORS_LIST)
    async def sensors_list(request: Request) -> Response:
        return await respond(services, request, SENSORS_LIST)

    @router.get("/{site_id}/sensor_data/{sensor_id}", **docs.SENSOR_DATA)
    async def sensor_data(request: Request) -> Response:
        return await respond(services, request, SENSOR_DATA)

    return router


async def _sign_in(services: Services, request: Request) -> Response:
    body = await read_body(request, QUERY_LIMIT)
    credentials = parse_credentials(body, request.headers.get("content-type", JSON_TYPE))
    address = request.client.host if request.client else _NO_ADDRESS
    try:
        issued = await services.sign_in.off_loop(
            credentials.username, credentials.password, address, now=services.clock()
        )
    except WrongSignIn as error:
        who = error.account or "an unknown account"
        _LOG.warn("%s: sign-in of %s refused", address_of(request), who)
        raise
    except TooManySignIns:
        _LOG.warn("%s: sign-in refused, too many", address_of(request))
        raise
    answer = answers.auth_answer(issued.token, issued.valid_until_at)
    return Response(
        orjson.dumps(answer), headers={"Cache-Control": "no-store"}, media_type=JSON_TYPE
    )


def _all_installations(services: Services, bearer: str | None) -> bytes:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, None)
        limit_rate(services, access, "/api/v1/all_installations")
        require_action(access, Action.READ)
        granted = snapshot.granted_sites(access.account)
        sites = [(services.catalogues.of(snapshot, each), each.scope) for each in granted]
        return lists.all_installations(snapshot, sites, access)
