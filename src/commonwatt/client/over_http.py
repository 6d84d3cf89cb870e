"""What threads and tasks share of HTTP: how requests are written and faults told."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypedDict

import httpx2

from commonwatt import __version__
from commonwatt.client.answers import surprising
from commonwatt.client.errors import Unreachable
from commonwatt.client.wire import Answer, Request

# An answer may take so many times as long as a server may be silent.
_WHOLE_ANSWER = 10


class Backoff(TypedDict):
    """How stamina waits between attempts [s]."""

    attempts: int
    timeout: None
    wait_initial: float
    wait_max: float
    wait_jitter: float


def backoff(attempts: int) -> Backoff:
    """Return waits of 0.5, 1, 2, 4 … 20 seconds, each with up to a second of jitter."""
    return Backoff(
        attempts=attempts, timeout=None, wait_initial=0.5, wait_max=20.0, wait_jitter=1.0
    )


def timeouts(seconds: float) -> httpx2.Timeout:
    """Return time-outs of connecting, sending and silence.

    Waiting for a free connection has none: how many wait is the caller's choice.
    """
    return httpx2.Timeout(seconds, pool=None)


def headers() -> dict[str, str]:
    """Return the headers of all requests."""
    return {"accept": "application/json", "user-agent": f"commonwatt/{__version__}"}


def authorization(token: str | None) -> dict[str, str]:
    """Return the header that bears a token."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


class Body:
    """The body of an answer as it arrives, which has to come to its end in time."""

    def __init__(self, response: httpx2.Response, silence_s: float) -> None:
        self._response = response
        self._until_at = monotonic() + silence_s * _WHOLE_ANSWER
        self._bytes = bytearray()

    def add(self, part: bytes) -> None:
        """Take some more. Raises httpx2.ReadTimeout when the time is over."""
        self._bytes += part
        if monotonic() > self._until_at:
            raise httpx2.ReadTimeout("the answer does not come to its end")

    def answer(self) -> Answer:
        """Return the whole answer."""
        names = {name.lower(): value for name, value in self._response.headers.items()}
        return Answer(self._response.status_code, names, bytes(self._bytes))


@contextmanager
def told_as_ours(request: Request, url: httpx2.URL) -> Iterator[None]:
    """Turn faults of HTTP into ours: Unreachable, and SurprisingAnswer for a broken packing."""
    try:
        yield
    except httpx2.DecodingError as error:
        raise surprising(f"{request.path}: {error}", Answer(200, {}, b"")) from error
    except httpx2.HTTPError as error:
        what = str(error) or type(error).__name__
        raise Unreachable(f"{url} cannot be reached: {what}") from error
