"""When a site's data begin."""

import numpy as np

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.ports import Snapshot
from commonwatt.app.settling.plausible_days import implausible_before
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, SiteCatalogue
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import effective_readings
from commonwatt.domain.vee.history import usable

_STEP_DAYS = 2


def first_reading_at(
    snapshot: Snapshot, catalogue: SiteCatalogue, scope: AccessScope = WHOLE
) -> int | None:
    """Return the instant of the first reading in sight [Unix seconds], None without any.

    Of those that count and whose stamp can be right: not before 2000, not ahead of its delivery,
    not years before the others of its meter.
    """
    site = catalogue.site.number
    withdrawn = snapshot.readings.withdrawn(site)
    since_at = max(OLDEST_STAMP_AT, scope.history_from or OLDEST_STAMP_AT)
    instants = [
        _first_of(snapshot, site, meter, withdrawn, since_at)
        for meter in catalogue.meters
        if scope.opens(meter)
    ]
    return min((at for at in instants if at is not None), default=None)


def _first_of(
    snapshot: Snapshot, site: int, meter: Meter, withdrawn: frozenset[int], since_at: int
) -> int | None:
    spans = snapshot.readings.register_spans(site, [meter.number]).get(meter.number, {})
    day = max(day_of(since_at), implausible_before(meter, spans) or 0)
    while days := snapshot.readings.days_after(site, meter.number, day, _STEP_DAYS):
        stored = snapshot.readings.readings(site, [meter.number], days[0], days[-1] + 1)
        effective = [
            effective_readings(stored.get(meter.number), register, withdrawn)
            for register in REGISTERS_OF[meter.medium]
        ]
        stamps = np.concatenate([each.stamps[usable(each)] for each in effective])
        stamps = stamps[stamps >= since_at]
        if len(stamps):
            return int(stamps.min())
        day = days[-1] + 1
    return None
