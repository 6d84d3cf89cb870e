"""All rules on what is possible and hardly true, over the quarter-hours of a settlement."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, Mode, SiteCatalogue
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.plausibility.clock import clock_skews
from commonwatt.domain.plausibility.days.both_ways import imports_and_exports
from commonwatt.domain.plausibility.days.frozen import frozen_registers
from commonwatt.domain.plausibility.days.night import nights, productions_at_night
from commonwatt.domain.plausibility.days.register_check import register_mismatches
from commonwatt.domain.plausibility.days.site_sum import site_sums
from commonwatt.domain.plausibility.days.whole_days import WholeDays
from commonwatt.domain.plausibility.steps.catch_up import catch_ups
from commonwatt.domain.plausibility.steps.counted import counted_spans
from commonwatt.domain.plausibility.steps.gap import gaps
from commonwatt.domain.plausibility.steps.power import powers_above_limit
from commonwatt.domain.plausibility.steps.unusual_step import unusual_steps


def plausibility_findings(
    catalogue: SiteCatalogue,
    group: Group,
    judged_meters: Iterable[JudgedMeter],
    energies: Mapping[int, MeterEnergy],
    balances: Mapping[Medium, SiteBalance],
    first_quarter: int,
    end_quarter: int,
) -> list[Finding]:
    """Return what is implausible about the quarter-hours [first, end) and the readings in them."""
    findings: list[Finding] = []
    start_at, end_at = first_quarter * QUARTER_S, end_quarter * QUARTER_S
    meters = []
    for judged in judged_meters:
        findings += judged.conflicts
        findings += _about_readings(catalogue, judged, start_at, end_at)
        meters.append(judged.meter)
    days = WholeDays.within(first_quarter, end_quarter)
    if days.first_day == days.end_day:
        return findings
    findings += _about_days(catalogue, meters, energies, days)
    if group is Group.ELECTRICITY and Medium.ELECTRICITY in balances:
        members = catalogue.meters_of(group)
        findings += site_sums(members, energies, balances[Medium.ELECTRICITY], days)
    return findings


def _about_readings(
    catalogue: SiteCatalogue, judged: JudgedMeter, start_at: int, end_at: int
) -> list[Finding]:
    meter = judged.meter
    findings: list[Finding] = []
    for register in sorted(judged.registers):
        for counted in counted_spans(judged.registers[register]):
            findings += gaps(meter, register, counted, start_at, end_at)
            caught_up = catch_ups(catalogue, judged, register, counted, start_at, end_at)
            explained = {finding.end_at for finding in caught_up}
            powers = powers_above_limit(catalogue, meter, register, counted, start_at, end_at)
            findings += caught_up
            findings += [each for each in powers if each.end_at not in explained]
            explained |= {finding.end_at for finding in powers}
            learned = judged.ordinary.get(register)
            unusual = unusual_steps(meter, register, counted, learned, start_at, end_at)
            findings += [each for each in unusual if each.end_at not in explained]
    if meter.interval_s is None:
        findings += _clocks(judged, start_at, end_at)
    return findings


def _clocks(judged: JudgedMeter, start_at: int, end_at: int) -> list[Finding]:
    """Doubt the clock of a meter once a day, by the first register that tells."""
    by_day: dict[int, Finding] = {}
    for register in sorted(judged.registers):
        stamps = judged.registers[register].accepted_stamps
        for found in clock_skews(judged.meter, register, stamps, start_at, end_at):
            by_day.setdefault(found.start_at, found)
    return [by_day[at] for at in sorted(by_day)]


def _with_battery(
    meters: Sequence[Meter], energies: Mapping[int, MeterEnergy], days: WholeDays
) -> NDArray[np.bool_]:
    """Tell for each day whether a battery was alive."""
    found = np.zeros(days.end_day - days.first_day, np.bool_)
    for meter in meters:
        energy = energies.get(meter.number)
        if energy is not None and any(facts.mode is Mode.BATTERY for facts in meter.facts):
            modes = [meter.facts_at(at).mode is Mode.BATTERY for at in days.starts_at.tolist()]
            found |= np.array(modes, np.bool_) & days.rows(energy.alive).any(axis=1)
    return found


def _about_days(
    catalogue: SiteCatalogue,
    meters: Sequence[Meter],
    energies: Mapping[int, MeterEnergy],
    days: WholeDays,
) -> list[Finding]:
    latitude = catalogue.site.latitude
    has_battery = _with_battery(meters, energies, days)
    produces = any(facts.mode is Mode.PRODUCTION for meter in meters for facts in meter.facts)
    dark = nights(catalogue.site, days) if produces else None
    findings: list[Finding] = []
    for meter in meters:
        energy = energies.get(meter.number)
        if energy is None:
            continue
        findings += frozen_registers(meter, energy, days, latitude, has_battery)
        findings += imports_and_exports(meter, energy, days)
        findings += register_mismatches(catalogue, meter, energies, days)
        if dark is not None:
            findings += productions_at_night(meter, energy, days, dark)
    return findings
