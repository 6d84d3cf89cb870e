"""A month with things to do is not locked without a word, and what was locked so stays told."""

import json

import pytest

from tests.cli.command import CommandLine
from tests.cli.test_site import FLAT, GRID, imported

LOCK = ("lock", "CH-12", "electricity", "--until")
WORKLIST = ("worklist", "--group", "electricity", "--start", "2026-03-01", "--end", "2026-03-02")
DESPITE = ("--despite", "the meter room is under water")


def quarters(first: float, hour: int, until_hour: int, step: float = 0.25) -> list[str]:
    """Rows every quarter-hour of a morning in Zurich from an hour to another, both included."""
    return [
        f"2026-03-01T{hour + n // 4:02}:{15 * (n % 4):02}:00+01:00,{first + n * step:.3f}"
        for n in range(4 * (until_hour - hour) + 1)
    ]


@pytest.fixture
def holed(house: CommandLine) -> CommandLine:
    """Give a house whose grid meter is cleared from 4 to 5."""
    imported(house, FLAT, *quarters(10, 0, 8))
    imported(house, GRID, *quarters(5, 0, 8))
    assert (
        house(
            "edit",
            "Grid",
            "--start",
            "2026-03-01T04:00",
            "--end",
            "2026-03-01T05:00",
            "--clear",
            "--reason",
            "of another meter",
        ).code
        == 0
    )
    return house


def states(cw: CommandLine) -> dict[str, str]:
    rows = json.loads(cw(*WORKLIST, "--json").out)
    return {row["kind"]: row["state"] for row in rows if row["end"] <= "2026-03-01T07:00:00Z"}


class TestAMonthWithAHole:
    def test_is_not_locked_and_what_is_to_do_is_listed(self, holed: CommandLine) -> None:
        ended = holed(*LOCK, "2026-03-01T08:00")

        assert (ended.code, ended.out) == (1, "")
        assert "missing: Grid is missing in 4 quarter-hours" in ended.err
        assert "2026-03-01 04:00:00+01:00 to 2026-03-01 05:00:00+01:00" in ended.err
        assert ended.err.splitlines()[-1] == (
            "commonwatt: 2 things are to do before it can be locked; say --despite REASON to lock "
            "with it all the same"
        )
        assert holed("locks").lines[1:] == []

    def test_is_locked_before_the_hole(self, holed: CommandLine) -> None:
        assert holed(*LOCK, "2026-03-01T04:00").code == 0
        assert holed(*LOCK, "2026-03-01T08:00").code == 1

    def test_is_locked_for_a_reason_that_is_kept(self, holed: CommandLine) -> None:
        assert holed(*LOCK, "2026-03-01T08:00", *DESPITE).code == 0

        (line,) = holed("locks").lines[1:]
        assert "the meter room is under water" in line
        explained = holed("explain", "Grid", "--at", "2026-03-01T04:20").out
        assert "locked with things to do: the meter room is under water" in explained

    def test_the_worklist_goes_on_naming_it_as_locked(self, holed: CommandLine) -> None:
        holed(*LOCK, "2026-03-01T08:00", *DESPITE)

        assert states(holed) == {"missing": "locked", "unbalanced": "locked"}
        shown = holed(*WORKLIST).out
        assert "missing (locked): Grid is missing in 4 quarter-hours" in shown

    def test_undone_before_the_next_step_only_the_lock_has_it(self, holed: CommandLine) -> None:
        """The hole is filled too late: it stays in what was locked, and blocks nothing further."""
        holed(*LOCK, "2026-03-01T06:00", *DESPITE)
        assert holed("edit", "undo", "1").code == 0

        assert states(holed)["missing"] == "locked"
        assert holed(*LOCK, "2026-03-01T08:00").code == 0
        assert [DESPITE[1] in line for line in holed("locks").lines[1:]] == [True, False]

    def test_a_blank_reason_is_none(self, holed: CommandLine) -> None:
        assert holed(*LOCK, "2026-03-01T08:00", "--despite", " ").code == 2


def test_a_reason_is_not_kept_where_nothing_was_to_do(house: CommandLine) -> None:
    imported(house, FLAT, *quarters(10, 0, 8))
    imported(house, GRID, *quarters(5, 0, 8))
    assert house(*LOCK, "2026-03-01T08:00", *DESPITE).code == 0
    assert DESPITE[1] not in house("locks").out


def test_it_shows_the_sums_that_it_freezes_step_by_step(house: CommandLine) -> None:
    imported(house, FLAT, *quarters(10, 0, 8, step=0.4))
    imported(house, GRID, *quarters(5, 0, 8, step=0.1))

    first = house(*LOCK, "2026-03-01T02:00").lines
    second = house(*LOCK, "2026-03-01T08:00").lines

    def row(lines: list[str], name: str) -> list[str]:
        return next(line for line in lines if line.startswith(name)).split()

    assert "frozen: 2026-03-01 02:00:00+01:00 to 2026-03-01 08:00:00+01:00" in second
    # Two hours of 1.6 kWh, and six; a quarter of it is from the grid.
    assert row(first, "Flat")[3:] == ["3.200", "2.400", "0.800", "kWh", "0"]
    assert row(second, "Flat")[3:] == ["9.600", "7.200", "2.400", "kWh", "0"]
    assert row(second, "Grid")[3:] == ["2.400", "-", "-", "kWh", "0"]


def test_months_that_are_locked_already_are_not_asked_again(house: CommandLine) -> None:
    """Each month by itself: a month that is 100 % estimated is not excused by a measured one."""
    daily = [f"2026-02-{day:02}T00:00+01:00,{9 + day}" for day in range(2, 29)]
    rows = ("2026-01-01T00:00+01:00,1", "2026-02-01T00:00+01:00,9", *daily)
    text = "\n".join(("timestamp,vol_m3", *rows, "2026-03-01T00:00+01:00,40", ""))
    assert house("import", house.write("water.csv", text), "--meter", "Water").code == 0
    water = ("lock", "CH-12", "cold_water", "--until")
    assert "estimated: Water: 100.0%" in house(*water, "2026-03-01").err
    assert house(*water, "2026-02-01", "--despite", "read monthly").code == 0
    assert house(*water, "2026-03-01").code == 0
