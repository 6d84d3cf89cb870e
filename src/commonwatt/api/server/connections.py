"""The connections of a process: how many there may be, and who is too slow to keep one.

uvicorn closes what is idle after an answer and knows no other limit of time. So once a second each
connection is asked here whether its time is over.
"""

import asyncio
import errno
import ipaddress
import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from commonwatt.api.http.problems import OVERLOADED, TOO_MANY_CONNECTIONS, Problem
from commonwatt.api.http.throttled_log import ThrottledLog
from commonwatt.app.accounts.networks import networks

CONNECTIONS = "connections"
"""The key of the process's connections in the state of a request's scope."""
LOOK_EVERY_S = 1.0
_TOLD_FOR_S = 60.0
_RETRY = {"Retry-After": "10"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may take for what [s], and how many there may be at once.

    Connections from ``proxies`` are not counted by address: there everybody has the same.
    """

    head_s: int = 20
    body_s: int = 60
    idle_s: int = 30
    write_s: int = 30
    in_all: int = 2000
    per_address: int = 200
    proxies: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = ()


class Connection(Protocol):
    """What is asked once a second, and gives way to others where there is no room."""

    @property
    def is_waiting(self) -> bool:
        """Whether it has no whole head of a request, and no answer is due."""

    def give_way(self) -> None:
        """End it."""

    def look(self, now: float) -> None:
        """End it if its time is over; ``now`` is the event loop's."""


class Connections:
    """The open connections of this process."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.throttled_log = ThrottledLog(_log)
        self._open: dict[Connection, str | None] = {}
        self._by_network: Counter[str] = Counter()
        self._looking: asyncio.AbstractEventLoop | None = None
        self._short_at: float | None = None

    def __getstate__(self) -> ConnectionLimits:
        """Nothing but the limits: each process has connections of its own."""
        return self.limits

    def __setstate__(self, limits: ConnectionLimits) -> None:
        """Begin with none."""
        self.__init__(limits)  # type: ignore[misc]

    def admit(
        self, connection: Connection, host: str | None, loop: asyncio.AbstractEventLoop
    ) -> Problem | None:
        """Count a new connection in; the problem to tell and to end it with if it is too many."""
        if self._looking is not loop:
            self._looking = loop
            loop.call_later(LOOK_EVERY_S, self._look, loop)
        network = self._network(host)
        if network is not None and self._by_network[network] >= self.limits.per_address:
            self.throttled_log.warn(
                "%d connections of %s are open, more are refused: "
                "see COMMONWATT_CONNECTIONS_PER_ADDRESS",
                self._by_network[network],
                network,
            )
            detail = f"at most {self.limits.per_address} connections of one address"
            return Problem(kind=TOO_MANY_CONNECTIONS, detail=detail, headers=_RETRY)
        if len(self._open) >= self.limits.in_all and not self._has_made_room(host):
            return Problem(
                kind=OVERLOADED, detail="too many connections are open here", headers=_RETRY
            )
        self._open[connection] = network
        if network is not None:
            self._by_network[network] += 1
        return None

    def _has_made_room(self, host: str | None) -> bool:
        """Whether the one that has been open longest, of those that only wait, gave way."""
        self._short_at = time.monotonic()
        self.throttled_log.warn(
            "%d connections are open, and here is that of %s: one that waits gives way, else it is "
            "refused; see COMMONWATT_CONNECTIONS and the limit of open files",
            len(self._open),
            host,
        )
        longest = next((each for each in self._open if each.is_waiting), None)
        if longest is None:
            return False
        self.release(longest)
        longest.give_way()
        return True

    def release(self, connection: Connection) -> None:
        """Count a connection out, if it was counted in."""
        network = self._open.pop(connection, None)
        if network is not None:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]

    @property
    def are_short(self) -> bool:
        """Whether connections or open files ran out within the last minute."""
        return self._short_at is not None and time.monotonic() - self._short_at < _TOLD_FOR_S

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(LOOK_EVERY_S, self._look, loop)
        now = loop.time()
        for connection in list(self._open):
            connection.look(now)
        self._look_for_files()

    def _look_for_files(self) -> None:
        """Tell when no file can be opened: the event loop then drops connections without a word."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._short_at = time.monotonic()
            self.throttled_log.warn(
                "no file can be opened any more (%s), new connections are lost: "
                "raise the limit of open files",
                error.strerror,
            )

    def _network(self, host: str | None) -> str | None:
        """What of an address one sender cannot change at will; None for what is not counted."""
        if host is None:
            return None
        address = ipaddress.ip_address(host.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address in proxies for proxies in self.limits.proxies):
            return None
        return networks(host)[0]
