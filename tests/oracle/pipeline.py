"""The whole way, from deliveries of readings to quarter-hours, balance and shares."""

from dataclasses import dataclass, field

from tests.oracle.balance import (
    SiteQuarter,
    TotalQuarter,
    members,
    site_quarter,
    total_quarter,
)
from tests.oracle.facts import ELECTRICITY, QUARTER_S, Building, Finding, Medium, MeterQuarter
from tests.oracle.index_profile import SLOW_MEDIA
from tests.oracle.meters import MeterQuarters


@dataclass(frozen=True)
class Settled:
    """What the oracle says of a building, by quarter number (Unix seconds / 900).

    `findings` of readings cover the whole history, those of energy beyond int32 the quarters
    that were asked for.
    """

    meters: dict[str, dict[int, MeterQuarter]] = field(default_factory=dict)
    site: dict[int, SiteQuarter] = field(default_factory=dict)
    totals: dict[Medium, dict[int, TotalQuarter]] = field(default_factory=dict)
    findings: set[Finding] = field(default_factory=set)


def settle(building: Building, quarters: range) -> Settled:
    """Settle the building in each of the `quarters`, each from scratch and on its own."""
    of_meter = MeterQuarters(building)
    settled = Settled({meter.id: {} for meter in building.meters})
    for number in quarters:
        start = number * QUARTER_S
        now = [(meter, of_meter.quarter(meter.id, start)) for meter in building.meters]
        for meter, quarter in now:
            settled.meters[meter.id][number] = quarter
        settled.site[number] = site_quarter(
            members(now, start, ELECTRICITY),
            start,
            building.balance_at(start),
            building.key_at(start),
            building.battery_at(start),
        )
        for medium in SLOW_MEDIA:
            settled.totals.setdefault(medium, {})[number] = total_quarter(
                members(now, start, (medium,))
            )
    for judged in of_meter.judged.values():
        settled.findings.update(judged.history.findings)
        settled.findings.update(judged.unused.findings)
    settled.findings.update(of_meter.overflows)
    return settled
