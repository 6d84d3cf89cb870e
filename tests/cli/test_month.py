"""What each meter counted in a month, beside which a bill is made."""

import csv
import json
import re

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT

WATER = "61dfcb4beba4e3563fdf3da1"
ROOF = "61dfcb4beba4e3563fdf3da2"
SUNNY = HOUSE.replace(
    "sensors:",
    f"  - {{id: {ROOF}, name: Roof, type: electricity, mode: production, prim_ad: 101}}\nsensors:",
)
HOURS = 31 * 24
JANUARY = ("month", "CH-12", "2026-01")


def imported(cw: CommandLine, meter: str, header: str, rows: list[str]) -> None:
    file = cw.write("rows.csv", "\n".join([header, *rows]) + "\n")
    ended = cw("import", file, "--meter", meter, "--timezone", "Europe/Zurich")
    assert ended.code == 0, ended.err


def stamp(hour: int) -> str:
    return f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00:00" if hour < HOURS else "2026-02-01"


def january(cw: CommandLine, an_hour: int = 1) -> None:
    """A flat of 1 kWh ``an_hour`` (or more); by day 3 kWh of sun, of which 2 go to the grid."""
    assert cw("apply", cw.write("house.yaml", SUNNY)).code == 0
    sunny = [hour for hour in range(HOURS) if 8 <= hour % 24 < 16]
    sun = [sum(each < hour for each in sunny) for hour in range(HOURS + 1)]
    flat = [f"{stamp(hour)},{5000 + an_hour * hour}" for hour in range(HOURS + 1)]
    grid = [
        f"{stamp(hour)},{100 + hour - sun[hour]},{50 + 2 * sun[hour]}" for hour in range(HOURS + 1)
    ]
    roof = [f"{stamp(hour)},{7 + 3 * sun[hour]}" for hour in range(HOURS + 1)]
    imported(cw, FLAT, "timestamp,en_im", flat)
    imported(cw, "prim_ad:10", "timestamp,en_im,en_ex", grid)
    imported(cw, ROOF, "timestamp,en_ex", roof)
    imported(cw, WATER, "timestamp,vol_m3", ["2026-01-01,10", "2026-01-16,12", "2026-02-01,15.5"])


def test_the_sums_of_a_month_by_meter(cw: CommandLine) -> None:
    january(cw)

    rows = {row["name"]: row for row in csv.DictReader(cw(*JANUARY, "--csv").lines)}

    flat, grid, roof, water = (rows[name] for name in ("Flat", "Grid", "Roof", "Water"))
    assert (flat["total"], flat["self"], flat["ext"]) == ("744.0", "248.0", "496.0")
    assert (grid["total"], grid["feed_in"], grid["self"]) == ("496.0", "496.0", "")
    assert (roof["total"], roof["feed_in"]) == ("744.0", "")
    assert (water["total"], water["unit"], water["estimated"]) == ("5.5", "m3", "5.5")
    assert flat["quality"] == "interpolated"
    assert water["quality"] == "estimated"
    assert flat["month_start"] == "2026-01-01 00:00:00+01:00"
    assert flat["month_end"] == "2026-02-01 00:00:00+01:00"


def test_a_month_as_a_table_says_the_books_and_whether_it_is_locked(cw: CommandLine) -> None:
    january(cw)

    lines = cw(*JANUARY).lines

    assert lines[0] == (
        "Tilleuls, electricity [kWh], 2026-01-01 00:00:00+01:00 to 2026-02-01 00:00:00+01:00, "
        "not locked"
    )
    assert [line.split()[1] for line in lines[3:7]] == ["10", "11", "101", "900"]
    assert (
        "consumption 744.000, of it own 248.000 and from the grid 496.000; "
        "production 744.000, to the grid 496.000"
    ) in lines


def test_differences_since_the_lock_are_summed_by_meter(cw: CommandLine) -> None:
    january(cw)
    lock = ("lock", "CH-12", "electricity", "--until", "2026-02-01")
    locked = cw(*lock)
    if locked.code:
        locked = cw(*lock, "--despite", "a test")
    assert locked.code == 0, locked.err
    before = json.loads(cw(*JANUARY, "--json").out)
    late = [f"{stamp(HOURS - 1)},{5000 + HOURS - 1 + 0.25}"]
    imported(cw, FLAT, "timestamp,en_im", late)

    after = json.loads(cw(*JANUARY, "--json").out)

    of_flat = next(row for row in after if row["name"] == "Flat")
    was = next(row for row in before if row["name"] == "Flat")
    assert of_flat["total"] == was["total"] == 744.0
    # What moved between two hours of the month sums to nothing; what is shared anew does not.
    assert of_flat["difference_total"] == 0.0
    assert "locked until 2026-02-01 00:00:00+01:00" in cw(*JANUARY).lines[0]


def test_a_month_with_holes_says_how_many_and_where_to_look(cw: CommandLine) -> None:
    january(cw)
    february = cw("month", "CH-12", "2026-02").out

    assert f"{28 * 96} quarter-hours" in february
    (hint,) = set(re.findall("have no balance: `commonwatt ([^`]*)` says why", february))
    assert "2026-02-01 00:00:00+01:00 to 2026-03-01 00:00:00+01:00" in cw(*hint.split()).out


def test_of_a_month_in_which_nothing_is_known_no_sum_is_told(cw: CommandLine) -> None:
    january(cw)

    rows = json.loads(cw("month", "CH-12", "2026-03", "--json").out)

    missing = {row["name"]: row["missing_quarters"] for row in rows}
    assert missing["Flat"] == missing["Water"] == 31 * 96 - 4
    for row in rows:
        told = {name: row[name] for name in ("total", "self", "ext", "feed_in")}
        assert told == dict.fromkeys(told)
    assert "consumption -\n" in cw("month", "CH-12", "2026-03").out


def test_a_flat_that_sent_kw_is_asked_about_before_it_is_billed(cw: CommandLine) -> None:
    """3 kWh of sun by day, 2 of them sent out: a flat of 4 kWh an hour needs more than that."""
    january(cw, an_hour=4)

    worklist = ("worklist", "--group", "electricity", "--month", "2026-01", "--json")
    (task,) = json.loads(cw(*worklist).out)

    assert (task["kind"], task["meter"]) == ("unproduced", None)
    # 4 kWh of 744 hours less 496 from the grid, and 496 sent out; 3 kWh of 248 hours.
    assert "needs 2976.000 kWh of production, and 744.000 kWh were counted" in task["text"]
    assert "kW as kWh" in task["text"]


def test_of_a_flat_that_sent_kwh_nothing_is_asked(cw: CommandLine) -> None:
    january(cw)

    worklist = ("worklist", "--group", "electricity", "--month", "2026-01", "--json")
    assert json.loads(cw(*worklist).out) == []


def test_what_is_estimated_may_be_wrong_by_all_of_it(cw: CommandLine) -> None:
    january(cw)
    imported(cw, FLAT, "timestamp,en_im", [f"{stamp(HOURS)},{5000 + 4 * HOURS}"])
    withdrawn = cw("delivery", "withdraw", "2", "--reason", "a test")
    assert withdrawn.code == 0, withdrawn.err
    imported(cw, FLAT, "timestamp,en_im", [f"{stamp(0)},5000"])

    tasks = json.loads(cw("worklist", "--month", "2026-01", "--json").out)

    assert "estimated" in {task["kind"] for task in tasks if task["meter"] == FLAT}
    assert "unproduced" not in {task["kind"] for task in tasks}


def test_what_is_no_month_is_refused(house: CommandLine) -> None:
    assert "is no month; write it as 2026-03" in house("month", "CH-12", "March").err
    assert house("month", "CH-12", "--json", "--csv").code == 2
