"""The page of the kit names every check as it is, every habit, every outcome."""

import re

from commonwatt.conformance.judging.verdicts import Habit, Outcome
from commonwatt.conformance.run import CHECKS
from tests.docs.markdown import DOCS, first_column, section, words_in_code

PAGE = DOCS / "conformance.md"


def test_the_table_has_every_check_with_what_it_expects() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|\n]+) \|$", section(PAGE, "Checks"), re.MULTILINE)

    documented = {check: held for cell, held in rows for check in words_in_code(cell)}

    assert documented == {check.id: check.expected for check in CHECKS}


def test_every_habit_is_named() -> None:
    text = section(PAGE, "Where the page is silent")

    assert first_column(text) == {habit.name.lower() for habit in Habit}
    for habit in Habit:
        assert f"| `{habit.name.lower()}` | {habit.value} |" in text


def test_every_outcome_is_explained() -> None:
    text = section(PAGE, "What it says")

    assert all(f"| {outcome.value} | " in text for outcome in Outcome)


def test_the_ids_of_checks_are_unique_and_their_clauses_said() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.clause and check.expected for check in CHECKS)
