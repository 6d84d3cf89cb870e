"""Sending and waiting in a thread: coroutines that never suspend."""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from threading import Lock
from types import TracebackType
from typing import TypeVar

import httpx2

from commonwatt.client.wire import over_http
from commonwatt.client.wire.answers import next_try
from commonwatt.client.wire.wire import Answer, Request

T = TypeVar("T")


def run(call: Coroutine[object, None, T]) -> T:
    """Run a coroutine that never suspends, since it waits in its thread: one step ends it."""
    try:
        call.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a coroutine of a thread was suspended")


class SyncWire:
    """HTTP in a thread; several threads may share one."""

    def __init__(self, url: str, timeout: float, attempts: int) -> None:
        self._timeout = timeout
        self._backoff = over_http.backoff(attempts)
        timeouts = over_http.timeouts(timeout)
        with over_http.opening():
            self._client = httpx2.Client(
                base_url=url, timeout=timeouts, headers=over_http.headers()
            )

    async def send(self, request: Request, token: str | None) -> Answer:
        """Send one request and return its answer."""
        with over_http.told_as_ours(self._client.base_url):
            with self._client.stream(
                request.method,
                request.path,
                params=request.query,
                json=request.body,
                headers=over_http.authorization(token),
            ) as response:
                body = over_http.Body(response, self._timeout)
                with body.arriving():
                    for part in response.iter_bytes():
                        body.add(part)
            return body.answer()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: ASYNC251  # no loop waits for this coroutine

    async def again(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do something until it succeeds, fails for good or has been tried often enough."""
        import stamina

        for attempt in stamina.retry_context(next_try, **self._backoff):
            with attempt, over_http.told_if_tried_again(attempt, self._backoff["attempts"]):
                return await action()
        raise AssertionError("the last attempt returns or raises")

    def connection(self) -> AbstractAsyncContextManager[object]:
        """Return the right to a connection: a thread has its own."""
        return nullcontext()

    def lock(self) -> "FairLock":
        """Return a new lock."""
        return FairLock()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class FairLock:
    """A lock of threads, for `async with`: first come, first served."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            mine.acquire()  # until it is handed over
        except BaseException:  # such as KeyboardInterrupt: whoever gives up must not be waited for
            self._give_up(mine)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hand_over()

    def _hand_over(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _give_up(self, mine: Lock) -> None:
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return
        self._hand_over()
