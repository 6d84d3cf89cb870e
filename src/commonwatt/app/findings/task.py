"""A thing to do before a period can be locked, and the action that resolves it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from commonwatt.app.readings.held import how_to_declare, looks_like, looks_of
from commonwatt.domain.metering.catalogue import Meter, ResolutionKind, Site, SiteCatalogue
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id
from commonwatt.domain.metering.quarter_hours import QUARTER_S

_RAW = 1_000_000
"""mWh per kWh, ml per m3."""
_RESOLVED = "KIND is reset, rollover or faulty"


@dataclass(frozen=True, slots=True)
class ApplyDeclaration:
    """Declare the site anew."""


@dataclass(frozen=True, slots=True)
class ImportReadings:
    """Import readings of a meter."""

    meter_id: str | None


@dataclass(frozen=True, slots=True)
class ResolveFinding:
    """Say what a finding was."""

    finding: str
    kind: ResolutionKind | None = None


@dataclass(frozen=True, slots=True)
class DeclareExchange:
    """Declare that the device was exchanged, with the index [kWh, m3] before and after it."""

    meter_id: str
    at: int
    register: str
    index_before: Decimal
    index_after: Decimal


@dataclass(frozen=True, slots=True)
class EditQuarters:
    """Set the energy [kWh, m3] of the quarter-hours of [start, end) [Unix seconds]."""

    meter_id: str
    start_at: int
    end_at: int
    energy: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AcceptQuarters:
    """Take the quarter-hours of [start, end) [Unix seconds] as they are."""

    meter_id: str
    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True)
class AcceptDelivery:
    """Use the rows of a delivery that are held back."""

    number: int | None
    meter_id: str
    site_id: str


@dataclass(frozen=True, slots=True)
class UndoEdit:
    """Let an edit count no more."""

    number: int
    site_id: str


Action: TypeAlias = (
    ApplyDeclaration
    | ImportReadings
    | ResolveFinding
    | DeclareExchange
    | EditQuarters
    | AcceptQuarters
    | AcceptDelivery
    | UndoEdit
)
"""What resolves a task: a use case with its arguments; None is for the operator to fill in."""


class TaskState(StrEnum):
    """Whether something is to be done: OPEN keeps its period from being locked.

    LOCKED: the period was locked with it, so it informs; what resolves it makes a difference.
    ACCEPTED: somebody took what is estimated or implausible as it is; the action takes that back.
    """

    OPEN = "open"
    LOCKED = "locked"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do before [start, end) [Unix seconds] can be locked.

    ``kind`` is missing-meter, missing, missing-register, register-kind, unbalanced, unmetered,
    unallocated, unproduced, estimated, accepted, or the rule of a finding. ``meter`` is None where
    it concerns the site. ``action`` resolves it, and so does ``otherwise`` where it is given.
    """

    kind: str
    meter: Meter | None
    start_at: int
    end_at: int
    text: str
    action: Action
    otherwise: DeclareExchange | None = None
    state: TaskState = TaskState.OPEN


def acceptance(site: Site, meter: Meter, edit: Edit) -> Task:
    """Return that somebody accepted what is estimated or implausible of a meter: it informs."""
    return Task(
        kind="accepted",
        meter=meter,
        start_at=edit.start_at,
        end_at=edit.end_at,
        text=f"{meter.name} is accepted as it is by {edit.account}: {edit.reason}",
        action=UndoEdit(edit.number, site.id),
        state=TaskState.ACCEPTED,
    )


def task_of_finding(catalogue: SiteCatalogue, finding: Finding) -> Task:
    """Return what is to do about a finding that needs a decision."""
    meter = next(each for each in catalogue.meters if each.number == finding.meter)
    id_ = finding_id(catalogue.site.id, meter.id, finding)
    if looks_of(finding) is not None:
        text, action = _acceptance(catalogue.site, meter, finding)
    else:
        text, action = _resolution(meter, finding, id_)
    is_break = finding.rule is FindingRule.INDEX_BREAK
    return Task(
        kind=finding.rule.value,
        meter=meter,
        start_at=finding.start_at,
        end_at=finding.end_at,
        text=f"{meter.name}: {text}",
        action=action,
        otherwise=_exchange(meter, finding) if is_break else None,
    )


def _acceptance(site: Site, meter: Meter, finding: Finding) -> tuple[str, Action]:
    """What readings that are held back look like, and the action that accepts them."""
    looks, remedy = looks_like(meter, finding), how_to_declare(meter, finding)
    text = f"not used: {looks}; {remedy}; accept it if it is right as it is"
    return text, AcceptDelivery(finding.evidence.get("delivery"), meter.id, site.id)


def _resolution(meter: Meter, finding: Finding, id_: str) -> tuple[str, Action]:
    """What a finding means to the operator, and the action that resolves it."""
    if finding.rule is FindingRule.INDEX_BREAK:
        happened = "the index fell"
        if finding.evidence["index_after"] >= finding.evidence["index_before"]:
            happened = "readings that stand against the others begin or end here"
        return f"{happened}; {_RESOLVED}, or the device was exchanged", ResolveFinding(id_)
    if finding.rule is FindingRule.POWER_ABOVE_LIMIT:
        text = f"more than the meter or the connection can carry; {_RESOLVED}"
        return text, ResolveFinding(id_)
    if finding.rule is FindingRule.CATCH_UP:
        text = "a step made up for a standstill; spread it, or declare max_per_hour if it was true"
        return text, _spreading(meter, finding, id_)
    if finding.rule is FindingRule.SERIAL_CHANGED:
        text = (
            "another device counts; declare its exchange: the indexes are those read last and "
            "first, what is on the installer's protocol is better"
        )
        return text, _exchange(meter, finding)
    if finding.rule in (FindingRule.READINGS_UNUSED, FindingRule.INTERVAL_REGISTER_MISMATCH):
        return _implausible_sum(meter, finding), _acceptance_of_span(meter, finding)
    text = "it cannot be right as it stands; set what it was, or --clear it"
    if finding.rule is FindingRule.UNUSUAL_STEP:
        text = "a hundred times what is ordinary; set what it was, or declare max_per_hour"
    return text, EditQuarters(meter.id, finding.start_at, finding.end_at)


def _acceptance_of_span(meter: Meter, finding: Finding) -> AcceptQuarters:
    # Only whole quarter-hours can be accepted, and a reading may stand within one.
    start_at = finding.start_at // QUARTER_S * QUARTER_S
    return AcceptQuarters(meter.id, start_at, -(-finding.end_at // QUARTER_S) * QUARTER_S)


def _implausible_sum(meter: Meter, finding: Finding) -> str:
    """What is implausible of a span's quarter-hours."""
    if finding.rule is FindingRule.INTERVAL_REGISTER_MISMATCH:
        return _mismatch(meter, finding)
    at_stake = f"{finding.evidence['energy'] / 1_000:.3f} {meter.medium.unit}"
    return (
        f"{finding.evidence['readings']} readings of a day are not used, with {at_stake} at "
        "stake; `commonwatt findings` lists them. Accept it if what is used is right"
    )


def _mismatch(meter: Meter, finding: Finding) -> str:
    """Both sums, the factor between them if there is one, and what they were compared over."""
    intervals, register = (
        f"{finding.evidence[name] / 1_000:.3f} {meter.medium.unit}"
        for name in ("intervals", "register")
    )
    factor = finding.evidence.get("factor")
    times = "" if factor is None else f", {Decimal(factor) / 1_000} times as much in the intervals"
    return (
        f"its intervals sum up to {intervals}, its register_meter counted {register}{times}, from "
        f"{_utc(finding.start_at)} to {_utc(finding.end_at)}; send what lacks, correct the factor, "
        "or accept it if the intervals are right"
    )


def _exchange(meter: Meter, finding: Finding) -> DeclareExchange:
    """The exchange between two readings, by what is known of it."""
    before, after = (
        Decimal(finding.evidence[name]) / _RAW for name in ("index_before", "index_after")
    )
    return DeclareExchange(meter.id, finding.end_at, finding.register, before, after)


def _spreading(meter: Meter, finding: Finding, id_: str) -> Action:
    """The action that spreads what a step made up for over the standstill before it."""
    if meter.interval_s is None:
        return ResolveFinding(id_, ResolutionKind.FAULTY)
    units = Decimal(finding.evidence["energy"]) / 1_000
    return EditQuarters(meter.id, finding.start_at, finding.end_at, units)


def _utc(instant_at: int) -> str:
    return f"{np.datetime64(instant_at, 's')}Z"


def quarters_text(count: int) -> str:
    """Write a number of quarter-hours in words."""
    return "1 quarter-hour" if count == 1 else f"{count} quarter-hours"
