"""What a Climkit server answers, as the columns that our use cases take."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.client import Series
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Medium, Register
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingQuality,
    ReadingRows,
    Rejected,
    SensorRows,
)
from commonwatt.domain.reference.reference import NO_VALUE as NOTHING_SAID
from commonwatt.domain.reference.reference import ReferenceQuarters
from commonwatt.formats.readings.quantities import quantities_from_numbers

_MILLION = 1_000_000
_LARGEST = 9e9
"""Below this many kWh or m3 a double tells the mWh or ml apart."""

Values = Sequence[float | None]


def amounts(values: Values) -> NDArray[np.int64]:
    """Return amounts [mWh, ml] of kWh or m3, rounded; NOTHING_SAID for none and for 9e9 or more.

    >>> amounts([0.029, -0.01, 7.1e-15])
    array([ 29000, -10000,      0])
    """
    numbers = np.array(values, np.float64)
    known = np.abs(numbers) < _LARGEST  # None has become NaN, which is not
    found = np.full(len(numbers), NOTHING_SAID, np.int64)
    found[known] = np.rint(numbers[known] * _MILLION).astype(np.int64)
    return found


def reference_of(validated: Series) -> ReferenceQuarters:
    """Return the quarter-hours of a validated series; without rows that are none."""
    starts_at = np.array(validated.starts_at, np.int64)
    whole = np.flatnonzero(starts_at % QUARTER_S == 0)
    nothing: Values = [None] * len(starts_at)
    total, self_, ext = (
        amounts(validated.columns.get(name, nothing))[whole] for name in ("total", "self", "ext")
    )
    return ReferenceQuarters(starts_at[whole], total, self_, ext)


def readings_of(raw: Series, meter: str, medium: Medium) -> ReadingRows:
    """Return the readings of a meter, by its id, of the registers that its medium has.

    A row is rejected where one of them is no index; rows without any of them are left out.
    """
    columns: dict[Register, NDArray[np.int64]] = {}
    faults: dict[int, str] = {}
    for register in known_registers(raw, medium):
        columns[register], wrong = quantities_from_numbers(raw.columns[register.value])
        faults |= {at: f"{register}: {reason}" for at, reason in wrong.items()}
    if not columns:
        return _rows(meter, np.empty(0, np.int64), np.empty(0, np.int64), {}, ())
    said = np.any([column != NO_VALUE for column in columns.values()], axis=0)
    said[[*faults]] = False
    rows = np.flatnonzero(said)
    stamps = np.array(raw.starts_at, np.int64)[rows]
    rejected = [Rejected(at + 1, faults[at]) for at in sorted(faults)]
    values = {register: column[rows] for register, column in columns.items()}
    return _rows(meter, rows + 1, stamps, values, rejected)


def with_one_before(raw: Series, start_at: int) -> Series:
    """Return a series from an instant on, with the row before it if none is right there.

    The first quarter-hour begins between the two. Without any row from there on there is none.
    """
    first = bisect_left(raw.starts_at, start_at)
    if 0 < first < len(raw) and raw.starts_at[first] != start_at:
        first -= 1
    return replace(
        raw,
        starts_at=raw.starts_at[first:],
        ends_at=raw.ends_at[first:],
        columns={name: values[first:] for name, values in raw.columns.items()},
    )


def known_registers(raw: Series, medium: Medium) -> list[Register]:
    """Return the registers of a medium of which a raw series has at least one value."""
    return [
        register
        for register in REGISTERS_OF[medium]
        if any(value is not None for value in raw.columns.get(register.value, ()))
    ]


def readings_of_totals(quarters: ReferenceQuarters, meter: str, register: Register) -> ReadingRows:
    """Return the totals of quarter-hours as readings of an interval meter, stamped at their ends.

    A reading cannot be negative: what is below 0 becomes 0.
    """
    said = np.flatnonzero(quarters.total != NOTHING_SAID)
    stamps = quarters.starts_at[said] + QUARTER_S
    values = {register: np.maximum(quarters.total[said], 0)}
    return _rows(meter, said + 1, stamps, values, ())


def with_register(
    rows: ReadingRows, register: Register, site_rows: Series, column: str
) -> ReadingRows:
    """Return readings of quarter-hours with a further register, a column of a site's balance.

    Where the balance has no such quarter-hour it has no value; what is below 0 becomes 0.
    """
    starts_at = np.array(site_rows.starts_at, np.int64)
    values = amounts(site_rows.columns.get(column, [None] * len(starts_at)))
    starts_at, values = starts_at[values != NOTHING_SAID], values[values != NOTHING_SAID]
    found = np.full(len(rows.stamps), NO_VALUE, np.int64)
    if len(starts_at):
        wanted = rows.stamps - QUARTER_S
        places = np.minimum(np.searchsorted(starts_at, wanted), len(starts_at) - 1)
        mask = starts_at[places] == wanted
        found[mask] = np.maximum(values[places[mask]], 0)
    return replace(rows, values={**rows.values, register: found})


def sensor_rows_of(series: Series, sensor: str) -> SensorRows:
    """Return the values of a sensor, by its id; rows without a value are left out."""
    values = np.array(series["value"], np.float64)
    said = np.flatnonzero(np.isfinite(values))
    return SensorRows(
        rows=np.arange(1, len(said) + 1),
        sensor_codes=np.zeros(len(said), np.int32),
        sensors=[sensor],
        stamps=np.array(series.starts_at, np.int64)[said],
        values=values[said],
        total=len(said),
    )


def _rows(
    meter: str,
    rows: NDArray[np.int64],
    stamps: NDArray[np.int64],
    values: dict[Register, NDArray[np.int64]],
    rejected: Sequence[Rejected],
) -> ReadingRows:
    count = len(rows)
    return ReadingRows(
        rows=rows,
        meter_codes=np.zeros(count, np.int32),
        meters=[MeterName(id=meter)],
        stamps=stamps,
        values=values,
        qualities=np.full(count, ReadingQuality.MEASURED, np.uint8),
        issued_at=np.full(count, NOT_ISSUED, np.int64),
        rejected=rejected,
        total=count + len(rejected),
    )
