"""Saying what a finding was, so that validation goes on from there, and taking it back."""

from dataclasses import dataclass, replace

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.declaring.apply import Applied, CannotChange, planned_change, store_plan
from commonwatt.app.errors import CommonwattError, ErrorKind
from commonwatt.app.findings.joined import join_findings
from commonwatt.app.findings.read import read_findings
from commonwatt.app.ports import Snapshot, Store
from commonwatt.app.settling.load import MeterHistory
from commonwatt.domain.metering.catalogue import (
    Meter,
    Register,
    Resolution,
    ResolutionKind,
    SiteCatalogue,
)
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.vee.faulty_side import faulty_side, hung_readings
from commonwatt.domain.vee.pipeline import JudgedRegister

_BEGAN_ANEW = (FindingRule.INDEX_BREAK, FindingRule.SERIAL_CHANGED, FindingRule.ROLLOVER)
_NEVER_FAULTY = (
    *(FindingRule.GAP, FindingRule.DECLARED_FAULTY, FindingRule.CLEARED_BY_EDIT),
    *(FindingRule.SERIAL_CHANGED, FindingRule.ROLLOVER),
)
_FAULTY_AROUND = (FindingRule.INDEX_BREAK, FindingRule.CATCH_UP)
_FIRST_LOOK, _LONGEST_LOOK = 32, 32_768
"""Accepted readings to each side that are looked at for those that are faulty."""


class UnknownFinding(CommonwattError):
    """Nothing of that id is found, or was resolved."""

    kind = ErrorKind("unknown-finding", 404, "Unknown finding")

    def __init__(self, wanted: str) -> None:
        super().__init__(f"no finding {wanted}; `commonwatt findings` lists them with their id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a finding was; ``digits`` of a register that rolled over, None: inferred."""

    kind: ResolutionKind
    digits: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a site, with its meter, and all that are joined under its id."""

    catalogue: SiteCatalogue
    meter: Meter
    finding: Finding
    joined: tuple[Finding, ...]


def find_finding(
    snapshot: Snapshot, catalogue: SiteCatalogue, wanted: str, scope: AccessScope = WHOLE
) -> Found | None:
    """Look a finding up by its id among those of today that are in sight.

    The id of the first of several that are joined is that of the whole; any other is that finding
    alone.
    """
    by_number = {meter.number: meter for meter in catalogue.meters}
    for joined in join_findings(read_findings(snapshot, catalogue, scope=scope)):
        meter = by_number[joined.first.meter]
        for finding in joined.findings:
            if finding_id(catalogue.site.id, meter.id, finding) == wanted:
                members = joined.findings if finding is joined.first else (finding,)
                return Found(catalogue, meter, finding, members)
    return None


def resolved_meter(catalogue: SiteCatalogue, wanted: str) -> Meter | None:
    """Return the meter that has the resolution of a finding, None if none has."""
    return next(
        (m for m in catalogue.meters if any(each.finding == wanted for each in m.resolutions)), None
    )


def resolve_finding(
    store: Store, site: int, wanted: str, verdict: Verdict, account: str, now_at: int
) -> Applied:
    """Declare what a finding was; said again, the later word counts.

    A reset or rollover lies between the two readings of the finding. Faulty are, of a break, the
    readings of the smaller of its sides, of a catch-up those that repeat the index, else those of
    the finding, or of all that are joined. Raises `UnknownFinding`, `CannotChange`, and the errors
    of a store.
    """
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        found = find_finding(snapshot, catalogue, wanted)
        if found is None and resolved_meter(catalogue, wanted) is not None:
            raise CannotChange("finding", f"{wanted} is resolved already; take that back first")
        if found is None:
            raise UnknownFinding(wanted)
        _check(found, verdict)
        spans = [(each.start_at, each.end_at) for each in found.joined]
        looks_around = found.finding.rule in _FAULTY_AROUND
        if verdict.kind is ResolutionKind.FAULTY and looks_around:
            spans = [_faulty_span(snapshot, found)]
    resolutions = [
        Resolution(
            register=Register(found.finding.register),
            kind=verdict.kind,
            start_at=start_at,
            end_at=end_at,
            digits=verdict.digits,
            finding=wanted,
        )
        for start_at, end_at in spans
    ]

    def changed(meter: Meter) -> Meter:
        others = [each for each in meter.resolutions if each.finding != wanted]
        return replace(meter, resolutions=(*others, *resolutions))

    with store.change(site) as change:
        before = change.catalogue.catalogue(site)
        plan = planned_change(before, before.meter_by_id[found.meter.id], changed, now_at)
        action = f"resolve finding {wanted}"
        return store_plan(change, before, plan, account, now_at, action, verdict.reason)


def take_resolution_back(
    store: Store, site: int, wanted: str, account: str, now_at: int
) -> Applied:
    """Let a finding stand again as if nobody had said what it was.

    Raises `UnknownFinding` where it was not resolved, and the errors of a store.
    """

    def changed(meter: Meter) -> Meter:
        kept = tuple(each for each in meter.resolutions if each.finding != wanted)
        return replace(meter, resolutions=kept)

    with store.change(site) as change:
        before = change.catalogue.catalogue(site)
        meter = resolved_meter(before, wanted)
        if meter is None:
            raise UnknownFinding(wanted)
        plan = planned_change(before, meter, changed, now_at)
        return store_plan(change, before, plan, account, now_at, f"reopen finding {wanted}")


def _check(found: Found, verdict: Verdict) -> None:
    """Raise `CannotChange` for what the finding cannot have been."""
    rule, kind = found.finding.rule, verdict.kind
    if kind is ResolutionKind.FAULTY:
        if rule is FindingRule.CATCH_UP and found.meter.interval_s is not None:
            raise CannotChange(
                "as", "no register tells what intervals missed; spread it with `commonwatt edit`"
            )
        if rule.of_quarters or rule in _NEVER_FAULTY:
            raise CannotChange("as", f"a finding of {rule} names no faulty readings")
    elif rule not in _BEGAN_ANEW:
        raise CannotChange("as", f"a {kind} explains {', '.join(_BEGAN_ANEW)}, not {rule}")
    elif kind is ResolutionKind.ROLLOVER and rule is FindingRule.SERIAL_CHANGED:
        raise CannotChange(
            "as", "a register that rolls over keeps its serial; declare the exchange of the device"
        )
    if verdict.digits is not None and kind is not ResolutionKind.ROLLOVER:
        raise CannotChange("digits", "digits are those of a rollover")


def _faulty_span(snapshot: Snapshot, found: Found) -> tuple[int, int]:
    """Return the instants of the readings that were faulty around a finding, both inclusive."""
    site, meter, finding = found.catalogue.site.number, found.meter, found.finding
    spans = snapshot.readings.register_spans(site, [meter.number])[meter.number]
    first, end = day_of(finding.start_at), day_of(finding.end_at) + 1
    stored = snapshot.readings.readings(site, [meter.number], first, end).get(meter.number)
    history = MeterHistory(snapshot.readings, site, meter, spans, stored, first, end)
    withdrawn = snapshot.readings.withdrawn(site)
    count = _FIRST_LOOK
    while count <= _LONGEST_LOOK:
        around = history.judge_around(finding.start_at, finding.end_at, count, withdrawn)
        judged = around[Register(finding.register)]
        assert isinstance(judged, JudgedRegister), "intervals have no breaks"
        span = _span_in_sight(judged, finding)
        if span is not None:
            return span
        count *= 4
    raise CannotChange(
        "as",
        f"more than {_LONGEST_LOOK} readings would have to be set aside; declare an exchange or a "
        "reset, or withdraw their delivery",
    )


def _span_in_sight(judged: JudgedRegister, finding: Finding) -> tuple[int, int] | None:
    for segment in judged.segments:
        stamps = segment.readings.stamps
        if {finding.start_at, finding.end_at} <= set(stamps.tolist()):
            from_start = judged.from_start or segment.start_at is not None
            to_end = judged.to_end or segment.end_at is not None
            bounds = finding.start_at, finding.end_at
            if finding.rule is FindingRule.CATCH_UP:
                return hung_readings(segment.readings, finding.end_at, from_start)
            return faulty_side(segment.readings, *bounds, from_start, to_end)
    raise CannotChange("as", "the register begins anew there; nothing of it is out of order")
