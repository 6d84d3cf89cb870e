"""When a site's data begin."""

from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import SiteCatalogue

_FIRST_USED_DAY = 10_957
"""2000-01-01; what is stamped before is not used."""


def first_reading_at(snapshot: Snapshot, catalogue: SiteCatalogue) -> int | None:
    """Return the instant of the site's first reading [Unix seconds], None without any."""
    site = catalogue.site.number
    first_days = {
        meter.number: days[0]
        for meter in catalogue.meters
        if (days := snapshot.readings.days_after(site, meter.number, _FIRST_USED_DAY, 1))
    }
    if not first_days:
        return None
    day = min(first_days.values())
    meters = [meter for meter, first_day in first_days.items() if first_day == day]
    stored = snapshot.readings.readings(site, meters, day, day + 1)
    return min(int(readings.stamps.min()) for readings in stored.values())
