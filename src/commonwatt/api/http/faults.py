"""Which exception is told as which problem. What is not listed here is a fault of ours: 500."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from commonwatt.api.http import problems
from commonwatt.api.http.bodies import UnknownEncoding
from commonwatt.api.http.problems import (
    InvalidInput,
    Kind,
    Overloaded,
    Problem,
    TooManyRequests,
    TooMuchPending,
)
from commonwatt.api.http.throttled_log import ThrottledLog, address_of
from commonwatt.app.accounts.authorize import (
    ClosedHistory,
    ClosedMeter,
    ClosedTotals,
    NotSignedIn,
    PartOfSite,
    RoleForbids,
    UnknownSite,
)
from commonwatt.app.accounts.sign_in import TooManySignIns, WrongSignIn
from commonwatt.app.billing.edit_quarters import UnknownEdit
from commonwatt.app.declaring.apply import CannotChange, NoSuchMeter
from commonwatt.app.errors import (
    DamagedDay,
    SiteRemoved,
    StoreBusy,
    StoreFull,
    StoreReadOnly,
    StoreStopping,
    StoreUnreachable,
)
from commonwatt.app.findings.resolve import UnknownFinding
from commonwatt.app.readings.deliveries import NothingToChange
from commonwatt.app.series.raw import RuleMeterHasNoReadings
from commonwatt.climkit_v1.requests import BadRequestField
from commonwatt.formats.errors import BodyTooLarge, UnreadableBody
from commonwatt.formats.json_fields import BadField
from commonwatt.formats.readings.bodies import UnknownContentType

_BUSY_RETRY_S = 2
_WRITES = frozenset({"PUT", "DELETE", "PATCH"})
_OWN_SURFACE = "/commonwatt/"
_LOG = ThrottledLog(logging.getLogger(__name__))
_CHALLENGE = {"WWW-Authenticate": "Bearer"}

Telling = Callable[[Exception], Problem]


def _plain(kind: Kind, headers: Mapping[str, str] | None = None) -> Telling:
    """Tell an exception by its own message."""
    return lambda error: Problem(kind=kind, detail=str(error), headers=headers or {})


def _invalid_input(error: Exception) -> Problem:
    assert isinstance(error, InvalidInput | BadRequestField | BadField | CannotChange)
    return Problem(kind=problems.INVALID_INPUT, detail=str(error), field_name=error.field)


def _retry_later(kind: Kind) -> Telling:
    def tell(error: Exception) -> Problem:
        assert isinstance(error, TooManyRequests | TooManySignIns | TooMuchPending | Overloaded)
        headers = {"Retry-After": str(error.retry_after_s)}
        return Problem(kind=kind, detail=str(error), headers=headers)

    return tell


def _store_trouble(detail: str) -> Telling:
    headers = {"Retry-After": str(_BUSY_RETRY_S)}
    return lambda _error: Problem(kind=problems.STORE_BUSY, detail=detail, headers=headers)


def _http_error(error: Exception) -> Problem:
    """Tell what the framework refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    headers = error.headers or {}
    if error.status_code == problems.WRONG_METHOD.status:
        detail = f"this path knows {headers.get('Allow', 'other methods')}"
        return Problem(kind=problems.WRONG_METHOD, detail=detail, headers=headers)
    if error.status_code == problems.NO_SUCH_PATH.status:
        detail = "there is nothing at this path; /docs describes all there is"
        return Problem(kind=problems.NO_SUCH_PATH, detail=detail)
    kind = Kind("refused", error.status_code, "The request is refused")
    return Problem(kind=kind, detail=str(error.detail), headers=headers)


def _methods_of(request: Request) -> str:
    """The methods that a path knows; the framework tells those of its first route alone."""
    methods = {
        method
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods))


TOLD_AS: Mapping[type[Exception], Telling] = {
    NotSignedIn: _plain(problems.NOT_SIGNED_IN, _CHALLENGE),
    WrongSignIn: _plain(problems.WRONG_SIGN_IN, _CHALLENGE),
    RoleForbids: _plain(problems.ROLE_FORBIDS),
    ClosedMeter: _plain(problems.CLOSED_METER),
    ClosedHistory: _plain(problems.CLOSED_HISTORY),
    ClosedTotals: _plain(problems.CLOSED_TOTALS),
    PartOfSite: _plain(problems.PART_OF_SITE),
    UnknownSite: _plain(problems.UNKNOWN_SITE),
    SiteRemoved: _plain(problems.UNKNOWN_SITE),
    problems.UnknownMeter: _plain(problems.UNKNOWN_METER),
    problems.UnknownSensor: _plain(problems.UNKNOWN_SENSOR),
    problems.NotAcceptable: _plain(problems.NOT_ACCEPTABLE),
    RuleMeterHasNoReadings: _plain(problems.RULE_METER),
    BodyTooLarge: _plain(problems.TOO_LARGE),
    UnknownContentType: _plain(problems.WRONG_CONTENT_TYPE),
    UnknownEncoding: _plain(problems.WRONG_CONTENT_TYPE),
    UnreadableBody: _plain(problems.BROKEN_REQUEST),
    ClientDisconnect: _plain(problems.BROKEN_REQUEST),  # nobody is there to read it
    InvalidInput: _invalid_input,
    BadRequestField: _invalid_input,
    BadField: _invalid_input,
    CannotChange: _invalid_input,
    NoSuchMeter: _plain(problems.UNKNOWN_METER),
    UnknownFinding: _plain(problems.UNKNOWN_FINDING),
    UnknownEdit: _plain(problems.UNKNOWN_EDIT),
    NothingToChange: _plain(problems.NOTHING_TO_CHANGE),
    TooManyRequests: _retry_later(problems.TOO_MANY_REQUESTS),
    TooManySignIns: _retry_later(problems.TOO_MANY_SIGN_INS),
    TooMuchPending: _retry_later(problems.TOO_MUCH_PENDING),
    Overloaded: _retry_later(problems.OVERLOADED),
    StoreStopping: lambda _error: problems.IS_SHUTTING_DOWN,
    StoreBusy: _store_trouble("others are writing; try again in a moment"),
    StoreUnreachable: _store_trouble("the store cannot be reached just now; try again in a moment"),
    StoreFull: _plain(problems.STORE_FULL),
    DamagedDay: _plain(problems.DAMAGED_DAY),
    StoreReadOnly: _plain(problems.STORE_FULL),
    HTTPException: _http_error,
}


def tell_faults(app: FastAPI) -> None:
    """Make an app answer every error as problem details.

    The trace of an unexpected one is logged by the server; the answer says nothing of it.
    """
    for kind, telling in TOLD_AS.items():
        app.add_exception_handler(kind, _handler(telling))
    app.add_exception_handler(Exception, _unexpected)


def _handler(telling: Telling) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == problems.WRONG_METHOD.status:
            error.headers = {"Allow": _methods_of(request)}
        problem = telling(error)
        if _writes(request):
            _LOG.warn(
                "%s: %s %s refused, %s",
                address_of(request),
                request.method,
                request.scope["path"],
                problem.kind.slug,
            )
        return problem.response()

    return handle


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
