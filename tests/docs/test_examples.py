"""The Python examples of the pages do what they show."""

import doctest
from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, page_name

WITH_EXAMPLES = [page for page in PAGES if "\n>>> " in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=page_name)
def test_python_examples_are_true(page: Path) -> None:
    reports: list[str] = []
    examples = doctest.DocTestParser().get_doctest(
        page.read_text(encoding="utf-8"), {}, page_name(page), str(page), 0
    )

    doctest.DocTestRunner().run(examples, out=reports.append)

    assert "".join(reports) == ""


def test_the_traps_are_shown_by_examples() -> None:
    traps = {page.name for page in WITH_EXAMPLES if page.parent.name == "traps"}

    assert traps == {
        "end-of-period.md",
        "missing-is-not-zero.md",
        "naive-utc.md",
        "negative-solar-at-night.md",
        "switch-days.md",
    }
