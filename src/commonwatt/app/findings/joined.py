"""Findings as people read them: joined where they follow each other, by what asks for a decision.

They are stored one a reading or a day, and joined when they are read. What is joined lies within a
month of UTC, so that it and its id are the same in whatever period is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.findings.read import read_findings
from commonwatt.app.ports import Snapshot
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.findings import HELD_BACK, Finding, FindingRule
from commonwatt.domain.metering.quarter_hours import DAY_S

_OF_DAYS = frozenset({FindingRule.READINGS_UNUSED, FindingRule.INTERVAL_REGISTER_MISMATCH})
"""What is decided by itself is an event of its own, and told alone; these are of days."""
_ADDED = frozenset(
    {
        *("energy", "seconds", "readings", "quarters", "count"),
        *("residual", "produced", "consumed", "intervals", "register"),
    }
)
"""Evidence of a joined finding that is the sum of that of its parts."""


_HELD = frozenset(HELD_BACK.values())
"""These are of spans, and found wherever those meet what is asked for."""


class Severity(StrEnum):
    """Whether a finding needs somebody's decision, or informs."""

    DECISION = "decision"
    INFORMATION = "information"

    @classmethod
    def of(cls, rule: FindingRule) -> "Severity":
        """That of a rule."""
        return cls.DECISION if rule.needs_decision else cls.INFORMATION


@dataclass(frozen=True, slots=True)
class JoinedFinding:
    """Findings of one rule, meter and register that follow each other, ascending.

    Each begins at most a day after the one before it ended, a gap where it ended.
    """

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The first one, by whose id it is known."""
        return self.findings[0]

    @property
    def whole(self) -> Finding:
        """All of them as one, from the first start to the last end.

        Its evidence has the number of ``findings`` if there are several; amounts are summed,
        indexes are the ``lowest`` and ``highest``, and what is not the same of all is left out.
        """
        if len(self.findings) == 1:
            return self.first
        last = self.findings[-1]
        return Finding(
            self.first.rule,
            self.first.meter,
            self.first.register,
            self.first.start_at,
            last.end_at,
            {"findings": len(self.findings), **_evidence(self.findings)},
        )


def _evidence(findings: Sequence[Finding]) -> dict[str, int]:
    joined: dict[str, int] = {}
    for name in dict.fromkeys(name for each in findings for name in each.evidence):
        values = [each.evidence[name] for each in findings if name in each.evidence]
        if name in _ADDED:
            joined[name] = sum(values)
        elif name == "index":
            joined |= {"lowest": min(values), "highest": max(values)}
        elif name in ("lowest", "highest"):
            joined[name] = min(values) if name == "lowest" else max(values)
        elif len(set(values)) == 1 and len(values) == len(findings):
            joined[name] = values[0]
    return joined


def join_findings(findings: Iterable[Finding]) -> list[JoinedFinding]:
    """Join findings that follow each other, in whatever order they come."""
    ordered = sorted(findings, key=lambda each: (*_kind(each), each.start_at, each.end_at))
    found: list[JoinedFinding] = []
    for _, group in groupby(ordered, _kind):
        run: list[Finding] = []
        for each in group:
            if run and not _follows(run[-1], each):
                found.append(JoinedFinding(tuple(run)))
                run = []
            run.append(each)
        found.append(JoinedFinding(tuple(run)))
    return found


def _kind(finding: Finding) -> tuple[int, str, str]:
    return finding.meter, finding.rule.value, finding.register


def _follows(before: Finding, after: Finding) -> bool:
    return (
        not _is_event(before.rule)
        and after.start_at - before.end_at <= (0 if before.rule is FindingRule.GAP else DAY_S)
        and _month(before) == _month(after)
    )


def _is_event(rule: FindingRule) -> bool:
    return rule is FindingRule.ROLLOVER or (rule.needs_decision and rule not in _OF_DAYS)


def _month(finding: Finding) -> int:
    return int(np.datetime64(finding.belongs_at, "s").astype("datetime64[M]").astype(np.int64))


def read_joined_findings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    start_at: int | None = None,
    end_at: int | None = None,
    scope: AccessScope = WHOLE,
) -> list[JoinedFinding]:
    """Read what was found in [start, end) [Unix seconds], joined; None is unbounded.

    A joined finding is answered whole if any of it is filed there, as far as it is in sight. Those
    that need a decision come first, then by type and address of the meter, then in time.
    """
    wide = [_month_bounds(at) for at in (start_at, None if end_at is None else end_at - 1)]
    period = None if wide[0] is None else wide[0][0], None if wide[1] is None else wide[1][1]
    found = [
        each
        for each in read_findings(snapshot, catalogue, *period, scope)
        if each.rule not in _HELD
        or (
            (start_at is None or each.end_at > start_at)
            and (end_at is None or each.start_at < end_at)
        )
    ]
    meters = {meter.number: meter for meter in catalogue.meters}
    joined = [
        each
        for each in join_findings(found)
        if any(
            finding.rule in _HELD
            or (
                (start_at is None or finding.belongs_at >= start_at)
                and (end_at is None or finding.belongs_at < end_at)
            )
            for finding in each.findings
        )
    ]
    return sorted(joined, key=lambda each: _order(meters[each.first.meter], each.first))


def _order(meter: Meter, finding: Finding) -> tuple[object, ...]:
    asks = not finding.rule.needs_decision
    where = finding.start_at, finding.end_at, finding.register, finding.rule.value
    return asks, meter.medium.value, meter.prim_ad, *where


def _month_bounds(instant_at: int | None) -> tuple[int, int] | None:
    """The month of UTC that an instant lies in, [start, end) [Unix seconds]."""
    if instant_at is None:
        return None
    month = np.datetime64(instant_at, "s").astype("datetime64[M]")
    start, end = (each.astype("datetime64[s]").astype(np.int64) for each in (month, month + 1))
    return int(start), int(end)
