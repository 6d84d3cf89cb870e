"""The pages of the documentation: their headings, links and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`+[^`\n]+`+")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the number of its first line."""

    language: str
    text: str
    line: int


def page_name(page: Path) -> str:
    """The path of a page within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1)
        for match in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links."""
    yield from _LINK.findall(_CODE.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower())
        found.add(plain.replace(" ", "-"))
    return found


def section(page: Path, heading: str) -> str:
    """The text from a heading to the next of the same level."""
    text = page.read_text(encoding="utf-8")
    match = re.search(rf"^(#+) +{re.escape(heading)} *$", text, re.MULTILINE)
    assert match is not None, f"{page_name(page)} has no heading {heading!r}"
    following = re.compile(rf"^#{{1,{len(match[1])}}} ", re.MULTILINE)
    end = following.search(text, match.end())
    return text[match.end() : end.start() if end else len(text)]


def words_in_code(text: str) -> set[str]:
    """What stands in backticks, whole."""
    return {code.strip("`").strip() for code in _CODE.findall(text)}


def first_column(text: str) -> set[str]:
    """What stands in backticks in the first cells of a text's tables."""
    cells = re.findall(r"^\|([^|\n]*)\|", text, re.MULTILINE)
    return set().union(*(words_in_code(cell) for cell in cells)) if cells else set()
