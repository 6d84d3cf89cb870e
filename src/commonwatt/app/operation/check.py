"""Whether questions can be answered and readings taken: tried out, on the ways that both go."""

import logging
import threading
from enum import StrEnum

from commonwatt.app.errors import StoreBusy, StoreError, StoreFull
from commonwatt.app.ports import Store
from commonwatt.domain.metering.catalogue import Medium
from commonwatt.domain.metering.quarter_hours import day_of

_log = logging.getLogger(__name__)
TRIED_EVERY_S = 5.0
"""A try is a commit that waits for the disk, and who asks for it need not be signed in."""


class Writing(StrEnum):
    """The result of the last try to write."""

    OK = "ok"
    BUSY = "busy"
    FULL = "full"
    FAILING = "failing"


def read_as_answers_do(store: Store, now: float) -> None:
    """Read what an answer about today needs: an account, its site, what is settled.

    Raises whatever a question would have met: the errors of a store, and those of a fault
    of ours. Of an empty store there is nothing more to read than that it is.
    """
    with store.snapshot() as snapshot:
        granted = snapshot.first_grant()
        if granted is None:
            return
        account, site_id = granted
        access = snapshot.access(account, site_id)
        site = None if access is None else access.site
        assert site is not None, "the grant is of the same snapshot"
        catalogue = snapshot.catalogue.catalogue(site.number)
        snapshot.granted_sites(account)
        today = day_of(int(now))
        for medium in {meter.medium for meter in catalogue.meters} or {Medium.ELECTRICITY}:
            snapshot.results.dirty_days(site.number, medium.group, today, today + 1)
            snapshot.results.balance(site.number, medium, today, today + 1)


class WritingCheck:
    """Tries to write now and then, and remembers what became of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._trying = threading.Lock()
        self._last = Writing.OK
        self._tried_at: float | None = None

    @property
    def last(self) -> Writing:
        """What became of the last try."""
        return self._last

    def is_due(self, now: float) -> bool:
        """Whether the last try was long ago, by the caller's clock [s]."""
        return self._tried_at is None or not 0 <= now - self._tried_at < TRIED_EVERY_S

    def try_now(self, now: float) -> Writing:
        """Write a row of no meaning and wait for the disk; a try under way is not waited for."""
        if not self._trying.acquire(blocking=False):
            return self._last
        try:
            self._tried_at = now
            self._tell(self._tried(now))
        finally:
            self._trying.release()
        return self._last

    def _tried(self, now: float) -> tuple[Writing, str]:
        try:
            self._store.try_write(now)
        except StoreBusy as error:
            return Writing.BUSY, str(error)
        except StoreFull as error:
            return Writing.FULL, str(error)
        except StoreError as error:
            return Writing.FAILING, str(error)
        return Writing.OK, ""

    def _tell(self, tried: tuple[Writing, str]) -> None:
        became, why = tried
        if became is not self._last:
            if became is Writing.OK:
                _log.warning("writing works again")
            else:
                _log.warning("writing fails, reading goes on: %s", why)
        self._last = became
