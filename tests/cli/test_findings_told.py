"""What a person reads of findings: joined, what asks first, joined ones resolved at once."""

import json

import pytest

from tests.cli.command import CommandLine
from tests.cli.test_site import FLAT, GRID, imported

DAY = [f"2026-03-02T{n // 4:02}:{15 * (n % 4):02}" for n in range(96)]


def rows(cw: CommandLine, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(cw("findings", *words, "--json").out)
    return found


@pytest.fixture
def noisy(house: CommandLine) -> CommandLine:
    """Give a house whose flat sends ten zeros in a morning, and whose grid meter falls at noon."""
    zeros = {n * 4 for n in range(1, 11)}
    flat = [f"{at},{0 if n in zeros else 100 + n / 4}" for n, at in enumerate(DAY)]
    imported(house, FLAT, *flat)
    grid = [f"{at},{n / 8 + (500 if n < 48 else 0)}" for n, at in enumerate(DAY)]
    imported(house, GRID, *grid)
    return house


def test_ten_zeros_are_one_finding_and_what_asks_comes_first(noisy: CommandLine) -> None:
    found = rows(noisy)
    severities = [str(row["severity"]) for row in found]
    assert severities == sorted(severities), "decision before information"
    (zeros,) = [row for row in found if row["rule"] == "zero-after-positive"]
    assert zeros["evidence"] == {"findings": 10, "lowest": 0, "highest": 0}
    assert found[0]["rule"] == "index-break"
    assert found[0]["meter"] == GRID
    assert len([row for row in rows(noisy, "--each") if row["rule"] == zeros["rule"]]) == 10


def test_they_are_narrowed_by_rule_meter_severity_and_period(noisy: CommandLine) -> None:
    assert {row["rule"] for row in rows(noisy, "--rule", "index-break")} == {"index-break"}
    assert {row["meter"] for row in rows(noisy, "--meter", "Flat")} == {FLAT}
    severities = {row["severity"] for row in rows(noisy, "--severity", "information")}
    assert severities == {"information"}
    assert rows(noisy, "--end", "2026-03-01") == []
    assert noisy("findings", "--rule", "nonsense").code == 2


def test_the_id_is_the_same_whatever_period_is_asked_for(noisy: CommandLine) -> None:
    whole = rows(noisy, "--rule", "zero-after-positive")
    part = rows(
        noisy,
        "--rule",
        "zero-after-positive",
        "--start",
        "2026-03-02T06:00",
        "--end",
        "2026-03-02T08:00",
    )
    assert part == whole


def test_evidence_is_told_in_kwh(noisy: CommandLine) -> None:
    line = next(line for line in noisy("findings").lines if "index-break" in line)
    assert "index before 505.875 kWh, index after 6.000 kWh" in line


def test_a_joined_finding_is_resolved_and_taken_back_as_a_whole(noisy: CommandLine) -> None:
    (zeros,) = rows(noisy, "--rule", "zero-after-positive")
    asked = rows(noisy, "--rule", "readings-unused")
    assert [row["meter"] for row in asked] == [FLAT]
    assert noisy("resolve", str(zeros["id"]), "--as", "faulty").code == 0

    (faulty,) = rows(noisy, "--rule", "declared-faulty")
    assert faulty["evidence"] == {"findings": 10, "lowest": 0, "highest": 0}
    assert rows(noisy, "--rule", "zero-after-positive") == []
    assert rows(noisy, "--rule", "readings-unused") == [], "somebody decided, so nothing is asked"

    assert noisy("resolve", str(zeros["id"]), "--undo").code == 0
    assert rows(noisy, "--rule", "zero-after-positive") == [zeros]


def test_one_of_a_joined_finding_is_resolved_by_its_own_id(noisy: CommandLine) -> None:
    each = rows(noisy, "--rule", "zero-after-positive", "--each")
    assert noisy("resolve", str(each[4]["id"]), "--as", "faulty").code == 0
    (zeros,) = rows(noisy, "--rule", "zero-after-positive")
    assert zeros["evidence"] == {"findings": 9, "lowest": 0, "highest": 0}
