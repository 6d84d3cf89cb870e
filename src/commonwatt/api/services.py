"""What the HTTP surface is given: ports, the clock, limits."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from commonwatt.app.authorize import GrantedSite, Tokens
from commonwatt.app.ports import Snapshot, Store
from commonwatt.app.sign_in import SignIn
from commonwatt.domain.catalogue import Group, SiteCatalogue

_CATALOGUES_KEPT = 1024
# Fewer than a database's connections, and writers apart from readers: who waits for a lock holds no
# read up.
_READS_AT_ONCE = 8
_WRITES_AT_ONCE = 4
_COMPUTATIONS_AT_ONCE = 2


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
    accepted write, so that settling begins at once.
    """

    store: Store
    sign_in: SignIn
    tokens: Tokens
    limits: RequestCounter
    clock: Callable[[], float]
    written: Callable[[], None]
    body_limit: int
    catalogues: Catalogues = field(default_factory=Catalogues)
    settled: SettledGroups = field(default_factory=SettledGroups)
    reading: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_READS_AT_ONCE)
    )
    computing: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_COMPUTATIONS_AT_ONCE)
    )
    writing: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_WRITES_AT_ONCE)
    )
