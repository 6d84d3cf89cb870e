"""One question in a while, per route."""

import time
from collections.abc import Callable


class Pace:
    """Waits until a route may be asked again, ``interval_s`` after it was asked last."""

    def __init__(self, interval_s: float, sleep: Callable[[float], None]) -> None:
        self._interval_s = interval_s
        self._sleep = sleep
        self._next_at: dict[str, float] = {}

    def wait_for(self, route: str) -> None:
        """Wait for the route's turn and take it."""
        wait_s = self._next_at.get(route, 0.0) - time.monotonic()
        if wait_s > 0:
            self._sleep(wait_s)
        self._next_at[route] = time.monotonic() + self._interval_s

    def hold(self, route: str, seconds: float) -> None:
        """Ask the route no sooner than in so many seconds."""
        self._next_at[route] = max(self._next_at[route], time.monotonic() + seconds)
