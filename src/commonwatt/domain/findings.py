"""What validation set aside or doubts, as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_ID_DIGITS = 12


class FindingRule(StrEnum):
    """Public ids of the rules. An id never changes its meaning; a new rule gets a new id."""

    STAMP_AHEAD = "stamp-ahead"
    STAMP_TOO_OLD = "stamp-too-old"
    OUTSIDE_LIFE = "outside-life"
    ZERO_AFTER_POSITIVE = "zero-after-positive"
    INDEX_OUT_OF_ORDER = "index-out-of-order"
    INDEX_BREAK = "index-break"
    STAMP_OFF_INTERVAL = "stamp-off-interval"
    INTERVAL_OVERLAP = "interval-overlap"
    QUARTER_TOO_LARGE = "quarter-too-large"
    SERIAL_CHANGED = "serial-changed"
    ROLLOVER = "rollover"
    DECLARED_FAULTY = "declared-faulty"
    CLEARED_BY_EDIT = "cleared-by-edit"
    GAP = "gap"
    DUPLICATE_READING = "duplicate-reading"
    POWER_ABOVE_LIMIT = "power-above-limit"
    CATCH_UP = "catch-up"
    FROZEN_REGISTER = "frozen-register"
    CLOCK_SKEW = "clock-skew"
    INTERVAL_REGISTER_MISMATCH = "interval-register-mismatch"
    IMPORT_AND_EXPORT = "import-and-export"
    SITE_SUM = "site-sum"
    PRODUCTION_AT_NIGHT = "production-at-night"

    @property
    def needs_decision(self) -> bool:
        """Whether somebody has to say what it was before the days concerned can be billed.

        The others are information: what followed from them needs nobody.
        """
        return self in _NEEDS_DECISION

    @property
    def of_quarters(self) -> bool:
        """Whether it concerns whole quarter-hours [start, end) instead of readings."""
        return self in _OF_QUARTERS


_NEEDS_DECISION = frozenset(
    {
        FindingRule.INDEX_BREAK,
        FindingRule.SERIAL_CHANGED,
        FindingRule.QUARTER_TOO_LARGE,
        FindingRule.POWER_ABOVE_LIMIT,
        FindingRule.CATCH_UP,
        FindingRule.INTERVAL_REGISTER_MISMATCH,
    }
)
_OF_QUARTERS = frozenset(
    {
        FindingRule.QUARTER_TOO_LARGE,
        FindingRule.FROZEN_REGISTER,
        FindingRule.CLOCK_SKEW,
        FindingRule.INTERVAL_REGISTER_MISMATCH,
        FindingRule.IMPORT_AND_EXPORT,
        FindingRule.SITE_SUM,
        FindingRule.PRODUCTION_AT_NIGHT,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a meter.

    ``start_at`` and ``end_at`` [Unix seconds] bound what is concerned: a reading (start = end), the
    two readings of a break, a gap or a span (with the standstill before it), or the quarter-hours
    [start, end): one, or a UTC day.
    ``evidence`` holds whole numbers in base units (mWh or ml of registers, Wh or litres of
    quarters, seconds). It belongs to the UTC day of ``end_at``, that of quarter-hours to the day of
    their start.
    """

    rule: FindingRule
    meter: int
    register: str
    start_at: int
    end_at: int
    evidence: Mapping[str, int]

    @property
    def belongs_at(self) -> int:
        """The instant whose UTC day the finding is filed under [Unix seconds]."""
        return self.start_at if self.rule.of_quarters else self.end_at


def finding_id(site_id: str, meter_id: str, finding: Finding) -> str:
    """Return the id by which people name a finding: 12 hexadecimal digits.

    Made of what is found and where, not of its evidence or the order of findings: as long as
    validation finds the same thing, the id stays.

    >>> rule = FindingRule.INDEX_BREAK
    >>> finding = Finding(rule, 1, "en_im", 1_767_225_600, 1_767_226_500, {})
    >>> finding_id("61dfc9a0eba4e3564021f36a", "61dfcb4beba4e3563fdf3d9f", finding)
    'd0555ae54556'
    """
    said = (
        *(site_id, finding.rule.value, meter_id, finding.register),
        *(str(finding.start_at), str(finding.end_at)),
    )
    return hashlib.sha256("|".join(said).encode()).hexdigest()[:_ID_DIGITS]
