"""The HTTP application: the published surface, our own, health, documentation."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from commonwatt import __version__
from commonwatt.api.climkit.routes import climkit_router
from commonwatt.api.endpoint.health import health_router
from commonwatt.api.endpoint.plain_route import PlainRoute
from commonwatt.api.endpoint.routes import add_operations
from commonwatt.api.http.cut_off import TellCutOff
from commonwatt.api.http.error_handlers import add_error_handlers
from commonwatt.api.http.headers import AnswerHeaders
from commonwatt.api.openapi import complete_openapi
from commonwatt.api.own import (
    devices,
    edits,
    explain,
    findings,
    locks,
    readings,
    resolutions,
    series,
    status,
    worklist,
)
from commonwatt.api.pages.docs_page import add_docs_page
from commonwatt.api.pages.start_page import add_start_page
from commonwatt.api.services import Services

_OWN = (readings, series, status, findings, resolutions, explain, worklist, devices, edits, locks)
"""The modules of our own surface, in the order of the documentation."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(services: Services, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the application; ``lifespan`` runs what lives as long as it does."""
    app = FastAPI(
        title="commonwatt",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    # Not included but taken over: an included router is asked anew on every request.
    for router in (
        climkit_router(services),
        _own_router(services),
        health_router(services),
    ):
        app.router.routes.extend(router.routes)
    app.add_middleware(TellCutOff)
    app.add_middleware(AnswerHeaders)
    add_docs_page(app)
    add_start_page(app)
    add_error_handlers(app)
    complete_openapi(app)
    return app


def _own_router(services: Services) -> APIRouter:
    router = APIRouter(redirect_slashes=False, route_class=PlainRoute)
    for each in _OWN:
        add_operations(router, services, each.OPERATIONS)
    return router
