"""A register that begins after its meter, and a meter that joined after the site."""

import json

import pytest

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT, GRID, imported

GRID_LINE = "{id: 61dfcb4beba4e3563fdf3da0, name: Grid, type: electricity, mode: introduction"
WINDOW = ("--group", "electricity", "--start", "2026-03-01T00:00Z", "--end")


def hours(value: float, *, per_hour: float, count: int, start: int = 0) -> list[str]:
    """Rows every quarter-hour from an hour on: stamp and index."""
    return [
        f"2026-03-01T{start + n // 4:02}:{15 * (n % 4):02}:00Z,{value + n * per_hour / 4:.3f}"
        for n in range(4 * count + 1)
    ]


def imported_export(cw: CommandLine, meter: str, *rows: str) -> None:
    file = cw.write("export.csv", "timestamp,en_ex\n" + "\n".join(rows) + "\n")
    assert cw("import", file, "--meter", meter).code == 0


def tasks(cw: CommandLine, end: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(cw("worklist", *WINDOW, end, "--json").out)
    return rows


def tasks_of_flat(cw: CommandLine) -> list[dict[str, str]]:
    return [row for row in tasks(cw, "2026-03-01T06:00Z") if row["meter"] == FLAT]


def a_day_of_the_house(house: CommandLine, export_from: int) -> None:
    """Four kWh an hour of the flat, one of it from the grid; feed-in is read from an hour on."""
    imported(house, FLAT, *hours(10, per_hour=4, count=12))
    imported(house, GRID, *hours(5, per_hour=1, count=12))
    imported_export(house, GRID, *hours(2, per_hour=2, count=12 - export_from, start=export_from))


class TestARegisterThatBeginsLate:
    def test_the_worklist_names_it_and_what_to_declare(self, house: CommandLine) -> None:
        a_day_of_the_house(house, export_from=6)

        (task,) = tasks(house, "2026-03-01T12:00Z")

        assert (task["kind"], task["meter"]) == ("missing-register", GRID)
        assert (task["start"], task["end"]) == ("2026-03-01T00:00:00Z", "2026-03-01T06:00:00Z")
        assert "registers: {en_ex: {from: 2026-03-01T07:00:00+01:00}}" in task["text"]
        assert task["command"] == "commonwatt apply FILE.yaml"

    def test_explain_says_the_same_of_a_quarter_hour(self, house: CommandLine) -> None:
        a_day_of_the_house(house, export_from=6)
        at = ("--at", "2026-03-01T02:10Z")

        shown = json.loads(house("explain", "Flat", *at, "--json").out)["balance"]
        told = house("explain", "Flat", *at).out

        declared = "registers: {en_ex: {from: 2026-03-01T07:00:00+01:00}}"
        assert shown["missing"] == [GRID]
        assert shown["lacking"] == [
            {"meter": GRID, "name": "Grid", "register": "en_ex", "declare": declared}
        ]
        assert "cannot be closed: Grid lacks en_ex" in told
        assert declared in told

    @pytest.mark.parametrize("export_from", [1, 6, 11])
    def test_what_it_proposes_closes_the_books_of_before(
        self, house: CommandLine, export_from: int
    ) -> None:
        a_day_of_the_house(house, export_from)
        (task,) = tasks(house, "2026-03-01T12:00Z")
        declared = task["text"].partition("declare ")[2]

        changed = HOUSE.replace(GRID_LINE, f"{GRID_LINE}, {declared}")
        applied = house("apply", house.write("house.yaml", changed))

        assert "start of registers none -> {en_ex: " in applied.out
        assert "recomputes electricity" in applied.out
        assert tasks(house, "2026-03-01T12:00Z") == []
        before = json.loads(house("explain", "Flat", "--at", "2026-03-01T00:10Z", "--json").out)
        # Of 1 kWh a quarter-hour 0.25 came from the grid, and nothing was fed in.
        assert (before["total"], before["self"], before["balance"]["to_ext"]) == (1.0, 0.75, 0.0)
        after = json.loads(house("explain", "Flat", "--at", "2026-03-01T11:50Z", "--json").out)
        assert after["balance"]["to_ext"] == 0.5

    def test_it_never_hides_what_was_read(self, house: CommandLine) -> None:
        """Declared to begin at 9:00 while it is read from 6:00 on: 6:00 counts."""
        a_day_of_the_house(house, export_from=6)
        late = "registers: {en_ex: {from: 2026-03-01T09:00:00Z}}"
        house("apply", house.write("house.yaml", HOUSE.replace(GRID_LINE, f"{GRID_LINE}, {late}")))

        def fed_in(at: str) -> float | None:
            shown = json.loads(house("explain", "Flat", "--at", at, "--json").out)
            amount: float | None = shown["balance"]["to_ext"]
            return amount

        assert [fed_in(f"2026-03-01T{at}Z") for at in ("05:50", "06:10", "08:50")] == [0, 0.5, 0.5]

    def test_one_that_ends_early_is_named_and_not_declared_away(self, house: CommandLine) -> None:
        imported(house, FLAT, *hours(10, per_hour=4, count=12))
        imported(house, GRID, *hours(5, per_hour=1, count=12))
        imported_export(house, GRID, *hours(2, per_hour=2, count=6))

        (task,) = tasks(house, "2026-03-01T12:00Z")

        assert task["kind"] == "unbalanced"
        assert task["text"] == "no balance in 24 quarter-hours, because of en_ex of Grid"
        assert task["command"] == f"commonwatt import FILE --meter {GRID}"

    def test_the_register_that_a_meter_is_read_for_begins_with_it(self, cw: CommandLine) -> None:
        wrong = HOUSE.replace(GRID_LINE, f"{GRID_LINE}, registers: {{en_im: {{from: 2026-03-02}}}}")
        ended = cw("apply", cw.write("house.yaml", wrong))
        assert ended.code == 1
        assert "registers: en_im is what Grid (electricity 10) is read for" in ended.err
        assert "say installed_at" in ended.err

    def test_a_reversed_meter_stays_reversed(self, cw: CommandLine) -> None:
        """Wired in reverse, its feed-in is what it calls en_im: that begins late."""
        crossed = HOUSE.replace(
            GRID_LINE, f"{GRID_LINE}, registers: {{en_im: en_ex, en_ex: en_im}}"
        )
        cw("apply", cw.write("house.yaml", crossed))
        imported(cw, FLAT, *hours(10, per_hour=4, count=8))
        imported_export(cw, GRID, *hours(5, per_hour=1, count=8))
        imported(cw, GRID, *hours(2, per_hour=2, count=4, start=4))

        (task,) = tasks(cw, "2026-03-01T08:00Z")

        declared = task["text"].partition("declare ")[2]
        assert declared == (
            "registers: {en_im: en_ex, en_ex: {raw: en_im, from: 2026-03-01T05:00:00+01:00}}"
        )
        applied = HOUSE.replace(GRID_LINE, f"{GRID_LINE}, {declared}")
        cw("apply", cw.write("house.yaml", applied))
        assert tasks(cw, "2026-03-01T08:00Z") == []


class TestAMeterThatJoinedLater:
    def test_the_task_proposes_its_installation_with_the_instant(self, house: CommandLine) -> None:
        imported(house, GRID, *hours(5, per_hour=1, count=12))
        imported(house, FLAT, "2026-03-01T09:07:00Z,81234.5", "2026-03-01T09:22:00Z,81234.6")

        (task,) = tasks_of_flat(house)

        assert (task["kind"], task["meter"]) == ("missing-meter", FLAT)
        assert "installed_at: 2026-03-01T10:07:00+01:00" in task["text"]
        assert task["command"] == "commonwatt apply FILE.yaml"

    def test_declared_so_it_owes_nothing_of_before(self, house: CommandLine) -> None:
        imported(house, GRID, *hours(5, per_hour=1, count=12))
        imported(house, FLAT, *hours(81234.5, per_hour=1, count=4, start=8))
        (task,) = tasks_of_flat(house)
        declared = task["text"].partition("declare ")[2]
        flat = "{id: 61dfcb4beba4e3563fdf3d9f, name: Flat"
        house("apply", house.write("house.yaml", HOUSE.replace(flat, f"{flat}, {declared}")))

        assert tasks_of_flat(house) == []
        shown = json.loads(house("explain", "Flat", "--at", "2026-03-01T08:10Z", "--json").out)
        assert shown["total"] == 0.25, "the index of before is not energy of the first quarter-hour"

    def test_one_that_was_read_before_is_missing_and_not_new(self, house: CommandLine) -> None:
        imported(house, GRID, *hours(5, per_hour=1, count=12))
        imported(house, FLAT, *hours(10, per_hour=1, count=2))
        of_flat = [row for row in tasks_of_flat(house) if row["kind"] == "missing"]
        assert [row["command"] for row in of_flat] == [f"commonwatt import FILE --meter {FLAT}"]
        assert "installed_at" not in of_flat[0]["text"]
