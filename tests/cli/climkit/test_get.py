"""`commonwatt get`: tables, JSON, CSV and drawings of what the building's server knows."""

import csv
import json

import pytest

from tests.api import building
from tests.cli.climkit.conftest import Asking

HOUR = ("--start", "2026-03-21T13:00", "--end", "2026-03-21T14:00")


def test_a_meter_as_a_table(asking: Asking) -> None:
    ended = asking("get", "meter", "CH-0012", "Anna", *HOUR)

    assert (ended.code, ended.err) == (0, "")
    header, *rows = ended.lines
    assert header.split() == ["start", "total", "[kWh]", "self", "[kWh]", "ext", "[kWh]"]
    assert [row.split()[:3] for row in rows] == [
        ["2026-03-21", f"13:{minute}+01:00", "0.04"] for minute in ("00", "15", "30", "45")
    ]


@pytest.mark.parametrize("meter", [building.ANNA, "prim_ad:11", "electricity 11", "Anna"])
def test_a_meter_as_json_by_each_of_its_names(asking: Asking, meter: str) -> None:
    told = json.loads(asking("get", "meter", building.SITE, meter, *HOUR, "--json").out)

    rows = told.pop("rows")
    assert told == {
        "unit": "kWh",
        "timezone": building.ZONE,
        "sampling": "15T",
        "start": "2026-03-21T12:00:00Z",
        "end": "2026-03-21T13:00:00Z",
    }
    assert len(rows) == 4
    assert list(rows[0]) == ["start", "end", "start_local", "total", "self", "ext"]
    assert rows[0]["start"] == "2026-03-21T12:00:00Z"
    assert rows[0]["end"] == rows[1]["start"] == "2026-03-21T12:15:00Z"
    assert rows[0]["start_local"] == "2026-03-21T13:00:00+01:00"
    assert rows[0]["total"] == 0.04


def test_a_site_as_csv_says_apart_what_is_missing(asking: Asking) -> None:
    words = ("get", "site", "CH-0012", "--start", "2026-03-20", "--end", "2026-03-24")

    ended = asking(*words, "--csv")

    rows = list(csv.DictReader(ended.lines))
    assert len(rows) == building.QUARTERS
    assert {row["conso_total"] for row in rows} == {"0.09"}
    assert ended.err.splitlines() == [
        "missing: 2026-03-20 00:00+01:00 to 2026-03-21 01:00+01:00",
        "missing: 2026-03-23 01:00+01:00 to 2026-03-24 00:00+01:00",
    ]
    quietly = asking(*words, "--csv", "--quiet")
    assert (quietly.out, quietly.err) == (ended.out, "")


def test_water_by_days(asking: Asking) -> None:
    words = ("get", "site", "CH-0012", "--type", "cold_water", "--sampling", "D")
    ended = asking(*words, "--start", "2026-03-22", "--end", "2026-03-23")
    assert ended.lines[0].split() == ["start", "conso_total", "[m3]"]
    assert ended.lines[1].split()[0] == "2026-03-22"


def test_readings_and_the_latest_alone(asking: Asking) -> None:
    words = ("get", "raw", "CH-0012", "Anna")
    hour = asking(*words, *HOUR).lines
    [latest] = json.loads(asking(*words, "--json").out)["rows"]

    assert hour[0].split() == ["at", "en_im", "[kWh]"]
    assert [line.split()[1] for line in hour[1:]] == [
        f"13:{minute}:00+01:00" for minute in ("00", "15", "30", "45")
    ]
    assert latest == {
        "at": "2026-03-23T00:00:00Z",
        "at_local": "2026-03-23T01:00:00+01:00",
        "en_im": (1000 + 40 * building.QUARTERS) / 1000,
    }


def test_a_sensor_drawn(asking: Asking) -> None:
    words = ("get", "sensor", "CH-0012", "Stairwell", "--start", "2026-03-21", "--plot")

    ended = asking(*words, "--end", "2026-03-21T04:00Z")

    assert ended.code == 0, ended.err
    assert ended.lines[0] == "value [°C]  ▁▃▆█  20.0 to 21.5"
    assert ended.lines[2] == "value [°C], last reading of each quarter-hour"
    assert [line.split()[2] for line in ended.lines[3:]] == ["20.000", "20.500", "21.000", "21.500"]
    assert ended.lines[-1].endswith("█" * 60)


def test_days_drawn_say_which_are_not_whole(asking: Asking) -> None:
    words = ("get", "meter", "CH-0012", "Anna", "--sampling", "H", "--plot")

    ended = asking(*words, "--start", "2026-03-20", "--end", "2026-03-25")

    assert ended.code == 0, ended.err
    assert ended.lines[0].startswith("total [kWh]  " + " " * 10)
    title = "total [kWh], sum of each day; ~ some of it is missing"
    assert title in ended.lines
    bars = ended.lines[ended.lines.index(title) + 1 :]
    assert [bar.split()[:2] for bar in bars] == [
        ["2026-03-20", "missing"],
        ["2026-03-21", "~3.680"],
        ["2026-03-22", "3.840"],
        ["2026-03-23", "~0.160"],
        ["2026-03-24", "missing"],
    ]
    assert bars[1].count("█") < bars[2].count("█")
    assert max(map(len, ended.lines)) <= 100


def test_nothing_is_no_failure(asking: Asking) -> None:
    for form in ("--plot", "--csv", "--json"):
        ended = asking(
            *("get", "meter", "CH-0012", "Anna", form),
            *("--start", "2026-02-01", "--end", "2026-02-02"),
        )
        assert (ended.code, ended.err) == (0, "nothing is there\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("meter", "CH-0012", "Zoe"), 1, "no meter Zoe; there are"),
        (("sensor", "CH-0012", "Zoe"), 1, "no sensor Zoe; there are Stairwell"),
        (("raw", "CH-0012", "Difference"), 1, "meter_data_raw"),
        (("meter", "CH-0012", "Anna", "--sampling", "W"), 2, "must be one of 15T, H, D, M, Y"),
        (("site", "CH-0012", "--type", "gas"), 2, "must be one of electricity"),
        (("site", "CH-0012", "--start", "yesterday"), 2, "yesterday"),
        (("site", "CH-0012", "--start", "2026-03-02", "--end", "2026-03-01"), 2, "after end"),
        (("site", "CH-0012", "--json", "--plot"), 2, "give one of --json and --plot"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    asking: Asking, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = asking("get", *words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1), ended.err
    assert ended.err.startswith("commonwatt: ")
    assert said in ended.err
