"""Every error as problem details; what has no kind of its own is a fault of ours: 500."""

import logging

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from commonwatt.api.http import problems
from commonwatt.api.http.problems import INTERNAL, KNOWN_ERRORS, Problem, problem_of
from commonwatt.api.http.throttled_log import ThrottledLog, address_of
from commonwatt.app.errors import ErrorKind

_WRITES = frozenset({"PUT", "DELETE", "PATCH"})
_OWN_SURFACE = "/commonwatt/"
_LOG = ThrottledLog(logging.getLogger(__name__))


def add_error_handlers(app: FastAPI) -> None:
    """Make an app answer every error as problem details.

    The trace of an unexpected one is logged by the server; the answer says nothing of it.
    """
    for known in KNOWN_ERRORS:
        app.add_exception_handler(known, _known)
    app.add_exception_handler(HTTPException, _refused_by_framework)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(Exception, _unexpected)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, KNOWN_ERRORS)
    problem = problem_of(error)
    if problem.kind is INTERNAL:
        raise error
    return _answer(request, problem)


async def _refused_by_framework(request: Request, error: Exception) -> Response:
    """Tell what the framework refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    if error.status_code == problems.WRONG_METHOD.status:
        allowed = _methods_of(request)
        detail, headers = f"this path knows {allowed}", {"Allow": allowed}
        problem = Problem(kind=problems.WRONG_METHOD, detail=detail, headers=headers)
    elif error.status_code == problems.NO_SUCH_PATH.status:
        detail = "there is nothing at this path; /docs describes all there is"
        problem = Problem(kind=problems.NO_SUCH_PATH, detail=detail)
    else:
        kind = ErrorKind("refused", error.status_code, "The request is refused")
        problem = Problem(kind=kind, detail=str(error.detail), headers=error.headers or {})
    return _answer(request, problem)


async def _nobody_there(request: Request, error: Exception) -> Response:
    return _answer(request, Problem(kind=problems.BROKEN_REQUEST, detail=str(error)))


def _methods_of(request: Request) -> str:
    """The methods that a path knows; the framework tells those of its first route alone."""
    methods = {
        method
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods))


def _answer(request: Request, problem: Problem) -> Response:
    if _writes(request):
        _LOG.warn(
            "%s: %s %s refused, %s",
            address_of(request),
            request.method,
            request.scope["path"],
            problem.kind.slug,
        )
    return problem.response()


def _writes(request: Request) -> bool:
    """Whether something was to be stored; the published surface asks by POST."""
    if request.method == "POST":
        return str(request.scope["path"]).startswith(_OWN_SURFACE)
    return request.method in _WRITES


async def _unexpected(_request: Request, _error: Exception) -> Response:
    detail = "something went wrong here; it is logged, and trying again may help"
    # The server drops the connection once the fault has passed through it: who would ask again on
    # it is told so.
    headers = {"Connection": "close"}
    return Problem(kind=problems.INTERNAL, detail=detail, headers=headers).response()
