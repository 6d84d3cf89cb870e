"""Declaring, looking at and settling sites on the command line."""

import pytest

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE

FLAT = "61dfcb4beba4e3563fdf3d9f"
GRID = "61dfcb4beba4e3563fdf3da0"


def imported(cw: CommandLine, meter: str, *rows: str) -> None:
    file = cw.write("rows.csv", "timestamp,en_im\n" + "\n".join(rows) + "\n")
    assert cw("import", file, "--meter", meter).code == 0


def test_every_fault_of_every_file_is_told_and_nothing_applied(cw: CommandLine) -> None:
    good = cw.write("good.yaml", HOUSE)
    bad = cw.write("bad.yaml", "site: {site_ref: A, name: B, timezone: Nowhere}\nmetres: []\n")
    worse = cw.write("worse.yaml", "meters: [")
    ended = cw("apply", good, bad, worse)
    assert (ended.code, ended.out) == (1, "")
    told = ended.err.splitlines()
    assert told[0].startswith(f"commonwatt: {bad}: line 1: timezone: ")
    assert told[1].startswith(f"commonwatt: {bad}: line 2: metres: unknown key")
    assert told[2].startswith(f"commonwatt: {worse}: line 2: file: not YAML")
    assert cw("status").code == 1


@pytest.mark.both_engines
def test_twice_is_once(any_cw: CommandLine) -> None:
    file = any_cw.write("house.yaml", HOUSE)
    assert len(any_cw("apply", file).lines) == 6
    assert any_cw("apply", file).out == f"{file}: nothing to change\n"


def test_a_rule_that_leads_back_is_refused_with_its_line(house: CommandLine) -> None:
    around = HOUSE.replace("prim_ad: 10}", 'prim_ad: 10, rule: "prim_ad:900"}')
    file = house.write("around.yaml", around)
    ended = house("apply", file)
    assert ended.code == 1
    assert ended.err.startswith(f"commonwatt: {file}: line 5: rule: leads back to itself: ")


def test_status_tells_who_holds_the_books_back(house: CommandLine) -> None:
    imported(house, FLAT, "2026-01-01T00:00:00,1", "2026-01-01T00:15:00,2")
    imported(house, GRID, "2026-01-01T00:00:00,1", "2026-01-01T00:15:00,2", "2026-01-01T01:00:00,3")
    lines = house("status", "--site", "CH-12").lines
    flat = next(line for line in lines if line.startswith("Flat"))
    assert "2026-01-01 01:15:00+01:00" in flat
    group = next(line for line in lines if line.startswith("electricity"))
    assert group.split("  ")[-1] == "Flat"
    assert "2026-01-01 01:15:00+01:00" in group
    assert house("status", "--site", "CH-99").err == (
        "commonwatt: no site CH-99; there are CH-12\n"
    )


def test_settle_settles_what_is_dirty_in_its_window(any_cw: CommandLine) -> None:
    any_cw("apply", any_cw.write("house.yaml", HOUSE))
    days = [f"2026-01-{day:02}T12:00:00,{day}" for day in range(1, 11)]
    imported(any_cw, FLAT, *days)
    window = ("--start", "2026-01-03T00:00:00Z", "--end", "2026-01-05T00:00:00Z")
    assert any_cw("settle", *window).out == "site CH-12: 2 days settled\n"
    settled = any_cw("settle", "--site", "CH-12")
    assert settled.out == "site CH-12: 9 days settled\n"
    assert settled.err == "", "no progress bar in a pipe"
    assert any_cw("settle").out == "site CH-12: 0 days settled\n"
    assert any_cw("settle", "--start", "2026-02-01", "--end", "2026-01-01").code == 2


def test_deliveries_are_listed_shown_withdrawn_and_reinstated(house: CommandLine) -> None:
    imported(house, FLAT, "2026-01-01T12:00:00,1", "2026-01-02T12:00:00,2")
    listed = house("delivery", "list").lines
    assert len(listed) == 2
    assert "import rows.csv" in listed[1]
    number = listed[1].split()[1]
    shown = dict(line.split(maxsplit=1) for line in house("delivery", "show", number).lines)
    assert shown["by"] == "command line"
    assert shown["accepted"] == "2"
    assert shown["meters"] == f"Flat ({FLAT})"
    assert shown["days"].split() == ["(UTC)", "2026-01-01", "to", "2026-01-02"]
    assert shown["withdrawn"] == "no"
    assert house("delivery", "withdraw", number, "--reason", "wrong zone").code == 0
    assert "wrong zone" in house("delivery", "show", number).out
    twice = house("delivery", "withdraw", number, "--reason", "again")
    assert (twice.code, twice.err) == (1, f"commonwatt: delivery {number} is withdrawn already\n")
    assert house("delivery", "reinstate", number).code == 0
    assert house("delivery", "show", "77").code == 1


def test_a_number_that_two_sites_have_needs_the_site(house: CommandLine) -> None:
    other = "site: {site_ref: B, name: B, timezone: UTC}\nmeters:\n"
    other += f"  - {{id: {'a' * 24}, name: M, type: electricity, mode: consumption}}\n"
    assert house("apply", house.write("other.yaml", other)).code == 0
    for meter in (FLAT, "a" * 24):
        imported(house, meter, "2026-01-01T12:00:00,1")
    ended = house("delivery", "show", "2")
    assert ended.code == 1
    assert ended.err == ("commonwatt: 2 sites have a delivery 2; say which by --site: CH-12, B\n")
    assert "M (" in house("delivery", "show", "2", "--site", "B").out
