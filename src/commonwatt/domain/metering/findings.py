"""What validation set aside or finds implausible, as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from commonwatt.domain.metering.catalogue import Looks
from commonwatt.domain.metering.quarter_hours import DAY_S

_ID_DIGITS = 12


class FindingRule(StrEnum):
    """Public ids of the rules. An id never changes its meaning; a new rule gets a new id."""

    STAMP_AHEAD = "stamp-ahead"
    STAMP_TOO_OLD = "stamp-too-old"
    OUTSIDE_LIFE = "outside-life"
    STAMP_FAR_BEFORE = "stamp-far-before"
    ZERO_AFTER_POSITIVE = "zero-after-positive"
    INDEX_OUT_OF_ORDER = "index-out-of-order"
    INDEX_BREAK = "index-break"
    STAMP_OFF_INTERVAL = "stamp-off-interval"
    INTERVAL_OVERLAP = "interval-overlap"
    INTERVAL_INCOMPLETE = "interval-incomplete"
    QUARTER_TOO_LARGE = "quarter-too-large"
    SERIAL_CHANGED = "serial-changed"
    ROLLOVER = "rollover"
    DECLARED_FAULTY = "declared-faulty"
    CLEARED_BY_EDIT = "cleared-by-edit"
    LOOKS_LIKE_INDEX = "looks-like-index"
    LOOKS_LIKE_INTERVALS = "looks-like-intervals"
    LOOKS_LIKE_COARSER_INTERVALS = "looks-like-coarser-intervals"
    LOOKS_LIKE_UNIT = "looks-like-unit"
    LOOKS_LIKE_SEVERAL_SERIES = "looks-like-several-series"
    GAP = "gap"
    DUPLICATE_READING = "duplicate-reading"
    READINGS_UNUSED = "readings-unused"
    POWER_ABOVE_LIMIT = "power-above-limit"
    CATCH_UP = "catch-up"
    UNUSUAL_STEP = "unusual-step"
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


HELD_BACK: Mapping[Looks, FindingRule] = {
    Looks.INDEX: FindingRule.LOOKS_LIKE_INDEX,
    Looks.INTERVALS: FindingRule.LOOKS_LIKE_INTERVALS,
    Looks.COARSER: FindingRule.LOOKS_LIKE_COARSER_INTERVALS,
    Looks.UNIT: FindingRule.LOOKS_LIKE_UNIT,
    Looks.SEVERAL: FindingRule.LOOKS_LIKE_SEVERAL_SERIES,
}
"""The rules that hold readings back, by what they look like."""
_NEEDS_DECISION = frozenset(
    {
        FindingRule.INDEX_BREAK,
        FindingRule.SERIAL_CHANGED,
        FindingRule.QUARTER_TOO_LARGE,
        FindingRule.POWER_ABOVE_LIMIT,
        FindingRule.CATCH_UP,
        FindingRule.UNUSUAL_STEP,
        FindingRule.INTERVAL_REGISTER_MISMATCH,
        FindingRule.READINGS_UNUSED,
        *HELD_BACK.values(),
    }
)
_OF_QUARTERS = frozenset(
    {
        FindingRule.QUARTER_TOO_LARGE,
        FindingRule.READINGS_UNUSED,
        FindingRule.FROZEN_REGISTER,
        FindingRule.CLOCK_SKEW,
        FindingRule.INTERVAL_REGISTER_MISMATCH,
        FindingRule.IMPORT_AND_EXPORT,
        FindingRule.SITE_SUM,
        FindingRule.PRODUCTION_AT_NIGHT,
        *HELD_BACK.values(),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a meter.

    ``start_at`` and ``end_at`` [Unix seconds] bound what is concerned: a reading (start = end), the
    two readings of a break, a gap or a span (with the standstill before it), or the quarter-hours
    [start, end): one, or a UTC day. Of `INTERVAL_REGISTER_MISMATCH` it is a whole UTC day, or else
    two readings of the register meter.
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
        is_of_quarters = self.rule.of_quarters
        if self.rule is FindingRule.INTERVAL_REGISTER_MISMATCH:
            is_of_quarters = self.start_at % DAY_S == 0 and self.end_at - self.start_at == DAY_S
        return self.start_at if is_of_quarters else self.end_at


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
