"""Judging all readings of a meter anew: which of them are to be held back."""

from dataclasses import replace

from commonwatt.app.ports import ReadingTables
from commonwatt.domain.metering.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.metering.readings import effective_readings
from commonwatt.domain.plausibility.meters.character import judge_character
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits
from commonwatt.domain.plausibility.meters.several_series import days_of_several


def rejudged(tables: ReadingTables, catalogue: SiteCatalogue, meter: Meter) -> Meter:
    """Return a meter with what its readings as a whole have held back, as it is declared now."""
    if meter.is_rule_meter:
        return meter
    site = catalogue.site.number
    spans = tables.register_spans(site, [meter.number]).get(meter.number)
    if not spans:
        return replace(meter, held=())
    first_day = min(span.first_day for span in spans.values())
    last_day = max(span.last_day for span in spans.values())
    stored = tables.readings(site, [meter.number], first_day, last_day + 1).get(meter.number)
    withdrawn = tables.withdrawn(site)
    registers = {
        Register(name): effective_readings(stored, Register(name), withdrawn) for name in spans
    }
    several = days_of_several(meter, stored, withdrawn)
    held = judge_character(meter, PowerLimits.of(catalogue, meter), registers, several)
    return replace(meter, held=held)
