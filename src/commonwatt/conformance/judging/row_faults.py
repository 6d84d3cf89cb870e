"""What can be wrong with the rows of an answer; None where nothing is."""

import itertools
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from commonwatt.conformance.judging.local_periods import utc_offset
from commonwatt.conformance.judging.published import TIMESTAMP
from commonwatt.conformance.judging.rows import Row, number, read_stamp

Entries = Sequence[Mapping[str, object]]

# Of what is larger no decimals can be rounded.
_BEYOND_MEASURE = 10**15


def key_fault(entries: Entries, keys: Sequence[str]) -> str | None:
    """A row that lacks one of some keys."""
    for position, entry in enumerate(entries):
        missing = [key for key in keys if key not in entry]
        if missing:
            return f"row {position} has no {', '.join(missing)}"
    return None


def number_fault(entries: Entries, keys: Sequence[str]) -> str | None:
    """A value that is there and is no number."""
    for position, entry in enumerate(entries):
        for key in keys:
            if key in entry and number(entry[key]) is None:
                return f"{key} of row {position} is {entry[key]!r}"
    return None


def decimals_fault(entries: Entries, keys: Sequence[str], most: int) -> str | None:
    """A number with more decimals than there may be.

    >>> from decimal import Decimal
    >>> decimals_fault([{"total": Decimal("0.07000000000000001")}], ["total"], 3)
    'total of row 0 is 0.07000000000000001'
    >>> decimals_fault([{"total": Decimal("0.0700")}, {"total": 10**30}], ["total"], 3) is None
    True
    """
    for position, entry in enumerate(entries):
        for key in keys:
            value = number(entry.get(key))
            if value is None or abs(value) > _BEYOND_MEASURE:
                continue
            if value != round(value, most):
                return f"{key} of row {position} is {value}"
    return None


def stamp_fault(entries: Entries, zone: ZoneInfo) -> str | None:
    """A row without a timestamp that can be read."""
    for position, entry in enumerate(entries):
        if TIMESTAMP not in entry:
            return f"row {position} has no timestamp"
        if read_stamp(entry[TIMESTAMP], zone) is None:
            return f"the timestamp of row {position} is {entry[TIMESTAMP]!r}"
    return None


def offset_fault(rows: Sequence[Row], zone: ZoneInfo) -> str | None:
    """A stamp whose offset is neither the zone's at that instant nor 0."""
    for position, row in enumerate(rows):
        offset_s = row.stamp.offset_s
        if offset_s not in {None, 0, utc_offset(row.at, zone)}:
            assert offset_s is not None
            return f"row {position} has an offset of {offset_s} s, not that of {zone}"
    return None


def order_fault(rows: Sequence[Row]) -> str | None:
    """A row that lies before the one above it."""
    for position, (above, row) in enumerate(itertools.pairwise(rows), 1):
        if row.at < above.at:
            return f"row {position} lies before the row above it"
    return None


def distinct_fault(rows: Sequence[Row]) -> str | None:
    """An instant that more than one row has."""
    seen: set[int] = set()
    for position, row in enumerate(rows):
        if row.at in seen:
            return f"row {position} has a stamp that another row has too"
        seen.add(row.at)
    return None
