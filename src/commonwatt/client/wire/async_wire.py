"""Sending and waiting in the tasks of an event loop.

asyncio takes as long to import as the HTTP library, so that only those who have a loop import it.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

import httpx2

from commonwatt.client.wire import over_http
from commonwatt.client.wire.answers import next_try
from commonwatt.client.wire.wire import Answer, Request

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")

# As many as the HTTP library keeps open.
_CONNECTIONS = 20


class AsyncWire:
    """HTTP in an event loop."""

    def __init__(self, url: str, timeout: float, attempts: int) -> None:
        self._timeout = timeout
        self._backoff = over_http.backoff(attempts)
        timeouts = over_http.timeouts(timeout)
        with over_http.opening():
            self._client = httpx2.AsyncClient(
                base_url=url, timeout=timeouts, headers=over_http.headers()
            )
        self._loop: AbstractEventLoop | None = None
        self._connections: AbstractAsyncContextManager[object] | None = None

    async def send(self, request: Request, token: str | None) -> Answer:
        """Send one request and return its answer."""
        with over_http.told_as_ours(self._client.base_url):
            async with self._client.stream(
                request.method,
                request.path,
                params=request.query,
                json=request.body,
                headers=over_http.authorization(token),
            ) as response:
                body = over_http.Body(response, self._timeout)
                with body.arriving():
                    async for part in response.aiter_bytes():
                        body.add(part)
            return body.answer()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        import asyncio

        await asyncio.sleep(seconds)

    async def again(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do something until it succeeds, fails for good or has been tried often enough."""
        import stamina

        self._require_own_loop()
        async for attempt in stamina.retry_context(next_try, **self._backoff):
            with attempt, over_http.told_if_tried_again(attempt, self._backoff["attempts"]):
                return await action()
        raise AssertionError("the last attempt returns or raises")

    def _require_own_loop(self) -> None:
        """Say so where open connections and locks belong to another event loop.

        Raises RuntimeError.
        """
        import asyncio

        running = asyncio.get_running_loop()
        self._loop = self._loop or running
        if running is not self._loop:
            raise RuntimeError(
                "this AsyncClimkit was first used in another event loop; make one in each, with "
                "`async with AsyncClimkit(…) as climkit:`"
            )

    def connection(self) -> AbstractAsyncContextManager[object]:
        """Return the right to one of the connections."""
        if self._connections is None:
            import asyncio

            self._connections = asyncio.Semaphore(_CONNECTIONS)
        return self._connections

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Return a new lock."""
        import asyncio

        return asyncio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        self._require_own_loop()
        await self._client.aclose()
