"""Sensors of an office over the autumn switch (Brains4Buildings), read back value by value."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.cli.command import CommandLine
from tests.real_data.real_building import (
    Reader,
    climkit_csv,
    declare,
    import_csv,
    served,
)

SITE, CO2, TEMPERATURE, WALL_CLOCK, LACKS_ONE = (f"{number:024x}" for number in range(1, 6))
ROOM, DEVICE = 917810, "CO2-meter-SCD4x"
DECLARATION = f"""
site: {{id: "{SITE}", name: Office, timezone: Europe/Amsterdam}}
meters: []
sensors:
  - {{id: "{CO2}", name: CO2, type: co2, unit: ppm, model: SCD4x}}
  - {{id: "{TEMPERATURE}", name: Temperature, type: temperature, unit: "°C", model: SCD4x}}
  - {{id: "{WALL_CLOCK}", name: Temperature by wall clock, type: temperature, unit: "°C"}}
  - {{id: "{LACKS_ONE}", name: Temperature that lacks one, type: temperature, unit: "°C"}}
"""
COLUMNS = {CO2: "co2__ppm", TEMPERATURE: "temp_in__degC"}
ALL = ("2022-10-01", "2022-12-01")

Values = list[tuple[dt.datetime, float]]


@pytest.fixture(scope="module")
def room(shared_data: Path) -> dict[str, Values]:
    """Give local times and values of each sensor; what it did not measure is not there."""
    file = shared_data / "sensors_b4b_nl" / "raw_properties" / "b4b_raw_properties.parquet"
    rows = (
        pl.read_parquet(file)
        .filter((pl.col("id") == ROOM) & (pl.col("source") == DEVICE))
        .sort("timestamp")
    )
    return {
        sensor: rows.select("timestamp", column).drop_nulls().rows()
        for sensor, column in COLUMNS.items()
    }


@pytest.fixture(scope="module")
def office(room: dict[str, Values], tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Give the command on a store with the sensors and their values."""
    folder = tmp_path_factory.mktemp("office")
    command = CommandLine(folder, ("--data", str(folder / "data")))
    declare(command, DECLARATION)
    for sensor, values in room.items():
        # Local time with its offset, as the data has it.
        text = climkit_csv(("value",), {at.isoformat(): (repr(value),) for at, value in values})
        import_csv(command, f"{sensor}.csv", "--sensor", sensor, text)
    return command


@pytest.fixture(scope="module")
def reader(office: CommandLine) -> Iterator[Reader]:
    """Give a client of the office."""
    with served(office, SITE) as reader:
        yield reader


@pytest.mark.parametrize("sensor", COLUMNS, ids=("CO2", "temperature"))
def test_every_value_is_read_back(room: dict[str, Values], reader: Reader, sensor: str) -> None:
    expected = [(int(at.timestamp()), value) for at, value in room[sensor]]

    assert reader.sensor(sensor, *ALL) == expected
    assert len(expected) == 2_156


def test_the_hour_that_happens_twice_is_two_hours(room: dict[str, Values], reader: Reader) -> None:
    found = reader.sensor(CO2, "2022-10-30T02:00:00+02:00", "2022-10-30T03:00:00+01:00")

    stamps = [at for at, _ in found]
    assert (stamps[0], stamps[-1]) == (1_667_088_000, 1_667_095_200)
    assert len(stamps) == len(set(stamps)) == 13, "every ten minutes for two hours"


def test_without_a_period_the_latest_value(room: dict[str, Values], reader: Reader) -> None:
    at, value = room[TEMPERATURE][-1]

    answer = reader.client.get(f"/api/v1/{SITE}/sensor_data/{TEMPERATURE}")

    assert answer.json() == [{"timestamp": int(at.timestamp()), "value": value}]


def test_twice_is_once(office: CommandLine, reader: Reader) -> None:
    before = reader.sensor(CO2, *ALL)

    again = office("import", str(office.folder / f"{CO2}.csv"), "--sensor", CO2)

    assert again.code == 0
    assert "0 accepted, 2156 unchanged, 0 superseding, 0 rejected" in again.out
    assert reader.sensor(CO2, *ALL) == before


def test_wall_times_of_a_whole_doubled_hour_are_placed_by_their_order(
    room: dict[str, Values], office: CommandLine, reader: Reader
) -> None:
    """Written down without offsets, each label of the doubled hour comes twice, in its order."""
    values = room[TEMPERATURE]
    lines = [f"{at.replace(tzinfo=None).isoformat()},{value!r}" for at, value in values]
    file = office.write("wall_clock.csv", "\n".join(("timestamp,value", *lines)) + "\n")

    imported = office("import", file, "--sensor", WALL_CLOCK, "--timezone", "Europe/Amsterdam")

    assert imported.code == 0
    assert reader.sensor(WALL_CLOCK, *ALL) == [(int(at.timestamp()), value) for at, value in values]


def test_a_doubled_hour_that_lacks_a_label_is_told_and_the_rest_is_kept(
    room: dict[str, Values], office: CommandLine, reader: Reader
) -> None:
    """Nobody knows of which pass the others are; nor whether 03:00 ends the hour or follows it."""
    lacking = dt.datetime(2022, 10, 30, 2, 50)  # noqa: DTZ001  # a wall time
    values = list(room[TEMPERATURE])
    last = max(row for row, (at, _) in enumerate(values) if at.replace(tzinfo=None) <= lacking)
    del values[last]
    refused = [
        row
        for row, (at, _) in enumerate(values, 1)
        if dt.datetime(2022, 10, 30, 2) <= at.replace(tzinfo=None)  # noqa: DTZ001
        and at.replace(tzinfo=None) <= dt.datetime(2022, 10, 30, 3)  # noqa: DTZ001
    ]
    lines = [f"{at.replace(tzinfo=None).isoformat()},{value!r}" for at, value in values]
    file = office.write("lacks_one.csv", "\n".join(("timestamp,value", *lines)) + "\n")

    imported = office("import", file, "--sensor", LACKS_ONE, "--timezone", "Europe/Amsterdam")

    told = imported.err.splitlines()
    assert imported.code == 1
    assert len(refused) == len(told) == 12
    for row, line in zip(refused, told, strict=True):
        assert f"row {row}: " in line
    kept = [each for row, each in enumerate(values, 1) if row not in refused]
    assert reader.sensor(LACKS_ONE, *ALL) == [(int(at.timestamp()), value) for at, value in kept]
