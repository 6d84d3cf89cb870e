"""Reading the quarter-hours of a register that is not the main one of its meter.

Results keep the quality of the main register alone. So what another register counted is worked out
again from the readings, as far as it is asked for: by the same functions that settle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.app.settling.load import judge_meters
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Meter,
    Register,
    SiteCatalogue,
    valid_spans,
)
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S
from commonwatt.domain.settlement import group_energies


@dataclass(frozen=True, slots=True)
class _KnownSpan:
    """Quarter-hours [first, end) that are answered as known at an instant; None is now."""

    first: int
    end: int
    known_us: int | None


def other_register_spans(
    meter: Meter, register: Register, first_quarter: int, end_quarter: int
) -> list[tuple[int, int]]:
    """Return the parts [first, end) of a run in which a register is not the meter's main one."""
    is_export = register is not REGISTERS_OF[meter.medium][0]
    spans = valid_spans(first_quarter * QUARTER_S, end_quarter * QUARTER_S, meter.facts)
    return [
        (start_at // QUARTER_S, end_at // QUARTER_S)
        for start_at, end_at in spans
        if meter.facts_at(start_at).main_is_export is not is_export
    ]


def with_register(
    series: MeterSeries,
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    register: Register,
    as_of_us: int | None = None,
) -> MeterSeries:
    """Return a meter's series with the total of a register, of its medium, instead of the main one.

    Where that is the main one the series stays as it is. Elsewhere ``total`` and its quality are
    the register's, ABSENT where the meter has no such register, its method is not told, and there
    is no share. What is locked is as it was known when it was locked. ``as_of_us`` [Unix
    microseconds]: the series is what was known then; None is now.
    """
    first, end = series.first_quarter, series.first_quarter + len(series.total)
    columns = _Columns(series)
    for other in other_register_spans(meter, register, first, end):
        columns.clear(other[0] - first, other[1] - first)
        for span in _as_locked(snapshot, catalogue, meter, *other, as_of_us):
            for start, values in _energies(snapshot, catalogue, meter, span):
                side = values.im if register is REGISTERS_OF[meter.medium][0] else values.ex
                if side is not None:
                    columns.put(start - first, side)
    return columns.series()


class _Columns:
    """The columns of a series while parts of them are replaced."""

    def __init__(self, series: MeterSeries) -> None:
        self._series = series
        self._total = series.total.astype(np.int64)
        self._quality = series.quality_total.copy()
        self._method = np.zeros(len(self._quality), np.uint8)
        if series.method is not None:
            self._method[:] = series.method
        self._has_share = np.ones(len(self._quality), np.bool_)

    def clear(self, start: int, end: int) -> None:
        """Let nothing be known in the quarter-hours [start, end) by position."""
        section = slice(start, end)
        self._has_share[section] = False
        self._total[section], self._quality[section] = 0, Quality.ABSENT
        self._method[section] = Method.NONE

    def put(self, start: int, register: RegisterEnergy) -> None:
        """Take the quarter-hours from a position on from a register."""
        section = slice(start, start + len(register.energy))
        self._total[section], self._quality[section] = register.energy, register.quality

    def series(self) -> MeterSeries:
        """The series with what was replaced."""
        own, quality_self = self._series.self_energy, self._series.quality_self
        return replace(
            self._series,
            total=self._total,
            quality_total=self._quality,
            method=self._method,
            self_energy=None if own is None else np.where(self._has_share, own, 0),
            quality_self=None
            if quality_self is None
            else np.where(self._has_share, quality_self, 0).astype(np.uint8),
        )


def _as_locked(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    first: int,
    end: int,
    as_of_us: int | None,
) -> Iterator[_KnownSpan]:
    """Cut [first, end) where locks end; each part is as it was known when it was locked."""
    for step in snapshot.locks.steps(catalogue.site.number):
        if step.group is not meter.medium.group:
            continue
        if as_of_us is not None and step.locked_us > as_of_us:
            continue
        until = min(max(step.until_at // QUARTER_S, first), end)
        if until > first:
            yield _KnownSpan(first, until, step.locked_us)
        first = until
    if end > first:
        yield _KnownSpan(first, end, as_of_us)


def _energies(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter, span: _KnownSpan
) -> Iterator[tuple[int, MeterEnergy]]:
    """Work out a meter's quarter-hours of a span, some days at a time, each with its first one."""
    if span.known_us is not None:
        snapshot, catalogue = view_as_of(snapshot, catalogue, span.known_us)
    meters = catalogue.meters_of(meter.medium.group)
    first_day, end_day = span.first // DAY_QUARTERS, -(-span.end // DAY_QUARTERS)
    for day in range(first_day, end_day, LONGEST_RUN_DAYS):
        run_end = min(day + LONGEST_RUN_DAYS, end_day)
        judged = judge_meters(snapshot.readings, catalogue, meters, day, run_end)
        edits = snapshot.edits.edits(catalogue.site.number, day * DAY_S, run_end * DAY_S)
        run = day * DAY_QUARTERS, run_end * DAY_QUARTERS
        energies, _ = group_energies(catalogue, meter.medium.group, judged, *run, edits)
        energy = energies.get(meter.number)
        if energy is not None:
            start, end = max(run[0], span.first), min(run[1], span.end)
            yield start, energy.part(start - run[0], end - run[0])
