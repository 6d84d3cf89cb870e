"""What nobody can clear otherwise: estimates that are accepted, and gaps that are expected."""

import json

import pytest

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT, GRID, imported

WATER = "61dfcb4beba4e3563fdf3da1"
WATER_LINE = "{id: 61dfcb4beba4e3563fdf3da1, name: Water"
MARCH = ("--start", "2026-03-01", "--end", "2026-04-01")
ACCEPT = ("accept", "Water", *MARCH, "--reason", "read by the caretaker")


def tasks(cw: CommandLine, group: str = "cold_water") -> list[dict[str, str]]:
    window = ("--group", group, "--month", "2026-03", "--json")
    rows: list[dict[str, str]] = json.loads(cw("worklist", *window).out)
    return rows


def read_on(cw: CommandLine, *rows: str) -> None:
    text = "\n".join(("timestamp,vol_m3", *rows, ""))
    assert cw("import", cw.write("water.csv", text), "--meter", "Water").code == 0


@pytest.fixture
def monthly(house: CommandLine) -> CommandLine:
    """Give a house whose water is read on the first of the month."""
    read_on(house, "2026-02-01,100", "2026-03-01,108", "2026-04-01,117.5", "2026-05-01,130")
    return house


def expecting(cw: CommandLine, interval: str) -> str:
    declared = HOUSE.replace(WATER_LINE, f"{WATER_LINE}, expected: {interval}")
    return cw("apply", cw.write("house.yaml", declared)).out


class TestAccepting:
    def test_an_estimate_is_a_task_until_it_is_accepted(self, monthly: CommandLine) -> None:
        (task,) = tasks(monthly)
        assert (task["kind"], task["state"]) == ("estimated", "open")
        assert "commonwatt accept" in task["text"]

        assert monthly(*ACCEPT).code == 0

        (told,) = tasks(monthly)
        assert (told["kind"], told["state"]) == ("accepted", "accepted")
        assert told["text"] == "Water is accepted as it is by command line: read by the caretaker"
        shown = monthly("worklist", "--group", "cold_water", "--month", "2026-03").out
        assert ": 0 to do, 1 accepted\n" in shown
        assert "\naccepted: Water is accepted as it is" in shown
        assert "to lock it: commonwatt lock" in shown

    def test_the_command_that_takes_it_back_is_told_of_one_site(self, monthly: CommandLine) -> None:
        other = HOUSE.replace("61dfc", "71dfc").replace("site_ref: CH-12", "site_ref: CH-13")
        assert monthly("apply", monthly.write("other.yaml", other)).code == 0
        here, there = (("--site", site) for site in ("CH-12", "CH-13"))
        assert monthly(*ACCEPT, *here).code == monthly(*ACCEPT, *there).code == 0
        assert monthly("edit", "undo", "1").code == 1

        program, *command = tasks(monthly)[0]["command"].split()

        assert (program, monthly(*command).code) == ("commonwatt", 0)
        assert next(row["kind"] for row in tasks(monthly)) == "estimated"

    def test_it_is_undone_like_an_edit(self, monthly: CommandLine) -> None:
        monthly(*ACCEPT)
        assert "accepted" in monthly("edit", "list").lines[1]
        assert monthly("edit", "undo", "1").code == 0
        assert [row["kind"] for row in tasks(monthly)] == ["estimated"]
        assert "undone by command line" in monthly("edit", "list").lines[1]

    def test_it_changes_no_number_and_no_quality_and_explain_tells_it(
        self, monthly: CommandLine
    ) -> None:
        def told() -> dict[str, object]:
            answer = monthly("explain", "Water", "--at", "2026-03-10T12:00", "--json").out
            shown: dict[str, object] = json.loads(answer)
            return shown

        before = told()
        monthly(*ACCEPT)
        after = told()
        accepted = after.pop("accepted")
        assert before.pop("accepted") is None
        assert after == before
        assert isinstance(accepted, dict)
        assert accepted["reason"] == "read by the caretaker"
        out = monthly("explain", "Water", "--at", "2026-03-10T12:00").out
        assert "accepted  edit 1 by command line: read by the caretaker" in out

    def test_half_a_month_leaves_the_other_half_to_do(self, monthly: CommandLine) -> None:
        half = ("--start", "2026-03-01", "--end", "2026-03-16")
        assert monthly("accept", "Water", *half, "--reason", "x").code == 0
        (task,) = [row for row in tasks(monthly) if row["state"] == "open"]
        assert task["start"] == "2026-03-15T23:00:00Z"

    def test_a_locked_month_was_accepted_first(self, monthly: CommandLine) -> None:
        lock = ("lock", "CH-12", "cold_water", "--until", "2026-04-01")
        assert monthly(*lock).code == 1
        whole = ("--start", "2026-02-01", "--end", "2026-04-01")
        assert monthly("accept", "Water", *whole, "--reason", "read monthly").code == 0
        assert monthly(*lock).code == 0

    @pytest.mark.parametrize("words", [("--reason", " "), ()])
    def test_a_reason_is_needed(self, monthly: CommandLine, words: tuple[str, ...]) -> None:
        assert monthly("accept", "Water", *MARCH, *words).code == 2

    def test_a_doubted_step_that_was_true_is_accepted(self, house: CommandLine) -> None:
        quarters = [f"2026-03-02T{n // 4:02}:{15 * (n % 4):02},{10 + n / 4}" for n in range(40)]
        steps = [f"2026-03-02T{n // 4:02}:{15 * (n % 4):02},{90 + n / 4}" for n in range(40, 80)]
        imported(house, FLAT, *quarters, *steps)
        imported(house, GRID, *quarters, *steps)
        found = [row for row in tasks(house, "electricity") if row["kind"] == "power-above-limit"]
        assert {row["meter"] for row in found} == {FLAT, GRID}
        reason = ("--reason", "a test of the fire pump")
        for name in ("Flat", "Grid"):
            assert house("accept", name, *MARCH, *reason).code == 0
        left = tasks(house, "electricity")
        assert [row for row in left if row["kind"] == "power-above-limit"] == []


class TestExpecting:
    def test_a_month_read_as_expected_is_no_task_and_no_gap(self, monthly: CommandLine) -> None:
        assert "gap" in monthly("findings").out
        assert "expected none -> P31D" in expecting(monthly, "P1M")

        assert tasks(monthly) == []
        assert "gap" not in monthly("findings").out
        shown = json.loads(monthly("explain", "Water", "--at", "2026-03-10", "--json").out)
        assert shown["quality_total"] == "estimated", "what was not read stays an estimate"
        assert expecting(monthly, "P31D").endswith("nothing to change\n")

    @pytest.mark.parametrize("interval", ["P1M", "P31D"])
    def test_the_month_with_an_hour_more_is_a_month(
        self, house: CommandLine, interval: str
    ) -> None:
        """Read at 00:00 on the first of October and of November, 31 days and one hour apart."""
        text = "timestamp,vol_m3\n2025-10-01,108\n2025-11-01,117.5\n"
        zone = ("--timezone", "Europe/Zurich")
        assert house("import", house.write("w.csv", text), "--meter", "Water", *zone).code == 0
        october = ("worklist", "--group", "cold_water", "--month", "2025-10")
        assert "estimated" in house(*october).out

        expecting(house, interval)

        assert ": 0 to do\n" in house(*october).out
        assert "gap" not in house("findings").out

    def test_an_hour_more_than_hours_is_late(self, monthly: CommandLine) -> None:
        expecting(monthly, f"PT{31 * 24 - 1}H")
        assert [row["kind"] for row in tasks(monthly)] == ["estimated"]

    def test_a_reading_that_did_not_come_is_one(self, monthly: CommandLine) -> None:
        expecting(monthly, "P1W")
        assert [row["kind"] for row in tasks(monthly)] == ["estimated"]

    def test_what_the_sender_estimated_is_one(self, house: CommandLine) -> None:
        expecting(house, "P1M")
        text = "timestamp,vol_m3,quality\n2026-03-01,108,measured\n2026-04-01,117,estimated\n"
        assert house("import", house.write("w.csv", text), "--meter", "Water").code == 0
        assert [row["kind"] for row in tasks(house)] == ["estimated"]

    @pytest.mark.parametrize("wrong", ["P2Y", "PT15M", "monthly", "P1H", "PT1D", "P0D"])
    def test_what_is_no_interval_is_refused_with_examples(
        self, cw: CommandLine, wrong: str
    ) -> None:
        declared = HOUSE.replace(WATER_LINE, f"{WATER_LINE}, expected: {wrong}")
        ended = cw("apply", cw.write("house.yaml", declared))
        assert ended.code == 1
        assert "expected: must be a duration of an hour to 400 days, such as PT6H" in ended.err
