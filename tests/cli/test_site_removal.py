"""Showing a site, removing it, and the trail of who did what."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.command import CommandLine, run
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT, GRID, imported


def filled(house: CommandLine) -> None:
    rows = ("2026-01-01T00:00:00,1", "2026-01-01T12:00:00,2", "2026-01-02T00:00:00,3")
    imported(house, FLAT, *rows)
    imported(house, GRID, *rows)
    assert house("settle").code == 0


def rows_left(data: Path) -> dict[str, int]:
    """How many rows of any site there are, by table; the audit trail apart."""
    with closing(sqlite3.connect(data / "commonwatt.sqlite")) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        with_site = [
            table
            for table in tables
            if table != "audit"
            and any(row[1] == "site" for row in connection.execute(f"PRAGMA table_info('{table}')"))
        ]
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in (*with_site, "sites")
        }
    return {table: count for table, count in counts.items() if count}


def test_a_site_shown_is_applied_back(house: CommandLine) -> None:
    shown = house("show", "CH-12")

    assert shown.code == 0
    assert house("apply", house.write("shown.yaml", shown.out)).out.endswith("nothing to change\n")


def test_a_site_is_removed_whole_after_a_look(house: CommandLine) -> None:
    filled(house)
    assert "raw_readings" in rows_left(house.folder / "data")

    looked = house("site", "remove", "CH-12")

    assert looked.out == (
        "would remove site CH-12, Tilleuls: 4 meters, 1 sensors, 2 deliveries of readings from "
        "2026-01-01 to 2026-01-02, 0 edits\nnothing was removed; say --yes to remove it\n"
    )
    assert "Flat" in house("status").out

    removed = house("site", "remove", "CH-12", "--yes")

    assert removed.out.startswith("removed site CH-12, Tilleuls: 4 meters")
    assert rows_left(house.folder / "data") == {}
    assert house("site", "remove", "CH-12", "--yes").code == 1
    assert "remove site" in house("audit").lines[-1]


def test_a_site_with_the_same_name_begins_anew(house: CommandLine) -> None:
    filled(house)
    house("site", "remove", "CH-12", "--yes")

    assert house("apply", house.write("house.yaml", HOUSE)).code == 0

    assert "nothing" not in house("status").out
    assert house("delivery", "list").lines[1:] == []
    with closing(sqlite3.connect(house.folder / "data" / "commonwatt.sqlite")) as connection:
        assert connection.execute("SELECT no FROM sites").fetchall() == [(2,)]


def test_a_locked_site_is_removed_for_a_reason_only(house: CommandLine) -> None:
    filled(house)
    lock = ("lock", "CH-12", "electricity", "--until", "2026-01-01T02:00")
    ended = house(*lock)
    if ended.code:
        ended = house(*lock, "--despite", "a test")
    assert ended.code == 0, ended.err
    assert "LOCKED: electricity" in house("site", "remove", "CH-12").out

    refused = house("site", "remove", "CH-12", "--yes")

    assert refused.code == 1
    assert "locked (electricity)" in refused.err
    assert house("site", "remove", "CH-12", "--yes", "--despite", "moved out").code == 0
    assert "despite locks: moved out" in house("audit").lines[-1]


def test_the_trail_is_listed_by_site_and_span(house: CommandLine) -> None:
    house("apply", house.write("other.yaml", "site: {site_ref: B, name: Other, timezone: UTC}"))
    house("account", "add", "anna", "--site", "CH-12")

    everything = json.loads(house("audit", "--json").out)
    assert {line["site"] for line in everything} >= {"CH-12", "B"}
    of_b = json.loads(house("audit", "--site", "B", "--json").out)
    assert [(line["site"], line["action"]) for line in of_b] == [("B", "apply declaration")]
    assert of_b[0]["account"] == "command line"
    assert json.loads(house("audit", "--end", "2020-01-01", "--json").out) == []
    assert "anna" in house("audit").out


def test_an_exchange_is_taken_back(house: CommandLine) -> None:
    first = (
        "exchange",
        FLAT,
        "--at",
        "2026-01-01T10:00",
        "--end-index",
        "en_im=5",
        "--serial",
        "B",
    )
    second = (
        "exchange",
        FLAT,
        "--at",
        "2026-01-03T10:00",
        "--end-index",
        "en_im=9",
        "--serial",
        "C",
    )
    house(*first)
    house(*second)
    shown = house("show", "CH-12").out

    undone = house("exchange", "undo", FLAT, "--at", "2026-01-03T10:00")

    assert undone.code == 0, undone.err
    assert "serial: C" not in house("show", "CH-12").out
    house(*second)
    assert house("show", "CH-12").out == shown
    none = house("exchange", "undo", FLAT, "--at", "2026-01-02T10:00")
    assert (none.code, none.err.splitlines()[-1]) == (
        1,
        "commonwatt: no exchange is declared at that instant",
    )
    house("exchange", "undo", FLAT, "--at", "2026-01-03T10:00")
    house("exchange", "undo", FLAT, "--at", "2026-01-01T10:00")
    assert "devices" not in house("show", "CH-12").out


def test_the_demo_is_not_in_the_folder_of_everything_else(tmp_path: Path) -> None:
    ended = run("demo", "--help", folder=tmp_path)

    assert "./commonwatt-demo" in ended.out
