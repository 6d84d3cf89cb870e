"""Readings and sensor values sent as a JSON array or NDJSON.

Rows count from 1 (of NDJSON: by lines, blank ones skipped). Naive stamps are UTC. A key whose value
is null counts as absent. An unknown key rejects its row: a misspelt register must not vanish.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.readings import ReadingQuality, ReadingRows, SensorRows
from commonwatt.formats.errors import Faults, shown
from commonwatt.formats.readings.json_rows import json_array, ndjson_rows, row_source
from commonwatt.formats.readings.quantities import is_number, quantities_from_numbers
from commonwatt.formats.readings.row_columns import reading_rows, sensor_rows
from commonwatt.formats.readings.row_source import (
    READING_KEYS,
    SENSOR_KEYS,
    Column,
    RowFaults,
)


def readings_from_json(
    body: bytes, quality: ReadingQuality = ReadingQuality.MEASURED, replaces: bool = False
) -> ReadingRows:
    """Return the readings of a JSON array. Raises `UnreadableBody`.

    ``quality`` is that of the rows that do not say, and ``replaces`` whether those replace.

    >>> body = b'[{"type": "electricity", "prim_ad": 11, "timestamp": "1970-01-02", "en_im": 1.5}]'
    >>> readings_from_json(body).values
    {<Register.EN_IM: 'en_im'>: array([1500000])}
    """
    rows = json_array(body)
    source = row_source(rows, RowFaults(len(rows)), READING_KEYS)
    source = replace(source, quality=quality, replaces=replaces)
    return reading_rows(source, quantities_from_numbers, None)


def readings_from_ndjson(
    body: bytes, quality: ReadingQuality = ReadingQuality.MEASURED, replaces: bool = False
) -> ReadingRows:
    """Return the readings of a body with one JSON object a line; broken lines are rejected rows.

    ``quality`` and ``replaces`` are those of the rows that do not say.
    """
    rows, faults = _ndjson(body)
    source = replace(row_source(rows, faults, READING_KEYS), quality=quality, replaces=replaces)
    return reading_rows(source, quantities_from_numbers, None)


def sensor_values_from_json(body: bytes) -> SensorRows:
    """Return the sensor values of a JSON array. Raises `UnreadableBody`."""
    rows = json_array(body)
    return sensor_rows(row_source(rows, RowFaults(len(rows)), SENSOR_KEYS), _floats, None)


def sensor_values_from_ndjson(body: bytes) -> SensorRows:
    """Return the sensor values of a body with one JSON object a line."""
    rows, faults = _ndjson(body)
    return sensor_rows(row_source(rows, faults, SENSOR_KEYS), _floats, None)


def _ndjson(body: bytes) -> tuple[list[object], RowFaults]:
    rows, reasons = ndjson_rows(body)
    faults = RowFaults(len(rows))
    for position, reason in reasons.items():
        faults.add(position, reason)
    return rows, faults


def _floats(values: Column) -> tuple[NDArray[np.float64], dict[int, str]]:
    faults = Faults()
    for position, value in enumerate(values):
        if not is_number(value):
            faults.note(position, f"{shown(value)} is not a number; give one")
    usable = [0.0 if position in faults else value for position, value in enumerate(values)]
    return np.array(usable, np.float64), faults
