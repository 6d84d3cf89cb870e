"""When a site's data begin."""

from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import SiteCatalogue
from commonwatt.domain.quarter_hours import day_of
from commonwatt.domain.vee.life import OLDEST_STAMP_AT


def first_reading_at(snapshot: Snapshot, catalogue: SiteCatalogue) -> int | None:
    """Return the instant of the first reading stored of a site [Unix seconds], None without any.

    Whether it counts or not: the site was there when it was said. Stamps before 2000 apart.
    """
    site = catalogue.site.number
    first_used_day = day_of(OLDEST_STAMP_AT)
    first_days = {
        meter.number: days[0]
        for meter in catalogue.meters
        if (days := snapshot.readings.days_after(site, meter.number, first_used_day, 1))
    }
    if not first_days:
        return None
    day = min(first_days.values())
    meters = [meter for meter, first_day in first_days.items() if first_day == day]
    stored = snapshot.readings.readings(site, meters, day, day + 1)
    return min(int(readings.stamps.min()) for readings in stored.values())
