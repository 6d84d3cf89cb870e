"""Explaining a quarter-hour: which readings, which rule, which key, known when.

Told from what answers it: the value is read as series are, and what it rests on comes from the very
functions that settle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.findings.lacking_registers import LackingRegister, with_beginnings
from commonwatt.app.findings.quarter_versions import Version, quarter_versions, writes_touching
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.used_readings import UsedReading, used_readings
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries, read_meter_series
from commonwatt.app.settling.load import judge_meters
from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.explanation.balance import QuarterBalance, quarter_balance
from commonwatt.domain.explanation.boundaries import (
    Boundary,
    UsedInterval,
    boundaries,
    used_intervals,
)
from commonwatt.domain.explanation.estimate import Estimate, estimate_of
from commonwatt.domain.explanation.rule_tree import RuleTree, rule_tree
from commonwatt.domain.metering.catalogue import (
    Device,
    Group,
    Meter,
    MeterFacts,
    Register,
    SiteCatalogue,
)
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Method
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S
from commonwatt.domain.settlement import group_energies


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that a quarter-hour of a meter rests on.

    ``answered`` is what series answer of it. ``readings`` and ``boundaries`` are of a physical
    meter; ``device`` is the one that is declared for it; ``edits`` touch the quarter-hour, the last
    that is not undone counts, and ``accepted`` is the one that takes it as it is; ``rule`` is that
    of a rule meter; ``balance`` that of electricity, ``lacking`` what it misses. Of a quarter-hour
    before ``locked_until_at`` the answer is what was locked, the rest what it would be without, and
    ``locked_despite`` why it was locked although something was to do. ``generation`` is that of the
    site now.
    """

    meter: Meter
    quarter: int
    facts: MeterFacts
    answered: MeterSeries
    readings: tuple[UsedReading, ...]
    boundaries: tuple[Boundary, ...]
    intervals: tuple[UsedInterval, ...]
    estimate: Estimate | None
    findings: tuple[Finding, ...]
    device: Device | None
    edits: tuple[Edit, ...]
    accepted: Edit | None
    rule: RuleTree | None
    balance: QuarterBalance | None
    lacking: tuple[LackingRegister, ...]
    versions: tuple[Version, ...]
    locked_until_at: int | None
    locked_despite: str | None
    generation: int


@dataclass(frozen=True, slots=True)
class _Settled:
    """A quarter-hour of a group as settling computes it, and what was judged for it."""

    judged: Mapping[int, JudgedMeter]
    energies: Mapping[int, MeterEnergy]
    edits: Sequence[Edit]


def explain_quarter(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    quarter: int,
    scope: AccessScope = WHOLE,
) -> Explanation:
    """Explain a quarter-hour of a meter.

    Findings, edits and the writes of versions are those in sight; what of the rest is told is for
    who writes the explanation to say.
    """
    site, group, start_at = catalogue.site.number, meter.medium.group, quarter * QUARTER_S
    facts, zone = meter.facts_at(start_at), catalogue.site.timezone
    answered = read_meter_series(snapshot, catalogue, meter, quarter, quarter + 1, with_method=True)
    settled = _settled(snapshot, catalogue, group, quarter)
    judged = settled.judged.get(meter.number)
    is_physical = judged is not None and facts.rule is None
    ends = boundaries(judged, facts, quarter, zone) if judged and is_physical else ()
    intervals = used_intervals(judged, facts, quarter) if judged and is_physical else ()
    method = Method(0 if answered.method is None else int(answered.method[0]))
    rule = rule_tree(catalogue, meter, settled.energies, quarter)
    touching = [
        each for each in settled.edits if each.meter == meter.number and scope.since(each.start_at)
    ]
    accepting = [each for each in touching if each.accepts and each.undone_us is None]
    balance = (
        quarter_balance(catalogue, meter, settled.energies, quarter)
        if group is Group.ELECTRICITY
        else None
    )
    leaves = {each.number for each in _leaves(rule) if scope.opens(each)}
    causes = _writes(snapshot, site, settled, {meter.number, *leaves}, quarter)
    return Explanation(
        meter=meter,
        quarter=quarter,
        facts=facts,
        answered=answered,
        readings=tuple(used_readings(snapshot, site, meter, _used(ends, intervals))),
        boundaries=ends,
        intervals=intervals,
        estimate=estimate_of(judged, facts, quarter, method, zone) if judged else None,
        findings=tuple(_findings(snapshot, catalogue, meter, quarter, judged, scope)),
        device=_device(meter, start_at) if is_physical else None,
        edits=tuple(each for each in touching if not each.accepts),
        accepted=accepting[-1] if accepting else None,
        rule=rule,
        balance=balance,
        lacking=tuple(with_beginnings(snapshot, catalogue, balance.missing, quarter))
        if balance
        else (),
        versions=tuple(quarter_versions(snapshot, catalogue, meter, quarter, causes)),
        locked_until_at=snapshot.locks.locked_until(site, group),
        locked_despite=_locked_despite(snapshot, site, group, start_at),
        generation=catalogue.generation,
    )


def _locked_despite(snapshot: Snapshot, site: int, group: Group, start_at: int) -> str | None:
    """Why the step that locked an instant was made although something was to do."""
    steps = (step for step in snapshot.locks.steps(site) if step.group is group)
    return next((step.despite for step in steps if step.until_at > start_at), None)


def _settled(snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, quarter: int) -> _Settled:
    """Settle the day of a quarter-hour as `settle_days` does, and keep what leads to it."""
    day = quarter // DAY_QUARTERS
    first, position = day * DAY_QUARTERS, quarter % DAY_QUARTERS
    meters = catalogue.meters_of(group)
    judged = judge_meters(snapshot.readings, catalogue, meters, day, day + 1)
    edits = snapshot.edits.edits(catalogue.site.number, day * DAY_S, (day + 1) * DAY_S)
    energies, _ = group_energies(catalogue, group, judged, first, first + DAY_QUARTERS, edits)
    start_at = quarter * QUARTER_S
    return _Settled(
        judged={each.meter.number: each for each in judged},
        energies={
            number: energy.part(position, position + 1) for number, energy in energies.items()
        },
        edits=[each for each in edits if each.start_at <= start_at < each.end_at],
    )


def _used(
    ends: Sequence[Boundary], intervals: Sequence[UsedInterval]
) -> Iterator[tuple[Register, int, int]]:
    for boundary in ends:
        for support in boundary.around:
            yield boundary.raw_register, support.at, support.index
    for interval in intervals:
        yield interval.raw_register, interval.end_at, interval.energy


def _writes(
    snapshot: Snapshot, site: int, settled: _Settled, leaves: set[int], quarter: int
) -> list[tuple[int, str]]:
    """What was written of a meter, and of those that its rule names, around a quarter-hour."""
    spans = [
        _span(settled.judged[number], quarter) for number in sorted(leaves & settled.judged.keys())
    ]
    edits = [each for each in settled.edits if each.meter in leaves and not each.accepts]
    return writes_touching(snapshot, site, spans, edits)


def _span(judged: JudgedMeter, quarter: int) -> tuple[int, int, int]:
    """The meter, and the instants of the accepted readings around a quarter-hour."""
    start_at, end_at = quarter * QUARTER_S, (quarter + 1) * QUARTER_S
    first_at, last_at = start_at, end_at
    for register in judged.registers.values():
        stamps = register.accepted_stamps
        before = int(np.searchsorted(stamps, start_at, side="right")) - 1
        after = int(np.searchsorted(stamps, end_at))
        if before >= 0:
            first_at = min(first_at, int(stamps[before]))
        if after < len(stamps):
            last_at = max(last_at, int(stamps[after]))
    return judged.meter.number, first_at, last_at


def _findings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    quarter: int,
    judged: JudgedMeter | None,
    scope: AccessScope,
) -> list[Finding]:
    """What was found of a meter that touches a quarter-hour; filed as late as its next reading."""
    start_at, end_at = quarter * QUARTER_S, (quarter + 1) * QUARTER_S
    until_at = end_at if judged is None else _span(judged, quarter)[2]
    day_at = start_at // DAY_S * DAY_S
    found = read_findings(snapshot, catalogue, day_at, until_at + DAY_S, scope)
    return [
        each
        for each in found
        if each.meter == meter.number and each.start_at <= end_at and each.end_at >= start_at
    ]


def _device(meter: Meter, at: int) -> Device | None:
    """The declared device in use at an instant; None where none is declared for it."""
    in_use = [each for each in meter.devices if each.from_at is None or each.from_at <= at]
    return in_use[-1] if in_use else None


def _leaves(rule: RuleTree | None) -> Iterator[Meter]:
    """The meters that a rule names, and those that theirs name."""
    for operand in rule.operands if rule else ():
        yield operand.meter
        yield from _leaves(operand.rule)
