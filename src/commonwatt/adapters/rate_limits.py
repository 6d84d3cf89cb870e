"""How often somebody may ask: requests of an account, and sign-ins.

Counted by the ``limits`` library in windows that begin with their first hit. Where the counters
live depends on who has to share them: in memory for one process, in a small file for several on
SQLite, in the database or in Redis for several machines. Counters that cannot be reached never stop
the service: each process then counts for itself until they are back.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable

from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from commonwatt.adapters.rate_counters import MemoryCounters
from commonwatt.app.accounts.networks import networks

_log = logging.getLogger(__name__)

REQUESTS = RateLimitItemPerSecond(1, namespace="requests")
FAILURES_OF_USER = RateLimitItemPerMinute(5, namespace="failures-user")
FAILURES_OF_ADDRESS = RateLimitItemPerMinute(50, namespace="failures-address")
FAILURES_OF_PREFIX = RateLimitItemPerMinute(200, namespace="failures-prefix")
FAILURES_EVERYWHERE = RateLimitItemPerHour(100, namespace="failures-everywhere")
SIGN_INS_OF_USER = RateLimitItemPerMinute(60, namespace="sign-ins-user")
KNOWN_NETWORK = RateLimitItemPerDay(1, multiples=30, namespace="signed-in-from")
"""Used up by the first right sign-in: a network that somebody signed in from."""

TRY_AGAIN_S = 15.0
"""So long counters that failed are not asked again."""


class _Counting:
    """Fixed windows over shared counters, or over the process's own while the shared ones fail."""

    def __init__(self, counters: Storage, clock: Callable[[], float]) -> None:
        self._shared = FixedWindowRateLimiter(counters)
        self._own = FixedWindowRateLimiter(MemoryCounters(clock))
        self._clock = clock
        self._failing = False
        self._failed_at: float | None = None

    def hit(self, limit: RateLimitItem, who: str) -> int | None:
        """Count one; the seconds to wait if that is over the limit."""
        return self._ask(lambda windows: windows.hit(limit, who), limit, who)

    def test(self, limit: RateLimitItem, who: str) -> int | None:
        """The seconds to wait if one more would be over the limit; counts nothing."""
        return self._ask(lambda windows: windows.test(limit, who), limit, who)

    def _ask(
        self, allowed: Callable[[FixedWindowRateLimiter], bool], limit: RateLimitItem, who: str
    ) -> int | None:
        if self._are_away():
            return self._answer(self._own, allowed, limit, who)
        try:
            wait_s = self._answer(self._shared, allowed, limit, who)
        except StorageError as error:
            if not self._failing:
                _log.warning("shared rate counters fail; counting per process: %s", error)
            self._failing, self._failed_at = True, self._clock()
            return self._answer(self._own, allowed, limit, who)
        if self._failing:
            _log.warning("shared rate counters are back")
        self._failing, self._failed_at = False, None
        return wait_s

    def _are_away(self) -> bool:
        """Whether the shared counters failed a short while ago; the next one to ask tries again.

        Each try may take as long as they are waited for: not every request makes one.
        """
        failed_at, now = self._failed_at, self._clock()
        if failed_at is None:
            return False
        if 0 <= now - failed_at < TRY_AGAIN_S:
            return True
        self._failed_at = now
        return False

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


class SignInLimits:
    """Holds back who guesses passwords, and who signs in again and again.

    Failures: 5 a minute per user and network, 50 per network, 200 per IPv6 /48, and 100 an hour per
    user over all networks. Where these last are used up, networks from which somebody signed in to
    the account within 30 days go on as before: nobody locks the owner out from where he always was,
    and others wait an hour at most. Right sign-ins: 60 a minute per user and network.

    Users are hashed, for whoever guesses may send any text.
    """

    def __init__(self, counters: Storage, clock: Callable[[], float] = time.time) -> None:
        self._counting = _Counting(counters, clock)

    def wait_s(self, username: str, address: str) -> int | None:
        """None if a sign-in may be tried now, else the whole seconds to wait."""
        user, (network, *wider) = _hashed(username), networks(address)
        test = self._counting.test
        waits = [
            test(FAILURES_OF_USER, f"{network} {user}"),
            test(SIGN_INS_OF_USER, f"{network} {user}"),
            test(FAILURES_OF_ADDRESS, network),
            *(test(FAILURES_OF_PREFIX, each) for each in wider),
        ]
        everywhere = test(FAILURES_EVERYWHERE, user)
        if everywhere is not None and test(KNOWN_NETWORK, f"{network} {user}") is None:
            waits.append(everywhere)
        return max((wait for wait in waits if wait is not None), default=None)

    def count(self, username: str, address: str) -> int | None:
        """Count a failure; the seconds to wait if others have used the tries up in the meantime."""
        user, (network, *wider) = _hashed(username), networks(address)
        hit = self._counting.hit
        waits = [
            hit(FAILURES_OF_USER, f"{network} {user}"),
            hit(FAILURES_OF_ADDRESS, network),
            *(hit(FAILURES_OF_PREFIX, each) for each in wider),
        ]
        hit(FAILURES_EVERYWHERE, user)
        return max((wait for wait in waits if wait is not None), default=None)

    def count_right(self, username: str, address: str) -> None:
        """Count a sign-in that was right; its network is known from now on."""
        user, (network, *_) = _hashed(username), networks(address)
        self._counting.hit(SIGN_INS_OF_USER, f"{network} {user}")
        self._counting.hit(KNOWN_NETWORK, f"{network} {user}")


def _hashed(username: str) -> str:
    return hashlib.sha256(username.encode(errors="surrogatepass")).hexdigest()
