"""Routes whose endpoints take the request as it came.

FastAPI documents them and reads nothing for them: what is asked is read by ourselves, after the
checks that come before it, and a short answer costs a fifth less.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class PlainRoute(APIRoute):
    """Calls the endpoint with the request, without dependencies, validation or response model."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint
