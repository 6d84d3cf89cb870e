"""One shape for every error: problem details, RFC 9457, as ``application/problem+json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error. ``slug``, the stable part of its ``type``, never changes its meaning."""

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URN that tells one kind of error from all others."""
        return f"urn:commonwatt:problem:{self.slug}"


BROKEN_REQUEST = Kind("broken-request", 400, "The request cannot be read")
NOT_SIGNED_IN = Kind("not-signed-in", 401, "Not signed in")
WRONG_SIGN_IN = Kind("wrong-sign-in", 401, "Sign-in refused")
ROLE_FORBIDS = Kind("role-forbids", 403, "Not for this role")
CLOSED_METER = Kind("closed-meter", 403, "The meter's data is closed")
CLOSED_HISTORY = Kind("closed-history", 403, "What was then is closed")
CLOSED_TOTALS = Kind("closed-totals", 403, "The site's totals are closed")
PART_OF_SITE = Kind("part-of-site", 403, "For accounts that see the whole site")
NO_SUCH_PATH = Kind("no-such-path", 404, "No such path")
UNKNOWN_SITE = Kind("unknown-site", 404, "Unknown site")
UNKNOWN_METER = Kind("unknown-meter", 404, "Unknown meter")
UNKNOWN_FINDING = Kind("unknown-finding", 404, "Unknown finding")
UNKNOWN_EDIT = Kind("unknown-edit", 404, "Unknown edit")
UNKNOWN_SENSOR = Kind("unknown-sensor", 404, "Unknown sensor")
WRONG_METHOD = Kind("wrong-method", 405, "The path does not know this method")
NOT_ACCEPTABLE = Kind("not-acceptable", 406, "There is no such form of it")
NOTHING_TO_CHANGE = Kind("nothing-to-change", 409, "It is so already")
RULE_METER = Kind("rule-meter", 409, "A rule meter has no readings")
TOO_SLOW = Kind("too-slow", 408, "The request came too slowly")
TOO_LARGE = Kind("too-large", 413, "The body is too large")
WRONG_CONTENT_TYPE = Kind("wrong-content-type", 415, "The body is of a kind that is not read here")
INVALID_INPUT = Kind("invalid-input", 422, "Invalid input")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "Too many requests")
TOO_MANY_SIGN_INS = Kind("too-many-sign-ins", 429, "Too many sign-ins")
TOO_MUCH_PENDING = Kind("too-much-pending", 429, "Too many answers are not yet read")
TOO_MANY_CONNECTIONS = Kind("too-many-connections", 429, "Too many connections")
HEADERS_TOO_LARGE = Kind("headers-too-large", 431, "The headers are too large")
INTERNAL = Kind("internal", 500, "Our fault")
DAMAGED_DAY = Kind("damaged-day", 500, "Stored data are damaged")
STORE_BUSY = Kind("store-busy", 503, "The store is busy")
OVERLOADED = Kind("overloaded", 503, "Too much is asked at once")
SHUTTING_DOWN = Kind("shutting-down", 503, "The server is ending")
STORE_FULL = Kind("store-full", 507, "The store is full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error as it is told: what would be right, and which input is meant."""

    kind: Kind
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


IS_SHUTTING_DOWN = Problem(
    kind=SHUTTING_DOWN,
    detail="the server is ending, and nothing of this was stored; try again in a moment",
    headers={"Retry-After": "5", "Connection": "close"},
)


class InvalidInput(ValueError):
    """Input that cannot be used; the message says what would be right, ``field`` what is meant."""

    def __init__(self, field_name: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field_name


class UnknownMeter(Exception):
    """The site has no meter of that id."""

    def __init__(self, meter_id: str) -> None:
        super().__init__(f"the site has no meter {meter_id}; meter_info lists its meters")


class UnknownSensor(Exception):
    """The site has no sensor of that id."""

    def __init__(self, sensor_id: str) -> None:
        super().__init__(f"the site has no sensor {sensor_id}; sensors_list lists its sensors")


class NotAcceptable(Exception):
    """The client takes none of the media types that there are."""

    def __init__(self, accept: str, offered: Sequence[str]) -> None:
        super().__init__(f"Accept is {accept[:80]!r}; there are {', '.join(offered)}")


class TooManyRequests(Exception):
    """The account asks this route too often; again after ``retry_after_s`` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"one request a second here; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class TooMuchPending(Exception):
    """The account has asked for much that it has not read yet."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__(
            "long answers to this account are not read yet, or bodies from it are still coming in; "
            "read them, ask for a shorter period, or send less at once"
        )


class Overloaded(Exception):
    """All accounts together have asked for much that they have not read yet."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("many long answers are under way; try again in a moment")
