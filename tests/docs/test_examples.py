"""The Python examples of the pages do what they show."""

import doctest
from pathlib import Path

import pytest

from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.docs.markdown import DOCS, PAGES, Block, blocks, page_name
from tests.formats.declaration.editors import check_as_editors_do

WITH_EXAMPLES = [page for page in PAGES if "\n>>> " in page.read_text(encoding="utf-8")]
DECLARATIONS = [
    pytest.param(block, id=f"{page_name(page)}:{block.line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml"
]


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


@pytest.mark.parametrize("block", DECLARATIONS)
def test_declarations_are_valid_for_editors(block: Block) -> None:
    check_as_editors_do(block.text)


@pytest.mark.parametrize("block", DECLARATIONS)
def test_declarations_have_no_fault(block: Block) -> None:
    assert declaration_from_yaml(block.text.encode()).meters


def test_the_whole_example_has_no_fault() -> None:
    text = (DOCS / "examples" / "building.yaml").read_text(encoding="utf-8")
    declared = declaration_from_yaml(text.encode())

    check_as_editors_do(text)
    assert (len(declared.meters), len(declared.sensors)) == (8, 1)
