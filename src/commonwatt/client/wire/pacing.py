"""How fast a client may ask: so many requests a second for each route.

Whoever wants to ask queues for the route's turn, and the first in the queue waits until the next
request may leave. Nothing is granted ahead of time: a program that was held up sends late, and
never catches up in a burst.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from threading import Lock

Queue = AbstractAsyncContextManager[object]
"""A lock that lets those who wait in, in the order in which they came."""

# Requests that leave a second apart may arrive a little closer to each other.
_MARGIN = 1.05


class Route:
    """The turns of one route; instants are seconds of any clock that does not go back."""

    def __init__(self, interval_s: float, queue: Queue) -> None:
        self.queue = queue
        self._interval_s = interval_s
        self._next_at = 0.0

    def wait_s(self, now_at: float) -> float:
        """Return how long the first in the queue still waits [s]; 0: it may go."""
        return max(0.0, self._next_at - now_at)

    def go(self, now_at: float) -> None:
        """Use the turn: a request leaves now."""
        self.hold(now_at + self._interval_s)

    def hold(self, until_at: float) -> None:
        """Let nobody go before an instant."""
        self._next_at = max(self._next_at, until_at)


class Pacing:
    """The turns of all routes of a client."""

    def __init__(self, requests_per_second: float, new_queue: Callable[[], Queue]) -> None:
        if not requests_per_second > 0:
            raise ValueError("requests_per_second must be above 0")
        self._interval_s = _MARGIN / requests_per_second
        self._new_queue = new_queue
        self._routes: dict[str, Route] = {}
        self._lock = Lock()

    def route(self, name: str) -> Route:
        """Return the turns of a route."""
        with self._lock:
            if name not in self._routes:
                self._routes[name] = Route(self._interval_s, self._new_queue())
            return self._routes[name]
