"""What threads and tasks share of HTTP: how requests are written and faults told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypedDict

import httpx2

from commonwatt import __version__
from commonwatt.client.errors import ClimkitError, Unreachable
from commonwatt.client.wire.answers import next_try, surprising
from commonwatt.client.wire.wire import Answer

if TYPE_CHECKING:
    from stamina import Attempt

log = logging.getLogger("commonwatt.client")
"""Says what is tried again, in a line each."""
# Where no logging is set up, the retry library's own word for it would be printed as well.
logging.getLogger("stamina").addHandler(logging.NullHandler())

# An answer may take so many times as long as a server may be silent.
_WHOLE_ANSWER = 10
# A month of quarter-hours with the columns of 800 meters. What is packed may be a thousand times
# as long as what came.
_LONGEST_BYTES = 256 * 2**20


class Backoff(TypedDict):
    """How stamina waits between attempts [s]."""

    attempts: int
    timeout: None
    wait_initial: float
    wait_max: float
    wait_jitter: float


def backoff(attempts: int) -> Backoff:
    """Return waits of 0.5, 1, 2, 4 … 20 seconds, each with up to a second of jitter.

    Raises ValueError for less than one attempt.
    """
    if attempts < 1:
        raise ValueError("attempts must be 1 or more")
    return Backoff(
        attempts=attempts, timeout=None, wait_initial=0.5, wait_max=20.0, wait_jitter=1.0
    )


@contextmanager
def told_if_tried_again(attempt: "Attempt", most: int) -> Iterator[None]:
    """Log why an attempt failed and how long the next one waits, if there is one."""
    try:
        yield
    except ClimkitError as error:
        wait = next_try(error)
        if wait is not False and attempt.num < most:
            wait_s = attempt.next_wait if wait is True else wait
            log.warning("%s; again in %.0f s", error, wait_s)
        raise


def timeouts(seconds: float) -> httpx2.Timeout:
    """Return time-outs of connecting, sending and silence.

    Waiting for a free connection has none: how many wait is the caller's choice. Raises ValueError
    unless above 0.
    """
    if not seconds > 0:
        raise ValueError("timeout must be above 0")
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
        self._parts: list[bytes] = []
        self._size_bytes = 0

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Turn a body that cannot be unpacked into SurprisingAnswer; a refusal needs no body."""
        try:
            yield
        except httpx2.DecodingError as error:
            if self._response.status_code == httpx2.codes.OK:
                raise surprising(
                    f"what came cannot be unpacked ({error})", self.answer()
                ) from error

    def add(self, part: bytes) -> None:
        """Take some more.

        Raises httpx2.ReadTimeout when the time is over, and SurprisingAnswer for too much.
        """
        if self._size_bytes + len(part) > _LONGEST_BYTES:
            longest = f"{_LONGEST_BYTES >> 20} MiB"
            del self._parts[1:]
            raise surprising(f"no answer of this API is longer than {longest}", self.answer())
        self._parts.append(part)
        self._size_bytes += len(part)
        if monotonic() > self._until_at:
            raise httpx2.ReadTimeout("the answer does not come to its end")

    def answer(self) -> Answer:
        """Return the answer with what has come of it."""
        names = {name.lower(): value for name, value in self._response.headers.items()}
        return Answer(self._response.status_code, names, b"".join(self._parts))


@contextmanager
def opening() -> Iterator[None]:
    """Raise Unreachable where no connections can be made as the environment wants them."""
    try:
        yield
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise Unreachable(
            "no connection can be made with the proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) and "
            f"certificates (SSL_CERT_FILE) of the environment: {error}"
        ) from error


@contextmanager
def told_as_ours(url: httpx2.URL) -> Iterator[None]:
    """Turn errors of the HTTP library into Unreachable."""
    try:
        yield
    except httpx2.HTTPError as error:
        what = str(error) or type(error).__name__
        raise Unreachable(f"{url} cannot be reached: {what}") from error
