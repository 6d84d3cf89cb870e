"""How fast a client may ask: so many requests a second for each route.

A request takes a ticket of its route, waits until that is the first in the queue and the route's
next instant has come, and goes. Nothing is granted ahead of time: a program that was held up sends
late, and never catches up in a burst. No call here waits or asks for the time, so the same queue
serves threads and tasks.
"""

from collections import OrderedDict
from threading import Lock
from typing import Self

# Requests that leave a second apart may arrive a little closer to each other.
_MARGIN = 1.05
# Those before one in the queue may give up; so nobody sleeps longer than this.
_LOOK_AGAIN_S = 5.0
_SHORTEST_S = 0.001


class Route:
    """The queue of one route; instants are seconds of any clock that does not go back."""

    def __init__(self, requests_per_second: float) -> None:
        if not requests_per_second > 0:
            raise ValueError("requests_per_second must be above 0")
        self._interval_s = _MARGIN / requests_per_second
        self._queue: OrderedDict[Ticket, None] = OrderedDict()
        self._tickets = 0
        self._next_at = 0.0
        self._lock = Lock()

    def ticket(self) -> "Ticket":
        """Return a place at the end of the queue."""
        with self._lock:
            self._tickets += 1
            ticket = Ticket(self, self._tickets)
            self._queue[ticket] = None
        return ticket

    def hold(self, until_at: float) -> None:
        """Let nobody go before an instant, as the server asked for."""
        with self._lock:
            self._next_at = max(self._next_at, until_at)

    def wait_s(self, ticket: "Ticket", now_at: float) -> float:
        """Return how long a ticket waits at least; 0: it is first, and the instant has come."""
        with self._lock:
            wait_s = max(0.0, self._next_at - now_at)
            first = next(iter(self._queue))
            if first is not ticket:
                before = ticket.number - first.number
                wait_s = max(wait_s + before * self._interval_s, _SHORTEST_S)
        return min(wait_s, _LOOK_AGAIN_S)

    def go(self, now_at: float) -> None:
        """Let the next one wait from now on."""
        with self._lock:
            self._next_at = max(self._next_at, now_at + self._interval_s)

    def leave(self, ticket: "Ticket") -> None:
        """Take a ticket out of the queue."""
        with self._lock:
            del self._queue[ticket]


class Ticket:
    """A place in the queue of a route; `with` gives it back."""

    def __init__(self, route: Route, number: int) -> None:
        self._route = route
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._route.leave(self)

    def wait_s(self, now_at: float) -> float:
        """Return how long to wait before asking again [s]; 0: it is your turn."""
        return self._route.wait_s(self, now_at)

    def go(self, now_at: float) -> None:
        """Use the turn: a request leaves now."""
        self._route.go(now_at)


class Pacing:
    """The queues of all routes of a client."""

    def __init__(self, requests_per_second: float) -> None:
        self._requests_per_second = requests_per_second
        self._routes: dict[str, Route] = {}
        self._lock = Lock()
        self.route("")  # says at once when the rate is none

    def route(self, name: str) -> Route:
        """Return the queue of a route."""
        with self._lock:
            if name not in self._routes:
                self._routes[name] = Route(self._requests_per_second)
            return self._routes[name]
