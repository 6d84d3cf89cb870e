"""What the demo's gateway sends says exactly what it read."""

import numpy as np
import orjson

from commonwatt.demo.gateway import readings_body, sensors_body
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.demo.simulated.sensor_log import sensor_rows_due
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import NO_VALUE
from commonwatt.formats.readings.json import readings_from_json, sensor_values_from_json

SET_UP_AT = 1_795_252_512


def test_readings_arrive_as_they_were_read() -> None:
    sent, _ = ReadingLog(SET_UP_AT).due(SET_UP_AT, SET_UP_AT + DAY_S)

    arrived = readings_from_json(orjson.dumps(readings_body(sent)))

    assert arrived.total == sent.total > 2_000
    assert not arrived.rejected
    np.testing.assert_array_equal(arrived.stamps, sent.stamps)
    assert [arrived.meters[code] for code in arrived.meter_codes.tolist()] == [
        sent.meters[code] for code in sent.meter_codes.tolist()
    ]
    for register, column in sent.values.items():
        said = arrived.values.get(register, np.full(sent.total, NO_VALUE))
        np.testing.assert_array_equal(said, column)


def test_sensor_values_arrive_as_they_were_read() -> None:
    sent = sensor_rows_due(SET_UP_AT, SET_UP_AT + DAY_S)

    arrived = sensor_values_from_json(orjson.dumps(sensors_body(sent)))

    assert not arrived.rejected
    np.testing.assert_array_equal(arrived.stamps, sent.stamps)
    np.testing.assert_array_equal(arrived.values, sent.values)
