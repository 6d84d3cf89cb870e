"""Whether longer periods are the sums of shorter ones, and under which reading of the stamps.

A server that stamps the start of a quarter-hour answers the right sums at the wrong places; one
that adds up wrongly has the right places and the wrong sums. To tell one from the other, sums are
tried under every reading of the stamps that a server could mean.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from commonwatt.conformance.judging.local_periods import (
    DAY_S,
    calendar_period,
    day_start,
    local_date,
    local_text,
    period_of,
)
from commonwatt.conformance.judging.rows import Row, numbers

QUARTER_S = 900
_NOISE = Decimal("0.000001")
_HALF_DIGIT = Decimal("0.0005")
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reading:
    """What stamps are taken to mean; as it is by default, the page says it.

    ``quarters_start``: a 15T stamp is the start of its quarter-hour, not the end. ``ends``: the
    longer period's stamp is its end, not its start. ``in_utc``: days are cut in UTC.
    """

    quarters_start: bool = False
    ends: bool = False
    in_utc: bool = False


PUBLISHED = Reading()


@dataclass(frozen=True, slots=True)
class Piece:
    """What a shorter row says of [start_at, end_at)."""

    start_at: int
    end_at: int
    values: Mapping[str, Decimal]


@dataclass(slots=True)
class Fit:
    """How many longer rows are the sum of their pieces, exactly or but for rounding."""

    exact: int = 0
    nearly: int = 0
    differing: int = 0
    example: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether every row compared is the exact sum."""
        return self.exact > 0 and not self.nearly and not self.differing

    @property
    def is_near(self) -> bool:
        """Whether every row compared is the sum, but for the rounding of each value."""
        return self.exact + self.nearly > 0 and not self.differing


Span = tuple[int, int]
Spans = Callable[[Row, Reading], Span | None]


def readings(frequency: str) -> Iterator[Reading]:
    """Every reading of a frequency's stamps, the published one first."""
    flags = (False, True)
    for in_utc, ends, quarters_start in itertools.product(flags, flags, flags):
        if (quarters_start and frequency not in "HD") or (in_utc and frequency != "D"):
            continue
        yield Reading(quarters_start=quarters_start, ends=ends, in_utc=in_utc)


def span_of(row: Row, frequency: str, zone: ZoneInfo, reading: Reading) -> Span | None:
    """The period [start, end) of a longer row; None where its stamp bounds no such period."""
    if reading.in_utc:
        return _utc_day(row.at, zone, ends=reading.ends)
    span = period_of(row.at - 1 if reading.ends else row.at, frequency, zone)
    return span if row.at == span[1 if reading.ends else 0] else None


def _utc_day(stamp_at: int, zone: ZoneInfo, *, ends: bool) -> Span | None:
    """The UTC day of a stamp: at its own midnight, or at the local midnight of that date."""
    day = local_date(stamp_at, zone)
    if stamp_at % DAY_S == 0:
        start_at = stamp_at
    elif stamp_at == day_start(day, zone):
        start_at = day_start(day, _UTC)
    else:
        return None
    start_at -= DAY_S if ends else 0
    return start_at, start_at + DAY_S


def quarter_pieces(rows: Sequence[Row], keys: Sequence[str], reading: Reading) -> list[Piece]:
    """What quarter-hour rows say, one piece for each instant, in order."""
    back_s = 0 if reading.quarters_start else QUARTER_S
    first_of = {row.at: row for row in reversed(rows)}
    return [
        Piece(at - back_s, at - back_s + QUARTER_S, numbers(first_of[at], keys))
        for at in sorted(first_of)
    ]


def period_pieces(
    rows: Sequence[Row], keys: Sequence[str], frequency: str, zone: ZoneInfo, *, ends: bool
) -> list[Piece]:
    """What rows of days or months say; rows whose stamps bound no such period are left out."""
    reading = Reading(ends=ends)
    pieces: dict[Span, Piece] = {}
    for row in reversed(rows):
        span = span_of(row, frequency, zone, reading)
        if span is not None:
            pieces[span] = Piece(*span, numbers(row, keys))
    return [pieces[span] for span in sorted(pieces)]


def fit(
    rows: Sequence[Row],
    pieces: Sequence[Piece],
    span: Callable[[Row], Span | None],
    settled_at: float,
) -> Fit:
    """Compare longer rows with the sums of their pieces.

    A row whose period is not wholly tiled by pieces, or ends after ``settled_at``, counts only
    where it is their sum: what else it holds is unknown, or may have come in between two answers.
    """
    result = Fit()
    for row in rows:
        bounds = span(row)
        if bounds is None:
            continue
        parts = [each for each in pieces if bounds[0] <= each.start_at < bounds[1]]
        if parts:
            _count(result, row, parts, bounds if bounds[1] <= settled_at else None)
    return result


def _count(result: Fit, row: Row, parts: Sequence[Piece], bounds: Span | None) -> None:
    """Count a row; ``bounds`` is its period where that is settled."""
    keys = set(parts[0].values).intersection(row.values, *(part.values for part in parts))
    said = numbers(row, sorted(keys))
    off = {key: abs(value - sum(part.values[key] for part in parts)) for key, value in said.items()}
    if not off:
        return
    worst = max(off, key=lambda key: off[key])
    tiled_s = sum(part.end_at - part.start_at for part in parts)
    whole = bounds is not None and tiled_s == bounds[1] - bounds[0]
    if off[worst] <= _NOISE:
        result.exact += 1
    elif not whole:
        return
    elif off[worst] <= _HALF_DIGIT * (len(parts) + 1):
        result.nearly += 1
        result.example = _example(row, worst, parts)
    else:
        result.differing += 1
        result.example = _example(row, worst, parts)


def _example(row: Row, key: str, parts: Sequence[Piece]) -> str:
    total = sum(part.values[key] for part in parts)
    stamp = local_text(row.at, _UTC)
    return f"{key} stamped {stamp} is {row.values[key]}, its {len(parts)} parts sum to {total}"


def neighbours(frequency: str, first_at: int, end_at: int, zone: ZoneInfo) -> Span:
    """A window that holds [first, end), and one whole period more on both sides.

    >>> neighbours("M", 1774738800, 1774825200, ZoneInfo("UTC"))
    (1769904000, 1777593600)
    """
    if frequency == "H":
        return first_at - 3600, end_at + 3600
    first = calendar_period(local_date(first_at, zone), frequency)[0]
    last = calendar_period(local_date(end_at - 1, zone), frequency)[1]
    before = calendar_period(first - timedelta(days=1), frequency)[0]
    after = calendar_period(last, frequency)[1]
    return day_start(before, zone), day_start(after, zone)
