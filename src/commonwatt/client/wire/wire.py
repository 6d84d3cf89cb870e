"""What is sent and what comes, and the little that differs between threads and tasks.

Everything above is written once, as coroutines. `SyncWire` never suspends, so that whatever is
built on it alone runs to its end at one push, see `commonwatt.client.sync_client`.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """A question: its path below the base address, JSON body and query.

    `route`: what the server counts it as; None where nothing is counted.
    """

    method: str
    path: str
    route: str | None
    # Never shown: it may hold a password.
    body: Mapping[str, object] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: names of headers are in lower case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Sending, waiting and keeping others out."""

    async def send(self, request: Request, token: str | None) -> Answer:
        """Send one request and return its answer, whatever its status.

        Raises Unreachable, and SurprisingAnswer for a body that cannot be unpacked.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def again(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do something until it succeeds, fails for good or has been tried often enough."""
        raise NotImplementedError

    def connection(self) -> AbstractAsyncContextManager[object]:
        """Return the right to one of the connections, for `async with`."""
        raise NotImplementedError

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Return a new lock, which lets those who wait in, in the order in which they came."""
        raise NotImplementedError
