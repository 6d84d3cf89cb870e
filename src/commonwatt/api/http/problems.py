"""One shape for every error: problem details, RFC 9457, as ``application/problem+json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.responses import Response

from commonwatt.app import errors
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
from commonwatt.app.errors import (
    CommonwattError,
    DamagedDay,
    ErrorKind,
    StoreBusy,
    StoreFull,
    StoreStopping,
    UnknownMeter,
)
from commonwatt.app.findings.resolve import UnknownFinding
from commonwatt.app.readings.deliveries import NothingToChange
from commonwatt.app.series.raw import RuleMeterHasNoReadings
from commonwatt.climkit_v1.requests import BadRequestField
from commonwatt.formats.errors import BodyTooLarge, UnreadableBody
from commonwatt.formats.readings.bodies import UnknownContentType

PROBLEM_TYPE = "application/problem+json"
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")


# What the server tells without an exception of ours.
NO_SUCH_PATH = ErrorKind("no-such-path", 404, "No such path")
WRONG_METHOD = ErrorKind("wrong-method", 405, "The path does not know this method")
TOO_SLOW = ErrorKind("too-slow", 408, "The request came too slowly")
TOO_MANY_CONNECTIONS = ErrorKind("too-many-connections", 429, "Too many connections")
HEADERS_TOO_LARGE = ErrorKind("headers-too-large", 431, "The headers are too large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error as it is told: what would be right, and which input is meant."""

    kind: ErrorKind
    detail: str
    field_name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer."""
        body = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.field_name is not None:
            body["field"] = self.field_name
        safe = {name.decode(): value.decode() for name, value in (NO_SNIFFING, NO_STORE)}
        headers = {**safe, **self.headers}
        return Response(orjson.dumps(body), self.kind.status, headers, media_type=PROBLEM_TYPE)


KNOWN_ERRORS = (CommonwattError, BadRequestField)
"""What is told by its kind; all other exceptions are faults of ours."""


def problem_of(error: CommonwattError | BadRequestField) -> Problem:
    """Tell an error by its kind: its message, or what clients are told instead."""
    if isinstance(error, BadRequestField):
        return Problem(kind=INVALID_INPUT, detail=str(error), field_name=error.field)
    headers = {}
    if error.kind.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.kind is StoreStopping.kind:
        headers["Connection"] = "close"
    detail = error.public or str(error)
    return Problem(kind=error.kind, detail=detail, field_name=error.field, headers=headers)


IS_SHUTTING_DOWN = problem_of(StoreStopping())


class InvalidInput(CommonwattError):
    """Input that cannot be used; the message says what would be right, ``field`` what is meant."""

    kind = errors.INVALID_INPUT

    def __init__(self, field_name: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field_name


class UnknownSensor(CommonwattError):
    """The site has no sensor of that id."""

    kind = ErrorKind("unknown-sensor", 404, "Unknown sensor")

    def __init__(self, sensor_id: str) -> None:
        super().__init__(f"the site has no sensor {sensor_id}; sensors_list lists its sensors")


class NotAcceptable(CommonwattError):
    """The client takes none of the media types that there are."""

    kind = ErrorKind("not-acceptable", 406, "There is no such form of it")

    def __init__(self, accept: str, offered: Sequence[str]) -> None:
        super().__init__(f"Accept is {accept[:80]!r}; there are {', '.join(offered)}")


class TooManyRequests(CommonwattError):
    """The account asks this route too often; again after ``retry_after_s`` seconds."""

    kind = ErrorKind("too-many-requests", 429, "Too many requests")

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"one request a second here; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class TooMuchPending(CommonwattError):
    """The account has asked for much that it has not read yet."""

    kind = ErrorKind("too-much-pending", 429, "Too many answers are not yet read")

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__(
            "long answers to this account are not read yet, or bodies from it are still coming in; "
            "read them, ask for a shorter period, or send less at once"
        )


class Overloaded(CommonwattError):
    """All accounts together have asked for much that they have not read yet."""

    kind = ErrorKind("overloaded", 503, "Too much is asked at once")

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("many long answers are under way; try again in a moment")


# All other kinds, each that of an exception, under the name that the documentation uses.
INTERNAL = CommonwattError.kind
INVALID_INPUT = InvalidInput.kind
BROKEN_REQUEST = UnreadableBody.kind
NOT_SIGNED_IN = NotSignedIn.kind
WRONG_SIGN_IN = WrongSignIn.kind
ROLE_FORBIDS = RoleForbids.kind
CLOSED_METER = ClosedMeter.kind
CLOSED_HISTORY = ClosedHistory.kind
CLOSED_TOTALS = ClosedTotals.kind
PART_OF_SITE = PartOfSite.kind
UNKNOWN_SITE = UnknownSite.kind
UNKNOWN_METER = UnknownMeter.kind
UNKNOWN_FINDING = UnknownFinding.kind
UNKNOWN_EDIT = UnknownEdit.kind
UNKNOWN_SENSOR = UnknownSensor.kind
NOT_ACCEPTABLE = NotAcceptable.kind
NOTHING_TO_CHANGE = NothingToChange.kind
RULE_METER = RuleMeterHasNoReadings.kind
TOO_LARGE = BodyTooLarge.kind
WRONG_CONTENT_TYPE = UnknownContentType.kind
TOO_MANY_REQUESTS = TooManyRequests.kind
TOO_MANY_SIGN_INS = TooManySignIns.kind
TOO_MUCH_PENDING = TooMuchPending.kind
OVERLOADED = Overloaded.kind
DAMAGED_DAY = DamagedDay.kind
STORE_BUSY = StoreBusy.kind
STORE_FULL = StoreFull.kind
SHUTTING_DOWN = StoreStopping.kind
