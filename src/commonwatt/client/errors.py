"""What can go wrong between a client and a server.

    ClimkitError
    ├── SignInRefused           user name or password are wrong, or the token is refused
    │   └── NoCredentials       nobody said who signs in
    ├── NotFound                not found, or not granted to this account
    ├── TooManyRequests         still refused after waiting and trying again
    ├── BadRequest              the server does not take the question; `problem` says why
    ├── Unreachable             no connection, no answer in time, or a server's own fault
    └── SurprisingAnswer        an answer that is not this API's; `received` shows it

Wrong arguments, which no server has to see, are a ValueError.
"""

from collections.abc import Mapping
from dataclasses import dataclass


class ClimkitError(Exception):
    """Whatever goes wrong between a client and a server; the message is for people.

    Can be copied, and sent from one process to another.
    """

    def __reduce__(self) -> tuple[object, ...]:
        return _error_again, (type(self), self.args, self.__dict__)


def _error_again(
    kind: type[ClimkitError], args: tuple[object, ...], attributes: Mapping[str, object]
) -> ClimkitError:
    """Return an error as it was pickled, without making its message again."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class SignInRefused(ClimkitError):
    """The server does not accept the user name and password, or the token it gave for them."""


class NoCredentials(SignInRefused):
    """Neither arguments nor environment nor keyring say who signs in."""


class NotFound(ClimkitError):
    """There is no such site, meter or sensor, or this account has no right to it."""


class TooManyRequests(ClimkitError):
    """The server counts too many requests, again and again.

    `retry_after_s`: after how long it wants to be asked again [s]; None if it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadRequest(ClimkitError):
    """The server does not take the question.

    `problem`: its problem document (RFC 9457) or other JSON object; empty if it sent none.
    """

    def __init__(self, message: str, status: int, problem: Mapping[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class Unreachable(ClimkitError):
    """No connection, a broken one, no answer in time, or a server that fails (5xx).

    `retry_after_s`: after how long a failing server wants to be asked again [s]; None otherwise.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Received:
    """What came instead of an answer; `beginning`: the first bytes of its body."""

    status: int
    content_type: str
    beginning: bytes


class SurprisingAnswer(ClimkitError):
    """An answer that is none of this API; `received` shows what came."""

    def __init__(self, message: str, received: Received) -> None:
        shown = received.beginning.decode(errors="replace")
        kind = received.content_type or "no content type"
        super().__init__(f"{message}; received {received.status}, {kind}: {shown!r}")
        self.received = received
