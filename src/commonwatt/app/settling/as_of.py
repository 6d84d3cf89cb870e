"""What was known of a site at an instant of the past: a view of a snapshot as it was then.

Nothing is kept twice for it. Readings keep their delivery, catalogues, withdrawals and edits their
times; so a day whose result is younger than the instant is settled again from what was known, and
one that nothing has concerned since is read as it is stored.
"""

from collections.abc import Sequence
from typing import cast

from commonwatt.app.ports import Known, Snapshot
from commonwatt.app.settling.readings_as_of import ReadingsAsOf
from commonwatt.app.settling.results_as_of import LocksAsOf, ResultsAsOf
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.edits import Edit, edits_known_at


def view_as_of(
    snapshot: Snapshot, catalogue: SiteCatalogue, at_us: int
) -> tuple[Snapshot, SiteCatalogue]:
    """Return the snapshot and the catalogue of a site as they were at an instant.

    ``at_us`` [Unix microseconds]: known is what was recorded at or before it. Reads of the view
    answer what the store answered then, by today's rules; a meter that was declared later is not in
    the catalogue. What was locked by then and still is answers as it is locked. Where nothing has
    changed since, both are those of today.
    """
    site = catalogue.site.number
    known = snapshot.history.known_at(site, at_us)
    if known is None:
        return snapshot, catalogue
    then = snapshot.history.catalogue_at(site, at_us) or catalogue
    # The view answers what is read of results; nothing is written through it.
    return cast(Snapshot, _SnapshotThen(snapshot, then, known, at_us)), then


class _SnapshotThen:
    """The parts of a snapshot that settling and reading series ask, as they were."""

    def __init__(
        self, snapshot: Snapshot, catalogue: SiteCatalogue, known: Known, at_us: int
    ) -> None:
        self.readings = ReadingsAsOf(snapshot.readings, catalogue, known, at_us)
        self.edits = _EditsThen(snapshot, at_us)
        self.locks = LocksAsOf(snapshot, at_us)
        self.results = ResultsAsOf(snapshot, catalogue, known, self.locks)


class _EditsThen:
    def __init__(self, snapshot: Snapshot, at_us: int) -> None:
        self._edits = snapshot.edits
        self._at_us = at_us

    def edits(
        self, site: int, start_at: int | None = None, end_at: int | None = None
    ) -> Sequence[Edit]:
        return edits_known_at(self._edits.edits(site, start_at, end_at), self._at_us)
