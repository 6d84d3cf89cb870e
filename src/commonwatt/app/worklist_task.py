"""A thing to do before a period can be locked; what resolves a finding."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from commonwatt.domain.catalogue import Meter, SiteCatalogue
from commonwatt.domain.findings import Finding, FindingRule, finding_id

_RESOLVED = "KIND is reset, rollover or faulty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do before [start, end) [Unix seconds] can be locked.

    ``kind`` is missing-meter, missing, unbalanced, unmetered, unallocated, estimated, or the rule
    of a finding. ``meter`` is None where it concerns the site. Words in capitals in ``command`` are
    for the operator to fill in.
    """

    kind: str
    meter: Meter | None
    start_at: int
    end_at: int
    text: str
    command: str


def task_of_finding(catalogue: SiteCatalogue, finding: Finding) -> Task:
    """Return what is to do about a finding that needs a decision."""
    meter = next(each for each in catalogue.meters if each.number == finding.meter)
    id_ = finding_id(catalogue.site.id, meter.id, finding)
    text, command = _resolution(meter, finding, id_)
    return Task(
        kind=finding.rule.value,
        meter=meter,
        start_at=finding.start_at,
        end_at=finding.end_at,
        text=f"{meter.name}: {text}",
        command=command,
    )


def _resolution(meter: Meter, finding: Finding, id_: str) -> tuple[str, str]:
    """What a finding means to the operator, and the command that resolves it."""
    resolve = f"commonwatt resolve {id_} --as KIND"
    if finding.rule is FindingRule.INDEX_BREAK:
        return f"the index fell; {_RESOLVED}, or declare the exchange of the device", resolve
    if finding.rule is FindingRule.POWER_ABOVE_LIMIT:
        return f"more than the meter or the connection can carry; {_RESOLVED}", resolve
    start, end = _utc(finding.start_at), _utc(finding.end_at)
    if finding.rule is FindingRule.CATCH_UP:
        text = "a step made up for a standstill; spread it, or declare max_per_hour if it was true"
        return text, _spreading(meter, finding, id_)
    if finding.rule is FindingRule.SERIAL_CHANGED:
        indexes = f"--end-index {finding.register}=KWH --start-index {finding.register}=KWH"
        text = "another device counts; declare the exchange with its indexes"
        return text, f"commonwatt exchange {meter.id} --at {end} {indexes}"
    text = "it cannot be right as it stands; set what it was, or --clear it"
    span = f"--start {start} --end {end}"
    return text, f"commonwatt edit {meter.id} {span} --energy KWH --reason TEXT"


def _spreading(meter: Meter, finding: Finding, id_: str) -> str:
    """The command that spreads what a step made up for over the standstill before it."""
    if meter.interval_s is None:
        return f"commonwatt resolve {id_} --as faulty"
    units = Decimal(finding.evidence["energy"]) / 1_000
    span = f"--start {_utc(finding.start_at)} --end {_utc(finding.end_at)}"
    return f"commonwatt edit {meter.id} {span} --energy {units:f} --reason TEXT"


def _utc(instant_at: int) -> str:
    return f"{np.datetime64(instant_at, 's')}Z"
