"""Settling: from the judged meters of a group to load profiles, site balance and shares.

One pure function of catalogue and readings. Every quarter-hour is computed from the facts that hold
at its start and from nothing of another quarter-hour's result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commonwatt.domain.balance.group_balance import GroupBalance
from commonwatt.domain.balance.rule_meter import add_rule_meters
from commonwatt.domain.energy.physical_meter import JudgedMeter, estimated_spans, meter_energy
from commonwatt.domain.energy.register_gaps import EstimatedSpan
from commonwatt.domain.energy.substitute_values import add_substitute_values
from commonwatt.domain.metering.catalogue import Group, Medium, SiteCatalogue
from commonwatt.domain.metering.edits import Edit, apply_edits
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.load_profile import LoadProfile, SiteBalance
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.plausibility.days.unused import with_unused_doubted
from commonwatt.domain.plausibility.findings import plausibility_findings


@dataclass(frozen=True, slots=True)
class Settlement:
    """The quarter-hours [first, end) of a group, settled.

    ``profiles`` of the meters that are alive in the run; ``balances`` by medium (electricity
    settles charge points too); ``findings`` of the readings in sight and ``estimated``, the gaps
    that meet the run, may reach beyond it.
    """

    first_quarter: int
    end_quarter: int
    profiles: tuple[LoadProfile, ...]
    balances: Mapping[Medium, SiteBalance]
    findings: tuple[Finding, ...]
    estimated: tuple[EstimatedSpan, ...]


def settle(
    catalogue: SiteCatalogue,
    group: Group,
    judged_meters: Iterable[JudgedMeter],
    first_quarter: int,
    end_quarter: int,
    edits: Sequence[Edit] = (),
) -> Settlement:
    """Settle the quarter-hours [first, end) of a group of a site.

    ``judged_meters`` holds every physical meter of the group whose readings were ever said,
    ``edits`` all that touch the run.
    """
    physical = tuple(judged_meters)
    energies, findings = group_energies(
        catalogue, group, physical, first_quarter, end_quarter, edits
    )
    meters = catalogue.meters_of(group)
    group_balance = GroupBalance(catalogue, group, meters, energies, first_quarter, end_quarter)
    group_balance.compute()
    balances = group_balance.balances()
    findings += plausibility_findings(
        catalogue, group, physical, energies, balances, first_quarter, end_quarter
    )
    estimated = [
        span for judged in physical for span in estimated_spans(judged, first_quarter, end_quarter)
    ]
    return Settlement(
        first_quarter,
        end_quarter,
        group_balance.profiles(),
        balances,
        tuple(findings),
        tuple(estimated),
    )


def group_energies(
    catalogue: SiteCatalogue,
    group: Group,
    physical: Sequence[JudgedMeter],
    first_quarter: int,
    end_quarter: int,
    edits: Sequence[Edit] = (),
) -> tuple[dict[int, MeterEnergy], list[Finding]]:
    """Return the energies of the meters of a group over [first, end), and what was found.

    Edits act on physical meters before rules name them, and on what a rule gives.
    """
    energies: dict[int, MeterEnergy] = {}
    findings: list[Finding] = []
    zone = catalogue.site.timezone
    for judged in physical:
        energy, overflows = meter_energy(judged, first_quarter, end_quarter, zone)
        energies[judged.meter.number], unused = with_unused_doubted(judged, energy, first_quarter)
        for register in judged.registers.values():
            findings.extend(register.findings)
        findings += [*overflows, *unused]
    add_substitute_values(catalogue, physical, energies, first_quarter, end_quarter)
    for judged in physical:
        meter, energy = judged.meter, energies[judged.meter.number]
        energies[meter.number] = apply_edits(meter, energy, edits, first_quarter)
    meters = catalogue.meters_of(group)
    add_rule_meters(catalogue, meters, energies, first_quarter, end_quarter, findings, edits)
    return energies, findings
