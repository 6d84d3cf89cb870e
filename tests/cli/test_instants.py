"""Times that operators type are those of the site's clock."""

import json

import pytest

from tests.cli.command import CommandLine
from tests.cli.conftest import HOUSE
from tests.cli.test_site import FLAT, imported


def test_an_exchange_lies_at_the_time_on_the_sites_clock_and_says_so(house: CommandLine) -> None:
    ended = house("exchange", FLAT, "--at", "2026-07-01T10:55")

    assert ended.code == 0, ended.err
    assert ended.err.splitlines()[0] == "--at is 2026-07-01 10:55:00+02:00"
    assert "from 2026-07-01 10:55:00+02:00" in ended.out


def test_a_lock_until_midnight_is_until_local_midnight(house: CommandLine) -> None:
    imported(house, FLAT, "2025-12-31T22:00:00,1", "2026-01-02T00:00:00,2")
    imported(house, "prim_ad:10", "2025-12-31T22:00:00,1", "2026-01-02T00:00:00,2")

    ended = house(
        "lock", "CH-12", "electricity", "--until", "2026-01-01T00:00", "--despite", "a test"
    )

    assert "is locked until 2026-01-01 00:00:00+01:00" in ended.out
    assert ended.err == "--until is 2026-01-01 00:00:00+01:00\n"


@pytest.mark.parametrize(
    ("wall", "what", "choices"),
    [
        ("2026-10-25T02:30", "happens twice", ("02:30:00+02:00", "02:30:00+01:00")),
        ("2026-03-29T02:30", "does not happen", ("01:30:00+01:00", "03:30:00+02:00")),
    ],
)
def test_a_time_that_is_none_or_two_is_refused_with_both_instants(
    house: CommandLine, wall: str, what: str, choices: tuple[str, str]
) -> None:
    day = wall[:10]
    told = f"{wall}:00 {what} in Europe/Zurich: write {day}T{choices[0]} or {day}T{choices[1]}"

    refused = house("exchange", FLAT, "--at", wall)
    assert refused.code == 2
    assert told in refused.err

    for choice in choices:
        taken = house("exchange", FLAT, "--at", f"{day}T{choice}")
        assert taken.err.startswith(f"--at is {day} {choice}\n"), taken.err

    declared = HOUSE.replace("prim_ad: 11}", f"prim_ad: 11, removed_at: {wall}}}")
    not_applied = house("apply", house.write("at.yaml", declared))
    assert not_applied.code == 1
    assert told in not_applied.err


@pytest.mark.parametrize(
    "of", [("site", "CH-12"), ("meter", "CH-12", FLAT), ("raw", "CH-12", FLAT)]
)
def test_what_is_no_time_is_refused_with_what_the_site_clock_takes(
    house: CommandLine, of: tuple[str, ...]
) -> None:
    refused = house("get", *of, "--start", "2026-03")

    assert refused.code == 2
    assert "Invalid value for --start: '2026-03' is no time" in refused.err
    assert "(UTC)" not in refused.err, "of a command it is the site's clock"


def test_a_word_that_is_no_choice_is_told_in_words(house: CommandLine) -> None:
    refused = house("account", "add", "anna", "--role", "janitor")

    assert refused.code == 2
    assert "--role': 'janitor' is not one of 'developer', 'gateway', 'operator'" in refused.err


def test_a_declared_time_is_on_the_sites_clock(house: CommandLine) -> None:
    declared = HOUSE.replace("prim_ad: 11}", "prim_ad: 11, installed_at: 2026-07-01T10:55}")

    applied = house("apply", house.write("at.yaml", declared))

    assert "installed_at none -> 2026-07-01 10:55:00+02:00" in applied.out


def test_filters_are_on_the_sites_clock(house: CommandLine) -> None:
    imported(
        house, FLAT, "2026-07-01T08:00:00,10", "2026-07-01T08:30:00,0", "2026-07-01T09:00:00,11"
    )
    zero_at = "2026-07-01T10:30"

    found = json.loads(
        house("findings", "--json", "--start", zero_at, "--end", "2026-07-01T10:31").out
    )

    assert [each["start"] for each in found] == ["2026-07-01T08:30:00Z"]
