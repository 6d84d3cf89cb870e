"""Asking a server: signed in, at the pace it wants, again where that can help."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

from commonwatt.client.wire.answers import (
    LONGEST_WAIT_S,
    decoded,
    raise_fault,
    retry_after_s,
    surprising,
)
from commonwatt.client.wire.pacing import Pacing, Route
from commonwatt.client.wire.sign_in import SignIn
from commonwatt.client.wire.wire import Answer, Request, Wire

T = TypeVar("T")


class Session:
    """A session of one account with one server."""

    def __init__(self, wire: Wire, sign_in: SignIn, pacing: Pacing) -> None:
        self._wire = wire
        self._sign_in = sign_in
        self._pacing = pacing

    async def ask(self, request: Request, read: Callable[[object], T]) -> T:
        """Return what `read` makes of the JSON of an answer.

        Connection faults, 429 and 5xx are tried again; other faults are raised as they come. A
        ValueError of `read` is a SurprisingAnswer.
        """
        answer = await self._wire.again(partial(self._attempt, request))
        content = decoded(answer)
        try:
            return read(content)
        except ValueError as error:
            raise surprising(f"{request.method} {request.path}: {error}", answer) from None

    async def _attempt(self, request: Request) -> Answer:
        answer = await self._send(request)
        if answer.status == 401:
            # The token ended early, or the server has another key by now: once more with a new one.
            answer = await self._send(request)
        if answer.status != 200:
            raise_fault(request, answer)
        return answer

    async def _send(self, request: Request) -> Answer:
        # Whoever cannot sign in need not queue.
        token = await self._sign_in.token()
        async with AsyncExitStack() as held:
            if request.route is not None:
                token = await self._turn(self._pacing.route(request.route), held)
            answer = await self._wire.send(request, token)
        if answer.status == 401:
            self._sign_in.forget(token)
        elif answer.status in {429, 503} and request.route is not None:
            wait_s = min(retry_after_s(answer) or 0.0, LONGEST_WAIT_S)
            self._pacing.route(request.route).hold(time.monotonic() + wait_s)
        return answer

    async def _turn(self, route: Route, held: AsyncExitStack) -> str:
        """Wait for a turn; return a token that is good then, however long it took.

        A connection is taken with the turn, and so at once after it: a server that is slow is not
        asked at the pace of one that is quick, to be overrun when it is quick again.
        """
        async with route.queue:
            await held.enter_async_context(self._wire.connection())
            while (wait_s := route.wait_s(time.monotonic())) > 0:
                await self._wire.sleep(wait_s)
            # Those behind wait for a renewal too, so that none of them catches up afterwards.
            token = await self._sign_in.token()
            route.go(time.monotonic())
        return token
