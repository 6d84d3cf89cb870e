"""What validation set aside or doubts, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a meter.

    ``start_at`` and ``end_at`` [Unix seconds] bound what is concerned: a reading (start = end), the
    two readings of a break, or a quarter-hour [start, end). ``evidence`` holds numbers in base
    units (mWh or ml of registers, Wh or litres of quarters). It belongs to the UTC day of
    ``end_at``, a quarter-hour's to that of its start.
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
        return self.start_at if self.rule is FindingRule.QUARTER_TOO_LARGE else self.end_at
