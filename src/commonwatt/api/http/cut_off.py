"""What a request is told that is cut off because the server ends."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commonwatt.api.http.problems import IS_SHUTTING_DOWN


class TellCutOff:
    """Answers requests that the server cancels when it ends: 503, not a fault of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, unless it is cancelled before it began to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            # Nobody cancels a request but the server, once its last seconds are over.
            if begun:
                raise
            await IS_SHUTTING_DOWN.response()(scope, receive, send)
