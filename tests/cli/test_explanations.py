"""Explaining and the worklist on the command line."""

import json

from tests.cli.command import CommandLine
from tests.cli.test_site import FLAT, GRID, imported


def read_house(house: CommandLine) -> None:
    """A quarter-hour of 1 kWh, 0.4 of which came from the grid, and one without the grid meter."""
    imported(house, FLAT, "2026-03-01T00:00,10", "2026-03-01T00:15,11", "2026-03-01T00:30,12")
    imported(house, GRID, "2026-03-01T00:00,5", "2026-03-01T00:15,5.4")


def test_an_explanation_fits_a_screen_and_says_where_the_share_is_from(house: CommandLine) -> None:
    read_house(house)
    ended = house("explain", "prim_ad:11", "--at", "2026-03-01T00:10Z", "--site", "CH-12")

    assert ended.code == 0, ended.err
    assert len(ended.lines) <= 24
    assert max(map(len, ended.lines)) <= 80
    assert ended.lines[2] == "total 1.000 (measured, index), self 0.600, ext 0.400"
    assert "quota 600 Wh" in ended.out
    assert "with grid meter, plain, measured" in ended.out


def test_an_explanation_as_data(house: CommandLine) -> None:
    read_house(house)
    shown = json.loads(house("explain", FLAT, "--at", "2026-03-01T00:20Z", "--json").out)

    assert (shown["total"], shown["self"], shown["share"]) == (1.0, None, None)
    assert shown["balance"]["missing"] == [GRID]
    assert [each["rounded"] for each in shown["boundaries"]] == [11.0, 12.0]


def test_the_worklist_names_what_to_do_and_then_how_to_lock(house: CommandLine) -> None:
    read_house(house)
    window = ("--group", "electricity", "--start", "2026-03-01T00:00Z", "--end")
    rows = json.loads(house("worklist", *window, "2026-03-01T00:30Z", "--json").out)
    assert [(row["kind"], row["meter"]) for row in rows] == [
        ("missing", GRID),
        ("unbalanced", GRID),
    ]
    assert {row["command"] for row in rows} == {f"commonwatt import FILE --meter {GRID}"}
    done = house("worklist", *window, "2026-03-01T00:15Z")
    assert "nothing to do" in done.out
    assert "commonwatt lock CH-12 electricity --until 2026-03-01T01:15:00+01:00" in done.out


def test_a_month_of_the_worklist_is_local(house: CommandLine) -> None:
    read_house(house)
    whole = house("worklist", "--month", "2026-03", "--group", "electricity")
    assert "2026-03-01 00:00:00+01:00 to 2026-04-01 00:00:00+02:00" in whole.lines[0]
    assert house("worklist", "--month", "2026-13").code == 2
    assert house("worklist", "--month", "2026-03", "--start", "2026-03-01").code == 2
    assert house("worklist", "--group", "gas").code == 1
