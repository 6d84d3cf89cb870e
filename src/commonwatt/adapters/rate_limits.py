"""How often somebody may ask: requests of an account, and failed sign-ins.

Counted by the ``limits`` library in windows that begin with their first hit. Where the counters
live depends on who has to share them: in memory for one process, in a small file for several on
SQLite, in the database or in Redis for several machines. Counters that cannot be reached never stop
the service: each process then counts for itself until they are back.
"""

import hashlib
import ipaddress
import logging
import math
import time
from collections.abc import Callable

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from commonwatt.adapters.rate_counters import MemoryCounters

_log = logging.getLogger(__name__)

REQUESTS = RateLimitItemPerSecond(1, namespace="requests")
FAILURES_OF_USER = RateLimitItemPerMinute(5, namespace="failures-user")
FAILURES_OF_ADDRESS = RateLimitItemPerMinute(50, namespace="failures-address")


class _Counting:
    """Fixed windows over shared counters, or over the process's own while the shared ones fail."""

    def __init__(self, counters: Storage, clock: Callable[[], float]) -> None:
        self._shared = FixedWindowRateLimiter(counters)
        self._own = FixedWindowRateLimiter(MemoryCounters(clock))
        self._clock = clock
        self._failing = False

    def hit(self, limit: RateLimitItem, who: str) -> int | None:
        """Count one; the seconds to wait if that is over the limit."""
        return self._ask(lambda windows: windows.hit(limit, who), limit, who)

    def test(self, limit: RateLimitItem, who: str) -> int | None:
        """The seconds to wait if one more would be over the limit; counts nothing."""
        return self._ask(lambda windows: windows.test(limit, who), limit, who)

    def _ask(
        self, allowed: Callable[[FixedWindowRateLimiter], bool], limit: RateLimitItem, who: str
    ) -> int | None:
        try:
            wait_s = self._answer(self._shared, allowed, limit, who)
        except StorageError:
            if not self._failing:
                _log.warning("shared rate counters fail; counting per process", exc_info=True)
            self._failing = True
            return self._answer(self._own, allowed, limit, who)
        self._failing = False
        return wait_s

    def _answer(
        self,
        windows: FixedWindowRateLimiter,
        allowed: Callable[[FixedWindowRateLimiter], bool],
        limit: RateLimitItem,
        who: str,
    ) -> int | None:
        if allowed(windows):
            return None
        ends_at = windows.storage.get_expiry(limit.key_for(who))
        return max(1, math.ceil(ends_at - self._clock()))


class RequestLimits:
    """One request a second per account and route.

    ``hit`` takes some microseconds where the counters are in memory; else it is a round trip to a
    file, the database or Redis, and belongs off the event loop (``blocking``).
    """

    def __init__(self, counters: Storage, clock: Callable[[], float] = time.time) -> None:
        self._counting = _Counting(counters, clock)
        self.blocking = not isinstance(counters, MemoryCounters)

    def hit(self, account: str, route: str) -> int | None:
        """Count a request. None if it may go on, else the whole seconds until the next may come.

        ``route`` is the route's template (``/api/v1/site_data/{site_id}/{type}``), so that asking
        for another site does not help. A refused request does not lengthen the wait.
        """
        # No account name has a blank: two different pairs never share a counter.
        return self._counting.hit(REQUESTS, f"{account} {route}")


class FailedSignIns:
    """Holds back who guesses passwords: 5 failures a minute per user and address, 50 per address.

    Only failures count. An IPv6 address stands for its /64 network, which is what one customer
    gets.
    """

    def __init__(self, counters: Storage, clock: Callable[[], float] = time.time) -> None:
        self._counting = _Counting(counters, clock)

    def wait_s(self, username: str, address: str) -> int | None:
        """None if a sign-in may be tried now, else the whole seconds to wait."""
        network = _network(address)
        waits = (
            self._counting.test(FAILURES_OF_USER, _tries(username, network)),
            self._counting.test(FAILURES_OF_ADDRESS, network),
        )
        return max((wait for wait in waits if wait is not None), default=None)

    def count(self, username: str, address: str) -> int | None:
        """Count a failure; the seconds to wait if others have used the tries up in the meantime."""
        network = _network(address)
        waits = (
            self._counting.hit(FAILURES_OF_USER, _tries(username, network)),
            self._counting.hit(FAILURES_OF_ADDRESS, network),
        )
        return max((wait for wait in waits if wait is not None), default=None)


def _tries(username: str, network: str) -> str:
    """Name the tries at a user from a network; hashed, for whoever guesses may send any text."""
    digest = hashlib.sha256(username.encode(errors="surrogatepass")).hexdigest()
    return f"{network} {digest}"


def _network(address: str) -> str:
    """What of an address one sender cannot change at will.

    >>> _network("192.0.2.7")
    '192.0.2.7'
    >>> _network("2001:db8:1:2:3:4:5:6")
    '2001:db8:1:2::'
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a socket without an address
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False).network_address)
