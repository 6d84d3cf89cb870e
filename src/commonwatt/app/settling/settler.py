"""Settling in the background, right after each commit."""

import logging
import threading
from collections.abc import Callable

from commonwatt.app.errors import DamagedDay, StoreError, StoreStopping
from commonwatt.app.ports import Store
from commonwatt.app.settling.damaged import mark_damaged
from commonwatt.app.settling.highest_days import learn_ordinary
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 2.0
"""How often to look for marks that another process made."""
_GATHER_S = 0.1
_GATHER_AT_MOST = 10
"""What comes in together is settled together, after 0.1 s of silence or 1 s; a read in between
settles for itself."""
_PAUSE_AFTER_FAILURE_S = 5.0
_PASSED_OVER = 30
"""How many times a group whose readings are damaged is passed over before it is tried again.

Days that rest on damaged readings stay marked, and reads of them tell it.
"""


class Settler:
    """A thread that settles whatever is dirty until it is stopped.

    Several may run on one store: they do the same work twice at worst, never differently. ``clock``
    gives Unix seconds; ``end_waiting`` lets the readings of a store count that are not ahead of now
    [Unix microseconds] any more, before each settling.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        end_waiting: Callable[[Store, int], object],
    ) -> None:
        self._store = store
        self._clock = clock
        self._end_waiting = end_waiting
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._told: set[str] = set()
        self._has_learned = False
        self._passed_over: dict[tuple[int, Group], int] = {}
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)

    def start(self) -> None:
        """Start settling."""
        self._thread.start()

    def notify(self) -> None:
        """Say that something was written, so that settling begins soon."""
        self._wake.set()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Stop after the run of days at hand; what is left stays marked."""
        self._stopped.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._wake.wait(_LOOK_EVERY_S):
                self._gather()
            try:
                self._settle_all()
                if not self._has_learned:
                    self._has_learned = learn_ordinary(
                        self._store, lambda: not self._stopped.is_set()
                    )
            except StoreStopping:
                return
            except StoreError as error:
                _log.warning("settling is put off: %s", error)
                self._stopped.wait(_PAUSE_AFTER_FAILURE_S)

    def _gather(self) -> None:
        """Wait until nothing has come in for a moment, but not for long."""
        for _ in range(_GATHER_AT_MOST):
            self._wake.clear()
            if not self._wake.wait(_GATHER_S):
                return

    def _settle_all(self) -> None:
        mark_damaged(self._store)
        self._end_waiting(self._store, int(self._clock() * 1_000_000))
        with self._store.snapshot() as snapshot:
            groups = snapshot.results.dirty_groups()
        for site, group in groups:
            if self._stopped.is_set():
                return
            if self._passed_over.get((site, group), 0):
                self._passed_over[site, group] -= 1
                continue
            try:
                settle_site(self._store, site, group)
            except DamagedDay as damage:
                # Told once, and no reason to let others wait.
                if str(damage) not in self._told:
                    self._told.add(str(damage))
                    _log.error("%s", damage)
                self._passed_over[site, group] = _PASSED_OVER
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - see below
                # The barrier that a request has too: a fault in one site's data must not end
                # settling for all others until somebody restarts the process.
                _log.exception("site %d: %s cannot be settled", site, group)
                self._stopped.wait(_PAUSE_AFTER_FAILURE_S)
