"""A week of a real building as the Climkit service answered it in 2022, answered again.

Index readings are made of its grid import and export, its consumers, and its production where that
is positive; they go in through the command line and come out over HTTP.
"""

import datetime as dt
import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from tests.cli.command import CommandLine
from tests.real_data.real_building import (
    Reader,
    Row,
    climkit_csv,
    declare,
    import_csv,
    served,
    units,
)

SITE = "61dfc9a0eba4e3564021f36a"
GRID = "61dfca85eba4e3564021f36e"
PV = "61dfca85eba4e3564021f36f"
CONSUMERS = [
    "61dfcb4beba4e3563fdf3d9f",
    "61dfcb80eba4e3563fdf3da2",
    "61dfcb8ceba4e3564021f374",
    "61dfcb97eba4e3564021f377",
]
DECLARATION = f"""
site: {{id: {SITE}, name: Building of 2022, timezone: Europe/Zurich}}
meters:
  - {{id: {GRID}, name: Grid, type: electricity, mode: introduction, prim_ad: 10}}
  - {{id: {CONSUMERS[0]}, name: Flat 1, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: {CONSUMERS[1]}, name: Flat 2, type: electricity, mode: consumption, prim_ad: 12}}
  - {{id: {CONSUMERS[2]}, name: Flat 3, type: electricity, mode: consumption, prim_ad: 13}}
  - {{id: {CONSUMERS[3]}, name: Common, type: electricity, mode: consumption, prim_ad: 14}}
  - {{id: {PV}, name: PV, type: electricity, mode: production, prim_ad: 101}}
"""
FIRST_AT = "2022-05-05T14:45:00"
LAST_AT = "2022-05-12T22:00:00"
WEEK = {"t_s": FIRST_AT, "t_e": LAST_AT}
SITE_KEYS = [
    *("conso_total", "prod_total", "from_ext", "self", "to_ext"),
    *("storage_charging_self", "storage_charging_total", "storage_discharging_total"),
]
DERIVED = f"total_{PV}"
"""The real service answers prod_total here, below zero at night; ours is the meter's own."""

Answer = list[dict[str, float]]


@pytest.fixture(scope="module")
def theirs(shared_data: Path) -> list[Row]:
    """Give the rows that the real service answered."""
    found: list[Row] = json.loads(
        (shared_data / "climkit_site_data_2022" / "first_week.json").read_text()
    )
    return found


def energy_10wh(row: Row, column: str) -> int:
    """A value of the real service in units of its indexes' resolution, 0.01 kWh."""
    value = row[column]
    assert isinstance(value, float)
    hundredths = round(value * 100)
    assert abs(value * 100 - hundredths) < 1e-6, "only noise of floating point is rounded away"
    return hundredths


def index_csv(theirs: list[Row], columns: dict[str, str]) -> str:
    """A Climkit CSV of registers that count up columns from 1,000 kWh."""
    first = dt.datetime.fromisoformat(FIRST_AT)
    stamps = [first + dt.timedelta(minutes=15 * count) for count in range(len(theirs) + 1)]
    rises = [[max(0, energy_10wh(row, each)) for row in theirs] for each in columns.values()]
    indexes = (accumulate(each, initial=100_000) for each in rises)
    texts = ([f"{index // 100}.{index % 100:02}" for index in each] for each in indexes)
    values = zip(*texts, strict=True)
    return climkit_csv(
        columns, {at.isoformat(): row for at, row in zip(stamps, values, strict=True)}
    )


@pytest.fixture(scope="module")
def reader(theirs: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Give a client of the building, its readings imported one file a meter."""
    folder = tmp_path_factory.mktemp("climkit_week")
    command = CommandLine(folder, ("--data", str(folder / "data")))
    declare(command, DECLARATION)
    sources = {
        GRID: {"en_im": "from_ext", "en_ex": "to_ext"},
        PV: {"en_ex": "prod_total"},
        **{consumer: {"en_im": f"total_{consumer}"} for consumer in CONSUMERS},
    }
    for meter, columns in sources.items():
        import_csv(command, f"{meter}.csv", "--meter", meter, index_csv(theirs, columns))
    with served(command, SITE) as reader:
        yield reader


@pytest.fixture(scope="module")
def ours(reader: Reader) -> list[Row]:
    """Give the rows that we answer for the same quarter-hours."""
    return reader.climkit(f"site_data/{SITE}/electricity", {**WEEK, "meters": True})


def test_the_same_quarter_hours_under_the_same_stamps(theirs: list[Row], ours: list[Row]) -> None:
    assert len(ours) == 701
    assert [row["timestamp"] for row in ours] == [row["timestamp"] for row in theirs]


def test_the_same_keys_in_the_documented_order(theirs: list[Row], ours: list[Row]) -> None:
    by_meter = [f"{part}_{each}" for each in CONSUMERS for part in ("total", "self", "ext")]

    for their_row, our_row in zip(theirs, ours, strict=True):
        keys = list(our_row)
        assert keys[:8] == SITE_KEYS
        assert keys[-1] == "timestamp"
        assert [key for key in keys[8:-1] if key != DERIVED] == by_meter
        assert set(keys) == set(their_row)


def test_every_value_is_within_a_wh_of_the_real_service(theirs: list[Row], ours: list[Row]) -> None:
    compared = 0
    for their_row, our_row in zip(theirs, ours, strict=True):
        for key in their_row.keys() - {"timestamp", DERIVED}:
            their_kwh, our_kwh = their_row[key], our_row[key]
            assert isinstance(their_kwh, float)
            assert abs(units(our_kwh) - 1000 * their_kwh) <= 1 + 1e-6, (our_row["timestamp"], key)
            compared += 1
    assert compared == 701 * 20


@pytest.mark.parametrize(
    "column",
    ["conso_total", "from_ext", "to_ext", "self", *(f"total_{each}" for each in CONSUMERS)],
)
def test_sums_are_those_of_the_real_service_to_the_wh(
    theirs: list[Row], ours: list[Row], column: str
) -> None:
    their_wh = sum(10 * energy_10wh(row, column) for row in theirs)

    assert sum(units(row[column]) for row in ours) == their_wh


def test_the_week_in_numbers(ours: list[Row]) -> None:
    """The roof does not produce yet: what is shared is what meters differ that are read apart.

    At most 40 Wh a quarter-hour, above zero and below; larger shares are the properties' matter.
    """
    sums = {key: sum(units(row[key]) for row in ours) for key in SITE_KEYS[:5]}

    assert sums == {
        "conso_total": 335_890,
        "prod_total": -1_870,
        "from_ext": 337_760,
        "self": -1_870,
        "to_ext": 0,
    }
    assert sum(units(row["self"]) > 0 for row in ours) == 159
    assert sum(units(row["self"]) < 0 for row in ours) == 270


def test_the_shares_sum_to_self_where_it_is_above_zero(ours: list[Row]) -> None:
    for row in ours:
        shares = sum(units(row[f"self_{each}"]) for each in CONSUMERS)
        assert shares == max(0, units(row["self"]))
        assert units(row["conso_total"]) == sum(units(row[f"total_{each}"]) for each in CONSUMERS)


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_consumer_has_the_same_numbers_alone(
    reader: Reader, ours: list[Row], consumer: str
) -> None:
    alone = reader.climkit(f"meter_data/{SITE}/{consumer}", WEEK)

    assert alone == [
        {
            "total": row[f"total_{consumer}"],
            "self": row[f"self_{consumer}"],
            "ext": row[f"ext_{consumer}"],
            "timestamp": row["timestamp"],
        }
        for row in ours
    ]


@pytest.mark.parametrize(("meter", "column"), [(PV, DERIVED), (GRID, "from_ext")])
def test_other_meters_have_the_same_numbers_alone(
    reader: Reader, ours: list[Row], meter: str, column: str
) -> None:
    alone = reader.climkit(f"meter_data/{SITE}/{meter}", WEEK)

    assert alone == [{"total": row[column], "timestamp": row["timestamp"]} for row in ours]


def test_the_pv_meter_answers_its_own_index(theirs: list[Row], ours: list[Row]) -> None:
    measured = [10 * max(0, energy_10wh(row, "prod_total")) for row in theirs]

    assert [units(row[DERIVED]) for row in ours] == measured
