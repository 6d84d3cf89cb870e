"""Columns of raw values, as JSON and CSV give them, to `ReadingRows` and `SensorRows`.

A row with a fault is left out and its first fault becomes its reason; every row of the source ends
in exactly one of the columns and the rejected.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Register
from commonwatt.domain.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingRows,
    SensorRows,
)
from commonwatt.formats.errors import shown
from commonwatt.formats.instants import parse_instants
from commonwatt.formats.quality_words import QUALITY_WORDS, quality_of
from commonwatt.formats.row_names import meters_of, sensors_of
from commonwatt.formats.row_source import (
    REGISTER_KEYS,
    Column,
    RowSource,
    add_coded_faults,
    coded,
)
from commonwatt.formats.wall_times import instants_of_wall_times

Numbers = Callable[[Column], tuple[NDArray[np.int64], dict[int, str]]]
Floats = Callable[[Column], tuple[NDArray[np.float64], dict[int, str]]]

_SERIAL_LENGTH_MAX = 64
_SERIALS_MAX = 2**15 - 1


def reading_rows(source: RowSource, numbers: Numbers, meter: MeterName | None) -> ReadingRows:
    """Return the readings of a source; ``meter`` is whose they are if the rows do not say.

    ``numbers`` turns raw values into mWh and ml.
    """
    faults, columns = source.faults, source.columns
    if meter is None:
        meters, meter_codes = meters_of(source)
    else:
        meters, meter_codes = [meter], np.zeros(source.count, np.int32)
    stamps = _stamps(source)
    values = _register_values(source, numbers)
    qualities = _qualities(columns.get("quality"), source)
    issued_at = _issued_at(source)
    serials, serial_codes = _serials(columns.get("serial"), source)
    kept = faults.kept(source.count)
    return ReadingRows(
        rows=source.rows[kept],
        meter_codes=meter_codes[kept],
        meters=meters,
        stamps=stamps[kept],
        values={register: column[kept] for register, column in values.items()},
        qualities=qualities[kept],
        issued_at=issued_at[kept],
        serials=serials,
        serial_codes=None if serial_codes is None else serial_codes[kept],
        rejected=faults.rejected(source.rows),
        total=source.count,
    )


def sensor_rows(source: RowSource, floats: Floats, sensor: str | None) -> SensorRows:
    """Return the sensor values of a source; ``sensor`` is whose they are if the rows do not say."""
    faults = source.faults
    if sensor is None:
        sensors, sensor_codes = sensors_of(source)
    else:
        sensors, sensor_codes = [sensor], np.zeros(source.count, np.int32)
    stamps = _stamps(source)
    values, wrong = floats(source.column("value"))
    faults.add_all("value", wrong)
    kept = faults.kept(source.count)
    return SensorRows(
        rows=source.rows[kept],
        sensor_codes=sensor_codes[kept],
        sensors=sensors,
        stamps=stamps[kept],
        values=values[kept],
        rejected=faults.rejected(source.rows),
        total=source.count,
    )


def _stamps(source: RowSource) -> NDArray[np.int64]:
    column = source.column("timestamp")
    seconds, _, wrong = _instants(column, source.zone)
    for position in wrong:
        if column[position] is None:
            wrong[position] = "is missing; give the instant of the reading"
    source.faults.add_all("timestamp", wrong)
    return seconds


def _instants(
    column: Column, zone: str | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[int, str]]:
    """Return Unix seconds, microseconds of the fraction, and the faults by position."""
    instants = parse_instants(column)
    if zone is None or not instants.naive.any():
        return instants.seconds, instants.micros, instants.faults
    positions = np.flatnonzero(instants.naive)
    seconds, wrong = instants_of_wall_times(instants.seconds[positions], zone)
    instants.seconds[positions] = seconds
    faults = {int(positions[at]): reason for at, reason in wrong.items()}
    return instants.seconds, instants.micros, instants.faults | faults


def _register_values(source: RowSource, numbers: Numbers) -> dict[Register, NDArray[np.int64]]:
    values: dict[Register, NDArray[np.int64]] = {}
    has_value = np.zeros(source.count, np.bool_)
    for register in Register:
        if register.value in source.columns:
            column, wrong = numbers(source.columns[register.value])
            source.faults.add_all(register.value, wrong)
            has_value |= column != NO_VALUE
            values[register] = column
    for position in np.flatnonzero(~has_value).tolist():
        source.faults.add(position, f"has no value; give one of {', '.join(REGISTER_KEYS)}")
    return values


def _qualities(column: Column | None, source: RowSource) -> NDArray[np.uint8]:
    if column is None:
        return np.full(source.count, source.quality, np.uint8)
    words, codes = coded(source.only(str, "a word", "quality"))
    qualities = np.full(len(words), source.quality, np.uint8)
    reasons: dict[int, str] = {}
    for code, word in enumerate(words):
        if isinstance(word, str):
            quality = quality_of(word)
            if quality is None:
                known = ", ".join(each.word for each in QUALITY_WORDS)
                reasons[code] = f"quality: {shown(word)} is none of {known}"
            else:
                qualities[code] = quality
    add_coded_faults(source.faults, codes, reasons)
    return qualities[codes]


def _issued_at(source: RowSource) -> NDArray[np.int64]:
    """Return Unix microseconds, NOT_ISSUED where a row does not say."""
    issued_at = np.full(source.count, NOT_ISSUED, np.int64)
    column = source.columns.get("issued_at")
    if column is None:
        return issued_at
    said = np.flatnonzero([value is not None for value in column])
    seconds, micros, wrong = _instants([column[at] for at in said.tolist()], source.zone)
    issued_at[said] = seconds * 1_000_000 + micros
    source.faults.add_all("issued_at", {int(said[at]): reason for at, reason in wrong.items()})
    return issued_at


def _serials(
    column: Column | None, source: RowSource
) -> tuple[list[str], NDArray[np.int16] | None]:
    """Return the distinct serials, and each row's position there, -1 for none."""
    if column is None:
        return [], None
    names, codes = coded(source.only(str, "text; put it in quotes", "serial"))
    serials: list[str] = []
    places = np.full(len(names), -1, np.int16)
    reasons: dict[int, str] = {}
    for code, name in enumerate(names):
        if not isinstance(name, str):
            continue
        if not (0 < len(name) <= _SERIAL_LENGTH_MAX and name.isprintable()):
            reasons[code] = f"serial: {shown(name)} is not 1 to {_SERIAL_LENGTH_MAX} letters"
        elif len(serials) == _SERIALS_MAX:
            reasons[code] = f"serial: more than {_SERIALS_MAX} serials in one body; send several"
        else:
            places[code] = len(serials)
            serials.append(name)
    add_coded_faults(source.faults, codes, reasons)
    return serials, places[codes]
