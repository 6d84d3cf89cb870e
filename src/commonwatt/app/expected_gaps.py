"""What lies between readings that are as far apart as is expected of a meter."""

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.meter_history import judge_meters
from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import Meter, SiteCatalogue
from commonwatt.domain.quality import Quality
from commonwatt.domain.quarter_hours import DAY_QUARTERS, QUARTER_S, first_quarter_from
from commonwatt.domain.vee.pipeline import JudgedRegister
from commonwatt.domain.vee.register_gaps import interpolated_gap_s


def as_expected(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, first_quarter: int, length: int
) -> NDArray[np.bool_]:
    """Mark the quarter-hours of a meter that are estimated because it is read so seldom.

    They lie between two used readings as far apart as is expected, neither of which was sent as
    estimated.
    """
    marked = np.zeros(length, np.bool_)
    end_quarter = first_quarter + length
    days = first_quarter // DAY_QUARTERS, -(-end_quarter // DAY_QUARTERS)
    limit_s, expected_s = interpolated_gap_s(meter.medium), meter.longest_expected_s
    for judged in judge_meters(snapshot.readings, catalogue, [meter], *days):
        for register in judged.registers.values():
            for segment in register.segments if isinstance(register, JudgedRegister) else ():
                used = segment.readings
                apart_s = np.diff(used.stamps)
                fits = (apart_s > limit_s) & (apart_s <= expected_s)
                fits &= np.minimum(used.at_best[1:], used.at_best[:-1]) > Quality.ESTIMATED.value
                for before in np.flatnonzero(fits).tolist():
                    start = int(used.stamps[before]) // QUARTER_S - first_quarter
                    end = first_quarter_from(int(used.stamps[before + 1])) - first_quarter
                    marked[max(start, 0) : max(end, 0)] = True
    return marked
