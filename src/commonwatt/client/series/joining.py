"""Rows of several answers as one series: cut by their stamps, none twice, none lost."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from zoneinfo import ZoneInfo

from commonwatt.client.series.local_periods import QUARTER_S, Window, period_end
from commonwatt.client.wire_habits import Rows, columns_of
from commonwatt.climkit_v1.words import SamplingFrequency

Columns = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one answer that were meant, ascending."""

    starts_at: Sequence[int]
    columns: Mapping[str, Sequence[float | None]]


def part_of(
    rows: Rows, instants: Sequence[int], window: Window | None, sampling: SamplingFrequency | None
) -> Part:
    """Return the rows that begin in a window (None: all), by their stamps.

    Stamps of quarter-hours are their ends, all others are starts. Of rows that begin together the
    last counts.
    """
    is_end = sampling is SamplingFrequency.QUARTER_HOUR
    starts_at = [at - QUARTER_S for at in instants] if is_end else list(instants)
    if not all(map(lt, starts_at, islice(starts_at, 1, None))):
        latest = dict(zip(starts_at, rows, strict=True))
        starts_at = sorted(latest)
        rows = [latest[start_at] for start_at in starts_at]
    if window is not None:
        first, end = (bisect_left(starts_at, bound) for bound in window)
        starts_at, rows = starts_at[first:end], rows[first:end]
    return Part(starts_at, columns_of(rows))


def joined(parts: Sequence[Part], names: Sequence[str]) -> tuple[list[int], Columns]:
    """Return the starts and columns of parts that follow one another.

    Of columns those named come first, also where no part has them; what a part lacks is None there.
    """
    starts_at = [start_at for part in parts for start_at in part.starts_at]
    columns: Columns = {name: [] for name in names}
    columns |= {name: [] for part in parts for name in part.columns if name not in columns}
    for part in parts:
        nothing = [None] * len(part.starts_at)
        for name, values in columns.items():
            values.extend(part.columns.get(name, nothing))
    return starts_at, columns


def ends_of(
    starts_at: Sequence[int], zone: ZoneInfo, sampling: SamplingFrequency | None
) -> Sequence[int]:
    """Return where the rows end that begin at some instants; readings end where they begin."""
    if sampling is None:
        return starts_at
    if sampling is SamplingFrequency.QUARTER_HOUR:
        return [start_at + QUARTER_S for start_at in starts_at]
    return [period_end(start_at, zone, sampling) for start_at in starts_at]
