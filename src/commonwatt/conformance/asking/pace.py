"""One request in a while, per route.

The kit asks one thing after the other, so it needs none of the queues that clients have.
"""

import time
from collections.abc import Callable

# Requests that leave a second apart may arrive a little closer to each other.
_MARGIN = 1.05


class Pace:
    """Waits until a route may be asked again; without a rate only where the server said so."""

    def __init__(self, per_second: float | None, sleep: Callable[[float], None]) -> None:
        self._interval_s = _MARGIN / per_second if per_second else 0.0
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
        held_until = time.monotonic() + seconds
        self._next_at[route] = max(self._next_at.get(route, 0.0), held_until)
