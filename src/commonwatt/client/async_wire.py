"""Sending and waiting in the tasks of an event loop.

asyncio takes as long to import as the HTTP library, so that only those who have a loop import it.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import httpx2

from commonwatt.client import over_http
from commonwatt.client.answers import next_try
from commonwatt.client.wire import Answer, Request

T = TypeVar("T")

# As many as the HTTP library keeps open.
_CONNECTIONS = 20


class AsyncWire:
    """HTTP in an event loop."""

    def __init__(self, url: str, timeout: float, attempts: int) -> None:
        self._timeout = timeout
        self._attempts = attempts
        self._client = httpx2.AsyncClient(
            base_url=url, timeout=over_http.timeouts(timeout), headers=over_http.headers()
        )
        self._connections: AbstractAsyncContextManager[object] | None = None

    async def send(self, request: Request, token: str | None) -> Answer:
        """Send one request and return its answer."""
        with over_http.told_as_ours(request, self._client.base_url):
            async with self._client.stream(
                request.method,
                request.path,
                params=request.query,
                json=request.body,
                headers=over_http.authorization(token),
            ) as response:
                body = over_http.Body(response, self._timeout)
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

        async for attempt in stamina.retry_context(next_try, **over_http.backoff(self._attempts)):
            with attempt:
                return await action()
        raise AssertionError("the last attempt returns or raises")

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
        await self._client.aclose()
