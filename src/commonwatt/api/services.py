"""What the HTTP surface is given: ports, the clock, limits."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread

from commonwatt.api.http.pending_answers import PendingAnswers
from commonwatt.app.accounts.authorize import GrantedSite, Tokens
from commonwatt.app.accounts.sign_in import SignIn
from commonwatt.app.errors import StoreUnreachable
from commonwatt.app.operation.check import WritingCheck
from commonwatt.app.ports import Snapshot, Store
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue

R = TypeVar("R")
_CATALOGUES_KEPT = 1024
# Fewer than a database's connections, and writers apart from readers: who waits for a lock holds no
# read up.
_READS_AT_ONCE = 8
_WRITES_AT_ONCE = 4
_COMPUTATIONS_AT_ONCE = 2
# Parsing holds the interpreter: more at once would end none sooner, and hold more bodies in memory.
_PARSED_AT_ONCE = 2


class RequestCounter(Protocol):
    """Counts requests; ``blocking`` where that is a round trip, not for the event loop."""

    blocking: bool

    def hit(self, account: str, route: str) -> int | None:
        """None if the request may go on, else the whole seconds to wait."""


class Catalogues:
    """The catalogues of sites as this process last read them, by site and catalogue generation."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], SiteCatalogue] = OrderedDict()

    def of(self, snapshot: Snapshot, site: GrantedSite) -> SiteCatalogue:
        """The catalogue of a site as the snapshot has it."""
        key = (site.number, site.catalogue_generation)
        catalogue = self._kept.get(key)
        if catalogue is None:
            catalogue = snapshot.catalogue.catalogue(site.number)
            self._kept[key] = catalogue
            while len(self._kept) > _CATALOGUES_KEPT:
                self._kept.popitem(last=False)
        return catalogue


class SettledGroups:
    """Which groups of sites were seen without anything to settle, and at which generation.

    Only a change makes days dirty, and every change draws a new generation: a group once clean at a
    generation stays so as long as the site has it.
    """

    def __init__(self) -> None:
        self._clean_at: dict[tuple[int, Group], int] = {}

    def covers(
        self, snapshot: Snapshot, site: GrantedSite, group: Group, days: tuple[int, int]
    ) -> bool:
        """Whether nothing of the days [first, end) is to be settled first."""
        key = (site.number, group)
        if self._clean_at.get(key) == site.generation:
            return True
        if snapshot.results.dirty_days(site.number, group, *days):
            return False
        if not snapshot.results.dirty_days(site.number, group):
            self._clean_at[key] = site.generation
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What requests are answered with.

    ``clock`` gives Unix seconds; ``body_limit`` is in bytes; ``written`` is called after each
    accepted write, so that settling begins at once. ``patience_s``: so long a short read of a
    database elsewhere is waited for.
    """

    store: Store
    sign_in: SignIn
    tokens: Tokens
    limits: RequestCounter
    clock: Callable[[], float]
    written: Callable[[], None]
    body_limit: int
    writing_check: WritingCheck
    pending: PendingAnswers
    patience_s: float
    catalogues: Catalogues = field(default_factory=Catalogues)
    settled: SettledGroups = field(default_factory=SettledGroups)
    reading: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_READS_AT_ONCE)
    )
    computing: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_COMPUTATIONS_AT_ONCE)
    )
    parsing: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_PARSED_AT_ONCE)
    )
    writing: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_WRITES_AT_ONCE)
    )

    async def read_in_time(self, work: Callable[[], R], within_s: float | None = None) -> R:
        """Do a short read in a thread. Raises StoreUnreachable where the store does not answer.

        A thread that waits for a database which says nothing is left to itself: there are no more
        of them than connections.
        """
        if self.store.reads_inline:
            return await anyio.to_thread.run_sync(work, limiter=self.reading)
        try:
            with anyio.fail_after(self.patience_s if within_s is None else within_s):
                return await anyio.to_thread.run_sync(
                    work, limiter=self.reading, abandon_on_cancel=True
                )
        except TimeoutError as error:
            raise StoreUnreachable("the store does not answer") from error
