"""What the demo's sensors measure."""

import numpy as np

from commonwatt.demo.simulated.building import SENSOR_IDS
from commonwatt.demo.simulated.sensor_log import sensor_rows_due, sensor_values
from commonwatt.domain.metering.quarter_hours import DAY_S

START_AT = 1_780_000_000


def test_values_are_those_of_a_house() -> None:
    year = np.arange(START_AT, START_AT + 365 * DAY_S, 900)
    bounds = {"temperature": (10, 28), "humidity": (35, 85), "co2": (400, 1600)}

    for kind, (low, high) in bounds.items():
        values = sensor_values(kind, year)
        assert low < values.min() < values.max() < high, kind
        assert values.std() > 0.5, kind


def test_values_change_softly() -> None:
    day = np.arange(START_AT, START_AT + DAY_S, 60)

    assert np.abs(np.diff(sensor_values("temperature", day))).max() < 0.3


def test_three_sensors_are_read_every_quarter_and_each_value_is_sent_once() -> None:
    at_once = sensor_rows_due(START_AT, START_AT + DAY_S)
    first = sensor_rows_due(START_AT, START_AT + 5000)
    rest = sensor_rows_due(START_AT + 5000, START_AT + DAY_S)

    assert at_once.total == 3 * 96
    assert at_once.sensors == list(SENSOR_IDS.values())
    assert first.total + rest.total == at_once.total
    assert set(np.diff(at_once.stamps[at_once.sensor_codes == 1]).tolist()) == {900}
