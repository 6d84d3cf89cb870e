"""The event loop of the server: uvloop, but who begins TLS has to get on with it."""

from typing import Any

import uvloop

HANDSHAKE_S = 10.0
"""A connection without its handshake is no request yet, and nobody counts it; uvloop's is 60 s."""


class EventLoop(uvloop.Loop):
    """uvloop, with a short time for handshakes."""

    async def create_server(self, *args: Any, **options: Any) -> Any:
        """Listen."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", HANDSHAKE_S)
        return await super().create_server(*args, **options)
