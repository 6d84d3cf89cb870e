"""Columns of raw values, as JSON and CSV give them, to `ReadingRows` and `SensorRows`.

A file comes in pieces: what is wrong with a wall time is seen only when all of them are there.

A row with a fault is left out and its first fault becomes its reason; every row of the source ends
in the columns or is rejected. ``total`` counts all of them: only so many of the rejected are named.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingRows,
    SensorRows,
)
from commonwatt.formats.errors import Faults, shown
from commonwatt.formats.readings.quality_words import QUALITY_WORDS, quality_of
from commonwatt.formats.readings.row_names import meters_of, sensors_of
from commonwatt.formats.readings.row_pieces import RowPiece, without_faults
from commonwatt.formats.readings.row_source import (
    REGISTER_KEYS,
    SERIALS_MAX,
    Column,
    RowSource,
    add_coded_faults,
    coded,
)
from commonwatt.formats.stamps.instants import Instants, parse_instants
from commonwatt.formats.stamps.wall_times import instants_of_wall_times

Numbers = Callable[[Column], tuple[NDArray[np.int64], dict[int, str]]]
Floats = Callable[[Column], tuple[NDArray[np.float64], dict[int, str]]]

_SERIAL_LENGTH_MAX = 64


def reading_rows(source: RowSource, numbers: Numbers, meter: MeterName | None) -> ReadingRows:
    """Return the readings of a source whose naive stamps are UTC; see `reading_piece`."""
    piece = reading_piece(source, numbers, meter)
    return without_faults(piece.rows, piece.faults, source.broken)


def sensor_rows(source: RowSource, floats: Floats, sensor: str | None) -> SensorRows:
    """Return the sensor values of a source whose naive stamps are UTC; see `sensor_piece`."""
    piece = sensor_piece(source, floats, sensor)
    return without_faults(piece.rows, piece.faults, source.broken)


def reading_piece(
    source: RowSource, numbers: Numbers, meter: MeterName | None
) -> RowPiece[ReadingRows]:
    """Return the readings of a part of a file; ``meter`` is whose they are if rows do not say.

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
    replaces = _replaces(source)
    rows = ReadingRows(
        rows=source.rows,
        meter_codes=meter_codes,
        meters=meters,
        stamps=stamps.seconds,
        values=values,
        qualities=qualities,
        issued_at=issued_at,
        serials=serials,
        serial_codes=serial_codes,
        fractions_us=stamps.micros if stamps.micros.any() else None,
        replaces=replaces,
        total=source.count + source.left_out,
    )
    return RowPiece(rows, stamps.naive, faults)


def sensor_piece(source: RowSource, floats: Floats, sensor: str | None) -> RowPiece[SensorRows]:
    """Return the values of a part of a file; ``sensor`` is whose they are if rows do not say."""
    faults = source.faults
    if sensor is None:
        sensors, sensor_codes = sensors_of(source)
    else:
        sensors, sensor_codes = [sensor], np.zeros(source.count, np.int32)
    stamps = _stamps(source)
    values, wrong = floats(source.column("value"))
    faults.add_all("value", wrong)
    rows = SensorRows(
        rows=source.rows,
        sensor_codes=sensor_codes,
        sensors=sensors,
        stamps=stamps.seconds,
        values=values,
        total=source.count + source.left_out,
    )
    return RowPiece(rows, stamps.naive, faults)


def _stamps(source: RowSource) -> Instants:
    """Read the stamps; naive ones stay wall times."""
    column = source.column("timestamp")
    stamps = parse_instants(column)
    for position in stamps.faults:
        if column[position] is None:
            stamps.faults[position] = "is missing; give the instant of the reading"
    source.faults.add_all("timestamp", stamps.faults)
    # What is no stamp has no wall time that others could be told apart by.
    stamps.naive[list(stamps.faults)] = False
    return stamps


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
    reason = f"has no value; give one of {', '.join(REGISTER_KEYS)}"
    for position in np.flatnonzero(~has_value).tolist():
        source.faults.add(position, reason)
    return values


def _qualities(column: Column | None, source: RowSource) -> NDArray[np.uint8]:
    if column is None:
        return np.full(source.count, source.quality, np.uint8)
    words, codes = coded(source.only(str, "a word", "quality"))
    qualities = np.full(len(words), source.quality, np.uint8)
    reasons = Faults()
    for code, word in enumerate(words):
        if isinstance(word, str):
            quality = quality_of(word)
            if quality is None:
                known = ", ".join(each.word for each in QUALITY_WORDS)
                reasons.note(code, f"quality: {shown(word)} is none of {known}")
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


def _replaces(source: RowSource) -> NDArray[np.bool_] | None:
    """Return which rows replace earlier ones, None if none does."""
    replaces = np.full(source.count, source.replaces, np.bool_)
    column = source.columns.get("replaces")
    if column is not None:
        said = source.only(bool, "true or false", "replaces")
        replaces = np.array([source.replaces if v is None else v for v in said], np.bool_)
    return replaces if replaces.any() else None


def _serials(
    column: Column | None, source: RowSource
) -> tuple[list[str], NDArray[np.int16] | None]:
    """Return the distinct serials, and each row's position there, -1 for none."""
    if column is None:
        return [], None
    names, codes = coded(source.only(str, "text; put it in quotes", "serial"))
    serials: list[str] = []
    places = np.full(len(names), -1, np.int16)
    reasons = Faults()
    for code, name in enumerate(names):
        if not isinstance(name, str):
            continue
        if not (0 < len(name) <= _SERIAL_LENGTH_MAX and name.isprintable()):
            reasons.note(code, f"serial: {shown(name)} is not 1 to {_SERIAL_LENGTH_MAX} letters")
        elif len(serials) == SERIALS_MAX:
            reasons.note(code, f"serial: more than {SERIALS_MAX} serials in one body; send several")
        else:
            places[code] = len(serials)
            serials.append(name)
    add_coded_faults(source.faults, codes, reasons)
    return serials, places[codes]
