"""The series of a meter on our own surface: every quarter-hour of its life, with its qualities."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from commonwatt.api.asked_series import QUICK_VALUES, is_settled, open_meter
from commonwatt.api.own_requests import instant, ordered, parameters, sampling
from commonwatt.api.visits import Asked, Visit
from commonwatt.api.windows import QuarterWindow, quarters_within
from commonwatt.app.read_series import MeterSeries, read_meter_series
from commonwatt.domain.catalogue import Meter
from commonwatt.domain.quality import Quality, exists
from commonwatt.domain.quarter_hours import DAY_S
from commonwatt.domain.resample import Buckets, Sampling, buckets

_CHUNK_ROWS = 10_000
_WORDS = {quality.value: quality.name.lower() for quality in Quality} | {Quality.ABSENT: None}


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """A meter's periods over a window."""

    meter: Meter
    window: QuarterWindow
    sampling: Sampling


def parse_series(visit: Visit, asked: Asked) -> SeriesQuery:
    """Read a request; without start the 24 hours before the end, which is now by default."""
    query = parameters(asked.query, ("start", "end", "sampling"))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    periods = sampling(query)
    meter = open_meter(visit, asked.path["meter_id"])
    end_at = int(visit.now) if end_at is None else end_at
    start_at = end_at - DAY_S if start_at is None else start_at
    return SeriesQuery(meter, quarters_within(start_at, end_at, visit.site, visit.now), periods)


def is_quick_series(visit: Visit, query: SeriesQuery) -> bool:
    """Whether the window is short and settled; these rows cost some times those of Climkit."""
    quick = query.window.length * 8 <= QUICK_VALUES
    return quick and is_settled(visit, query.meter.medium.group, query.window)


def answer_series(visit: Visit, query: SeriesQuery) -> bytes:
    """Answer JSON rows: start, total, self, ext, quality_total, quality_self.

    What is missing is null and says so by its quality; a period's quality is the worst of its
    quarter-hours, its sums are of those that have a value. Where the meter is not alive there is no
    row.
    """
    window = query.window
    if not window.length:
        return b"[]"
    series = read_meter_series(
        visit.snapshot,
        visit.catalogue,
        query.meter,
        window.first,
        window.end,
        is_settled=is_settled(visit, query.meter.medium.group, window),
    )
    alive = np.flatnonzero(series.quality_total != Quality.ABSENT)
    periods = buckets(alive + window.first, visit.site.timezone, query.sampling)
    return b"[" + b",".join(_chunks(_columns(series, alive, periods))) + b"]"


def _columns(
    series: MeterSeries, alive: NDArray[np.intp], periods: Buckets
) -> dict[str, list[str | None] | list[float | None]]:
    starts = np.datetime_as_string(periods.starts_at.astype("datetime64[s]"), timezone="UTC")
    quality_total = series.quality_total[alive]
    own, ext, quality_self = series.self_energy, series.ext, series.quality_self
    if own is None or ext is None or quality_self is None:
        own = ext = np.zeros_like(series.total)
        quality_self = np.zeros_like(series.quality_total)
    quality_self = quality_self[alive]
    return {
        "start": starts.tolist(),
        "total": _amounts(series.total[alive], exists(quality_total), periods),
        "self": _amounts(own[alive], exists(quality_self), periods),
        "ext": _amounts(ext[alive], exists(quality_self), periods),
        "quality_total": [_WORDS[code] for code in periods.min(quality_total).tolist()],
        "quality_self": [_WORDS[code] for code in periods.min(quality_self).tolist()],
    }


def _amounts(
    values: NDArray[np.integer], known: NDArray[np.bool_], periods: Buckets
) -> list[float | None]:
    """The sums of each period in kWh or m3, None where nothing of it is known.

    A whole number divided by 1000 is the double nearest to its three decimals, and is written as
    these.
    """
    sums = (periods.sum(np.where(known, values, 0)) / 1000).tolist()
    if known.all():
        return list(sums)
    there = periods.any(known).tolist()
    return [each if is_there else None for each, is_there in zip(sums, there, strict=True)]


def _chunks(columns: dict[str, list[str | None] | list[float | None]]) -> Iterator[bytes]:
    """JSON of the rows without brackets, some thousand at a time."""
    names = tuple(columns)
    for first in range(0, len(columns["start"]), _CHUNK_ROWS):
        parts = (column[first : first + _CHUNK_ROWS] for column in columns.values())
        rows = [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
        yield orjson.dumps(rows)[1:-1]
