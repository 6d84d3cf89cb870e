"""Columns of raw values, as JSON and CSV give them, to `ReadingRows` and `SensorRows`.

A row with a fault is left out and its first fault becomes its reason; every row of the source ends
in exactly one of the columns and the rejected.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.catalogue import Medium, Register
from commonwatt.domain.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingQuality,
    ReadingRows,
    Rejected,
    SensorRows,
)
from commonwatt.formats.errors import BadValue, shown
from commonwatt.formats.instants import parse_instants
from commonwatt.formats.wall_times import instants_of_wall_times

REGISTER_KEYS = tuple(register.value for register in Register)
READING_KEYS = (
    *("meter", "type", "prim_ad", "timestamp"),
    *REGISTER_KEYS,
    *("quality", "issued_at", "serial"),
)
SENSOR_KEYS = ("sensor", "timestamp", "value")

Column = Sequence[object]
T = TypeVar("T")
Numbers = Callable[[Column], tuple[NDArray[np.int64], dict[int, str]]]
Floats = Callable[[Column], tuple[NDArray[np.float64], dict[int, str]]]

_ID = re.compile(r"[0-9a-f]{24}")
_MEDIA = frozenset(medium.value for medium in Medium)
_QUALITIES: Mapping[object, int] = {
    None: ReadingQuality.MEASURED,
    **{quality.name.lower(): int(quality) for quality in ReadingQuality},
}
_PRIM_AD_MAX = 2**31 - 1
_SERIAL_LENGTH_MAX = 64
_SERIALS_MAX = 2**15 - 1


class RowFaults:
    """The first fault of each row, by its position in the columns."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    def add(self, position: int, reason: str) -> None:
        """Note a fault, unless the row has one already."""
        self._reasons.setdefault(position, reason)

    def add_all(self, key: str, reasons: Mapping[int, str]) -> None:
        """Note the faults of the values under a key."""
        for position, reason in reasons.items():
            self.add(position, f"{key}: {reason}")

    def kept(self, count: int) -> NDArray[np.bool_]:
        """Tell for each of ``count`` rows whether it has no fault."""
        kept = np.ones(count, np.bool_)
        kept[list(self._reasons)] = False
        return kept

    def rejected(self, rows: NDArray[np.int64]) -> list[Rejected]:
        """Return the rows with a fault under their numbers, in their order."""
        return [
            Rejected(int(rows[position]), self._reasons[position])
            for position in sorted(self._reasons)
        ]


@dataclass(frozen=True, slots=True)
class RowSource:
    """Columns as a source gives them: raw values by key, None where a row has none.

    rows: row numbers, from 1. zone: the zone of naive stamps, None for UTC. faults: what the source
    itself found wrong with a row.
    """

    rows: NDArray[np.int64]
    columns: Mapping[str, Column]
    faults: RowFaults
    zone: str | None = None

    @property
    def count(self) -> int:
        """The number of rows, faulty ones included."""
        return len(self.rows)


def reading_rows(source: RowSource, numbers: Numbers, meter: MeterName | None) -> ReadingRows:
    """Return the readings of a source; ``meter`` is whose they are if the rows do not say.

    ``numbers`` turns raw values into mWh and ml.
    """
    faults, columns = source.faults, source.columns
    if meter is None:
        meters, meter_codes = _meters(source)
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
        sensors, sensor_codes = _sensors(source)
    else:
        sensors, sensor_codes = [sensor], np.zeros(source.count, np.int32)
    stamps = _stamps(source)
    values, wrong = floats(_column(source, "value"))
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


def _column(source: RowSource, key: str) -> Column:
    column = source.columns.get(key)
    return [None] * source.count if column is None else column


def _only(kind: type, what: str, source: RowSource, key: str) -> Column:
    """Return a column whose values are of one type or None; others become a fault and None."""
    column = _column(source, key)
    if set(map(type, column)) <= {kind, NoneType}:
        return column
    for position, value in enumerate(column):
        if type(value) not in (kind, NoneType):
            source.faults.add(position, f"{key}: {shown(value)} is not {what}")
    return [value if type(value) is kind else None for value in column]


def _meters(source: RowSource) -> tuple[list[MeterName], NDArray[np.int32]]:
    """Return the distinct meters that rows name, and the position of each row's meter there."""
    ids = _only(str, "a meter id, 24 hexadecimal digits", source, "meter")
    types = _only(str, f"a type, one of {', '.join(Medium)}", source, "type")
    addresses = _only(int, "a whole number", source, "prim_ad")
    names, codes = _coded(list(zip(ids, types, addresses, strict=True)))
    meters: list[MeterName] = []
    # Where each distinct name stands among the meters; -1 for one that names none.
    places = np.full(len(names), -1, np.int32)
    reasons: dict[int, str] = {}
    for code, (meter_id, medium, prim_ad) in enumerate(names):
        try:
            meter = _meter_name(meter_id, medium, prim_ad)
        except BadValue as fault:
            reasons[code] = str(fault)
        else:
            places[code] = len(meters)
            meters.append(meter)
    _add_coded_faults(source.faults, codes, reasons)
    return meters, places[codes]


def _meter_name(meter_id: object, medium: object, prim_ad: object) -> MeterName:
    if meter_id is not None:
        if medium is not None or prim_ad is not None:
            raise BadValue("names its meter twice; give either meter, or type and prim_ad")
        return MeterName(id=_checked_id("meter", meter_id))
    if medium is None and prim_ad is None:
        raise BadValue("names no meter; give meter (its id), or type and prim_ad")
    if not isinstance(medium, str) or not isinstance(prim_ad, int):
        missing = "prim_ad" if prim_ad is None else "type"
        raise BadValue(f"{missing} is missing; type and prim_ad name a meter together")
    if medium not in _MEDIA:
        raise BadValue(f"type: {shown(medium)} is none of {', '.join(Medium)}")
    if not 0 <= prim_ad <= _PRIM_AD_MAX:
        raise BadValue(f"prim_ad: {shown(prim_ad)} is not a number from 0 to {_PRIM_AD_MAX}")
    return MeterName(type=medium, prim_ad=prim_ad)


def _checked_id(key: str, value: object) -> str:
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise BadValue(f"{key}: {shown(value)} is not an id, 24 digits of 0-9 and a-f")
    return value


def _sensors(source: RowSource) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct sensors that rows name, and the position of each row's sensor there."""
    names, codes = _coded(_only(str, "a sensor id", source, "sensor"))
    reasons: dict[int, str] = {}
    for code, name in enumerate(names):
        try:
            _checked_id("sensor", name)
        except BadValue as fault:
            reasons[code] = "sensor is missing; give its id" if name is None else str(fault)
    _add_coded_faults(source.faults, codes, reasons)
    sensors = [str(name) for code, name in enumerate(names) if code not in reasons]
    places = np.cumsum([code not in reasons for code in range(len(names))], dtype=np.int32) - 1
    return sensors, places[codes]


def _coded(values: Sequence[T]) -> tuple[list[T], NDArray[np.int32]]:
    """Return the distinct values in the order of appearance, and each value's position there."""
    positions: dict[T, int] = {}
    codes = np.fromiter(
        (positions.setdefault(value, len(positions)) for value in values), np.int32, len(values)
    )
    return list(positions), codes


def _add_coded_faults(
    faults: RowFaults, codes: NDArray[np.int32], reasons: Mapping[int, str]
) -> None:
    if reasons:
        for position in np.flatnonzero(np.isin(codes, list(reasons))).tolist():
            faults.add(position, reasons[int(codes[position])])


def _stamps(source: RowSource) -> NDArray[np.int64]:
    column = _column(source, "timestamp")
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
        return np.full(source.count, ReadingQuality.MEASURED, np.uint8)
    column = _only(str, "a word", source, "quality")
    words = ", ".join(quality.name.lower() for quality in ReadingQuality)
    if not set(column) <= _QUALITIES.keys():
        for position, value in enumerate(column):
            if value not in _QUALITIES:
                source.faults.add(position, f"quality: {shown(value)} is none of {words}")
    codes = (_QUALITIES.get(value, 0) for value in column)
    return np.fromiter(codes, np.uint8, source.count)


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
    names, codes = _coded(_only(str, "text; put it in quotes", source, "serial"))
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
    _add_coded_faults(source.faults, codes, reasons)
    return serials, places[codes]
