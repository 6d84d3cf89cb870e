"""Reading what senders said of a meter: the versions that count, set aside by validation or not.

What was edited here is no part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.errors import CommonwattError, ErrorKind
from commonwatt.app.ports import Snapshot
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    StoredReadings,
    as_sent,
    effective_readings,
)

_LATEST_STEP_DAYS = 8


class RuleMeterHasNoReadings(CommonwattError):
    """A rule meter is computed from others and has no readings of its own."""

    kind = ErrorKind("rule-meter", 409, "A rule meter has no readings")


@dataclass(frozen=True, slots=True)
class RawSeries:
    """The effective readings of a meter, ascending by ``stamps`` [Unix seconds].

    ``values`` per register [mWh, ml], NO_VALUE where a reading has none; of an interval meter the
    energy of the interval that ends at the stamp.
    """

    stamps: NDArray[np.int64]
    values: Mapping[Register, NDArray[np.int64]]


def read_raw(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meter: Meter,
    start_at: int | None,
    end_at: int,
) -> RawSeries:
    """Read the effective readings with start <= stamp <= end [Unix seconds].

    Without a start: the latest one that is not after the end. Raises `RuleMeterHasNoReadings`.
    """
    if meter.is_rule_meter:
        raise RuleMeterHasNoReadings(f"meter {meter.id} is computed by a rule")
    site = catalogue.site.number
    withdrawn = snapshot.readings.withdrawn(site)
    if start_at is None:
        return _latest(snapshot, site, meter, end_at, withdrawn)
    days = day_of(start_at), day_of(end_at) + 1
    stored = snapshot.readings.readings(site, [meter.number], *days)
    series = _effective_series(stored.get(meter.number), meter, withdrawn)
    inside = np.flatnonzero((series.stamps >= start_at) & (series.stamps <= end_at))
    return _at(series, inside)


def _latest(
    snapshot: Snapshot, site: int, meter: Meter, end_at: int, withdrawn: frozenset[int]
) -> RawSeries:
    """The latest effective reading not after an instant; what was said last may count no more."""
    number, day = meter.number, day_of(end_at) + 1
    while days := snapshot.readings.days_before(site, number, day, _LATEST_STEP_DAYS):
        stored = snapshot.readings.readings(site, [number], days[-1], day)
        series = _effective_series(stored.get(number), meter, withdrawn)
        until_end = np.flatnonzero(series.stamps <= end_at)
        if len(until_end):
            return _at(series, until_end[-1:])
        day = days[-1]
    return _effective_series(None, meter, withdrawn)


def _effective_series(
    stored: StoredReadings | None, meter: Meter, withdrawn: frozenset[int]
) -> RawSeries:
    sent = None if stored is None else as_sent(stored)
    registers = {
        register: effective_readings(sent, register, withdrawn)
        for register in REGISTERS_OF[meter.medium]
    }
    stamps = np.unique(np.concatenate([each.stamps for each in registers.values()]))
    values: dict[Register, NDArray[np.int64]] = {}
    for register, readings in registers.items():
        column = np.full(len(stamps), NO_VALUE, np.int64)
        column[np.searchsorted(stamps, readings.stamps)] = readings.values
        values[register] = column
    return RawSeries(stamps, values)


def _at(series: RawSeries, positions: NDArray[np.intp]) -> RawSeries:
    values = {register: column[positions] for register, column in series.values.items()}
    return RawSeries(series.stamps[positions], values)
