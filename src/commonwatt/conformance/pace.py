"""One question in a while, per route, as clients keep it too."""

import time
from collections.abc import Callable

from commonwatt.client.pacing import Pacing

_AS_FAST_AS_CAN_BE = 1e6


class Pace:
    """Waits until a route may be asked again; without a rate only where the server said so."""

    def __init__(self, per_second: float | None, sleep: Callable[[float], None]) -> None:
        self._routes = Pacing(per_second or _AS_FAST_AS_CAN_BE)
        self._sleep = sleep

    def wait_for(self, route: str) -> None:
        """Wait for the route's turn and take it."""
        with self._routes.route(route).ticket() as turn:
            while (wait_s := turn.wait_s(time.monotonic())) > 0:
                self._sleep(wait_s)
            turn.go(time.monotonic())

    def hold(self, route: str, seconds: float) -> None:
        """Ask the route no sooner than in so many seconds."""
        self._routes.route(route).hold(time.monotonic() + seconds)
