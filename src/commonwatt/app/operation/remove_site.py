"""Removing a site with everything that is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.app.errors import CommonwattError
from commonwatt.app.ports import Snapshot, Store
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue

_ACTION = "remove site"


class SiteLocked(CommonwattError):
    """Groups of the site are locked: what was billed would be gone; the message names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContents:
    """What removing a site would delete.

    ``deliveries`` counts those of readings; their readings lie on the UTC days ``first_day`` to
    ``last_day``, both inclusive, None without any. ``locked`` are the groups with a lock.
    """

    meters: int
    sensors: int
    deliveries: int
    first_day: int | None
    last_day: int | None
    edits: int
    locked: Sequence[Group]


def site_contents(snapshot: Snapshot, catalogue: SiteCatalogue) -> SiteContents:
    """Return what is kept of a site."""
    site = catalogue.site.number
    deliveries = snapshot.readings.deliveries(site)
    days = [
        day
        for delivery in deliveries
        for day in (delivery.first_day, delivery.last_day)
        if day is not None
    ]
    return SiteContents(
        meters=len(catalogue.meters),
        sensors=len(catalogue.sensors),
        deliveries=len(deliveries),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        edits=len(snapshot.edits.edits(site)),
        locked=list(dict.fromkeys(step.group for step in snapshot.locks.steps(site))),
    )


def remove_site(
    store: Store, site: int, despite: str | None, account: str, now_at: int
) -> SiteContents:
    """Delete a site with all readings, results, locks and grants; return what there was.

    ``despite`` is the reason for which a site with locks is removed all the same. The audit trail
    keeps that it was. Raises `SiteLocked`, and the errors of a store.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        contents = site_contents(change, catalogue)
        if contents.locked and not despite:
            groups = ", ".join(contents.locked)
            raise SiteLocked(
                f"{catalogue.site.name} is locked ({groups}): what was billed would be gone"
            )
        change.catalogue.remove_site(site)
        said = f"{catalogue.site.name}, {contents.meters} meters"
        reason = f"{said}; despite locks: {despite}" if contents.locked else said
        change.audit(now_at, account, site, _ACTION, catalogue.site.id, reason)
    return contents
