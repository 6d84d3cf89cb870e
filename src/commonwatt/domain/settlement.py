"""Settling: from the judged meters of a group to load profiles, site balance and shares.

One pure function of catalogue and readings. Every quarter-hour is computed from the facts that hold
at its start and from nothing of another quarter-hour's result.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonwatt.domain.catalogue import Group, Medium, SiteCatalogue
from commonwatt.domain.findings import Finding
from commonwatt.domain.load_profile import LoadProfile, SiteBalance
from commonwatt.domain.meter_energy import MeterEnergy
from commonwatt.domain.rule_meter import add_rule_meters
from commonwatt.domain.site_books import SiteBooks
from commonwatt.domain.vee.physical_meter import JudgedMeter, meter_energy


@dataclass(frozen=True, slots=True)
class Settlement:
    """The quarter-hours [first, end) of a group, settled.

    ``profiles`` of the meters that are alive in the run; ``balances`` by medium (electricity
    settles charge points too); ``findings`` of the readings in sight, which may reach beyond the
    run.
    """

    first_quarter: int
    end_quarter: int
    profiles: tuple[LoadProfile, ...]
    balances: Mapping[Medium, SiteBalance]
    findings: tuple[Finding, ...]


def settle(
    catalogue: SiteCatalogue,
    group: Group,
    judged_meters: Iterable[JudgedMeter],
    first_quarter: int,
    end_quarter: int,
) -> Settlement:
    """Settle the quarter-hours [first, end) of a group of a site.

    ``judged_meters`` holds every physical meter of the group whose readings were ever said.
    """
    energies: dict[int, MeterEnergy] = {}
    findings: list[Finding] = []
    for judged in judged_meters:
        energy, doubts = meter_energy(judged, first_quarter, end_quarter)
        energies[judged.meter.number] = energy
        for register in judged.registers.values():
            findings.extend(register.findings)
        findings.extend(doubts)
    meters = catalogue.meters_of(group)
    add_rule_meters(catalogue, meters, energies, first_quarter, end_quarter, findings)
    books = SiteBooks(catalogue, group, meters, energies, first_quarter, end_quarter)
    books.close()
    return Settlement(
        first_quarter, end_quarter, books.profiles(), books.balances(), tuple(findings)
    )
