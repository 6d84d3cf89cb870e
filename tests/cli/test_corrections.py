"""What happened to a meter, told on the command line: from the finding to the filled quarters."""

import json

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT, imported

ROWS = [f"2026-01-01T{hour:02}:00:00,{5000 + hour}" for hour in range(20)]
"""A kWh an hour."""
AFTER = [f"2026-01-02T{hour:02}:00:00,{3000 + 2 * hour}" for hour in range(20)]


def finding(cw: CommandLine, rule: str) -> str:
    found = json.loads(cw("findings", "--json").out)
    (wanted,) = [each["id"] for each in found if each["rule"] == rule]
    return str(wanted)


def rules(cw: CommandLine) -> set[str]:
    return {each["rule"] for each in json.loads(cw("findings", "--json").out)}


def test_a_break_is_listed_and_closed_by_an_exchange_which_is_corrected(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS, *AFTER)
    line = next(line for line in house("findings").lines if "index-break" in line)
    assert line.split()[0] == finding(house, "index-break")
    exchanged = ("exchange", "prim_ad:11", "--at", "2026-01-01T21:00Z", "--end-index", "en_im=5021")
    ended = house(*exchanged, "--start-index", "en_im=2997", "--serial", "B")
    assert ended.code == 0, ended.err
    assert ended.lines[0].startswith("meter Flat (electricity 11): device from the beginning added")
    assert ended.lines[-1].startswith("site CH-12: recomputes electricity from 2026-01-0")
    assert "index-break" not in rules(house)
    assert house(*exchanged, "--start-index", "en_im=2997").out == "nothing to change\n"
    corrected = house(*exchanged, "--start-index", "en_im=2996.5")
    assert "start_index {en_im: 2997.000000} -> {en_im: 2996.500000}" in corrected.out


def test_an_exchange_without_an_index_warns_of_what_is_missing(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS, *AFTER)
    exchanged = ("exchange", "prim_ad:11", "--at", "2026-01-01T21:00Z")

    without = house(*exchanged, "--end-index", "en_im=5021")

    assert without.code == 0, without.err
    assert without.err.splitlines() == [
        "--at is 2026-01-01 22:00:00+01:00",
        (
            "warning: en_im: without the first index of the new one the quarter-hours between the "
            "exchange and its first reading are missing"
        ),
        (
            "warning: once it is known, say commonwatt exchange prim_ad:11 --at 2026-01-01T21:00Z "
            "--start-index en_im=N"
        ),
    ]
    assert "index-break" in rules(house)
    ended = house(*exchanged, "--start-index", "en_im=2997")
    assert (ended.code, ended.err) == (0, "--at is 2026-01-01 22:00:00+01:00\n")
    assert "index-break" not in rules(house)


def test_an_exchange_before_any_reading_warns_of_the_main_register(house: CommandLine) -> None:
    warned = house("exchange", "Flat", "--at", "2026-01-01T21:00Z").err.splitlines()

    assert [line.split(" the quarter")[0] for line in warned[1:-1]] == [
        "warning: en_im: without the last index of the old device",
        "warning: en_im: without the first index of the new one",
    ]


def test_a_break_is_resolved_and_taken_back_by_its_id(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS, *AFTER)
    wanted = finding(house, "index-break")
    ended = house("resolve", wanted, "--as", "reset", "--reason", "new module")
    assert ended.code == 0, ended.err
    assert "is reset" in ended.lines[0]
    assert "index-break" not in rules(house)
    assert wanted in house("findings", "--resolved").out
    assert house("resolve", wanted, "--as", "faulty").code == 1
    assert "is no longer reset" in house("resolve", wanted, "--undo").out
    assert finding(house, "index-break") == wanted
    unknown = house("resolve", "0" * 12, "--as", "reset")
    assert (unknown.code, unknown.err.startswith("commonwatt: no finding 0000")) == (1, True)
    assert house("resolve", wanted).code == 2


def test_edits_are_made_listed_and_undone(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS)
    span = ("--start", "2026-01-01T10:00Z", "--end", "2026-01-01T11:00Z", "--reason", "by hand")
    made = house("edit", "Flat", *span, "--energy", "2.5")
    assert made.out == (
        "edit 1: en_im set to 2.500 of Flat, "
        "2026-01-01 11:00:00+01:00 to 2026-01-01 12:00:00+01:00\n"
    )
    assert house("edit", "electricity 11", *span, "--clear").lines[0].startswith("edit 2: en_im cl")
    assert house("edit", "undo", "2").out == "edit 2 is undone\n"
    listed = house("edit", "list", "--site", "CH-12").lines
    assert ("counts" in listed[1], "undone by command line" in listed[2]) == (True, True)
    assert house("edit", "undo", "2").err == "commonwatt: edit 2 is undone already\n"
    assert house("edit", FLAT, *span, "--energy", "1", "--clear").code == 2
    askew = house("edit", FLAT, "--start", "2026-01-01T10:01Z", *span[2:], "--clear")
    assert "start must lie on a quarter-hour" in askew.err


def test_a_reading_is_set_cleared_listed_and_undone(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS)
    reading = ("--at", "2026-01-01T10:00Z", "--reason", "a misread digit")
    made = house("edit", "Flat", *reading, "--index", "en_im=5010.5")
    assert made.out == (
        "edit 1: en_im set to 5010.500000 of Flat, reading of 2026-01-01 11:00:00+01:00\n"
    )
    cleared = house("edit", FLAT, *reading, "--clear", "--register", "en_im")
    assert cleared.out.startswith("edit 2: en_im cleared of Flat, reading of")
    assert "cleared-by-edit" in rules(house)
    assert house("edit", "undo", "2").out == "edit 2 is undone\n"
    assert "cleared-by-edit" not in rules(house)
    listed = house("edit", "list").lines
    assert ("5010.500000" in listed[1], "cleared" in listed[2]) == (True, True)
    assert "edit 1" in house("delivery", "list").out
    taken_back = house("delivery", "withdraw", "3", "--reason", "wrong")
    assert taken_back.err == "commonwatt: delivery 3 is edit 1; edits can be undone\n"


def test_options_of_an_edit_that_do_not_go_together(house: CommandLine) -> None:
    why, at = ("--reason", "x"), ("--at", "2026-01-01T10:00Z")
    span = ("--start", "2026-01-01T10:00Z", "--end", "2026-01-01T11:00Z")
    for options, said in (
        ((*why, "--clear"), "--start and --end"),
        ((*why, *span, *at, "--clear"), "--start and --end"),
        ((*why, *span, "--index", "en_im=1"), "--start and --end"),
        ((*why, *at, "--energy", "1"), "--start and --end"),
        ((*why, *at), "either --index or --clear"),
        ((*why, *at, "--index", "en_im=1", "--clear"), "either --index or --clear"),
        ((*why, *at, "--index", "gas=1"), "REGISTER=N"),
        ((*why, *at, "--index", "en_im=1", "--register", "en_ex"), "another than"),
        (("--reason", " ", *at, "--clear"), "say why"),
    ):
        ended = house("edit", FLAT, *options)
        assert (ended.code, said in " ".join(ended.err.split())) == (2, True), ended.err


def test_a_dry_run_says_what_would_be_computed_anew_and_changes_nothing(house: CommandLine) -> None:
    imported(house, FLAT, *ROWS)
    later = HOUSE.replace("prim_ad: 11}", "prim_ad: 11, factor: 2, valid_from: 2026-01-01}")
    file = house.write("later.yaml", later)
    tried = house("apply", "--dry-run", file)
    assert tried.lines[0] == (
        "meter Flat (electricity 11): factor 1 -> 2, from 2026-01-01 00:00:00+01:00"
    )
    assert tried.lines[-1].startswith("site CH-12: recomputes electricity from 20")
    assert house("apply", "--dry-run", file).out == tried.out
    assert house("apply", file).out == tried.out
    assert house("apply", file).out == f"{file}: nothing to change\n"
