"""The one table of a run, and the same as JSON."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

X_B, PER_F, X_SMALL, VALUE = "x B", "/ F", "x small", ""
PER_BARE, PER_PANDAS = "/ bare", "/ pandas"


@dataclass(frozen=True, slots=True)
class Bound:
    """What one ratio (or, with VALUE, the figure itself) must reach."""

    of: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, number: float) -> bool:
        """Whether the number is within the bound."""
        low = self.at_least is None or number >= self.at_least
        return low and (self.at_most is None or number <= self.at_most)

    def __str__(self) -> str:
        low = "" if self.at_least is None else f">= {self.at_least:g}"
        high = "" if self.at_most is None else f"<= {self.at_most:g}"
        return f"{low}{high} {self.of}".strip()


Target = tuple[Bound, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: values by subject, ratios by name, and what was to be reached."""

    figure: str
    unit: str
    values: Mapping[str, float]
    ratios: Mapping[str, float] = field(default_factory=dict)
    foundation: Target = ()
    goal: Target = ()

    def met(self, target: Target) -> bool | None:
        """Whether all bounds hold; None without bounds, or if a yardstick is missing."""
        numbers = {**self.ratios, VALUE: self.values["commonwatt"]}
        if not target or any(bound.of not in numbers for bound in target):
            return None
        return all(bound.holds(numbers[bound.of]) for bound in target)

    def as_json(self) -> dict[str, object]:
        """The line for programs."""
        return {
            "figure": self.figure,
            "unit": self.unit,
            "values": dict(self.values),
            "ratios": dict(self.ratios),
            "foundation": ", ".join(map(str, self.foundation)),
            "foundation_met": self.met(self.foundation),
            "goal": ", ".join(map(str, self.goal)),
            "goal_met": self.met(self.goal),
        }


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _answer(met: bool | None) -> str:
    return {True: "yes", False: "NO", None: ""}[met]


SUBJECTS = ("commonwatt", "B", "F", "bare", "pandas")
RATIOS = (X_B, PER_F, X_SMALL, PER_BARE, PER_PANDAS)
HEADINGS = ("figure", "unit", *SUBJECTS, *RATIOS, "foundation", "met", "goal", "met")
_NUMERIC = range(2, 2 + len(SUBJECTS) + len(RATIOS))


def table(lines: Sequence[Line]) -> str:
    """The lines as a Markdown table, without the columns that nothing stands in."""
    rows = []
    for line in lines:
        values = [_number(line.values.get(name)) for name in SUBJECTS]
        ratios = [_number(line.ratios.get(name)) for name in RATIOS]
        targets = []
        for target in (line.foundation, line.goal):
            targets += [", ".join(map(str, target)), _answer(line.met(target))]
        rows.append([line.figure, line.unit, *values, *ratios, *targets])
    used = [at for at in range(len(HEADINGS)) if any(row[at] for row in rows)]
    cut = [[row[at] for at in used] for row in rows]
    numeric = [place for place, at in enumerate(used) if at in _NUMERIC]
    return markdown([HEADINGS[at] for at in used], cut, numeric)


def markdown(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: Collection[int]
) -> str:
    """A Markdown table that also reads well on a terminal; ``numeric`` columns to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    rules = [f"{'-' * (w - 1)}{':' if n in numeric else '-'}" for n, w in enumerate(widths)]
    return "\n".join(
        "| " + " | ".join(_padded(cells, widths, numeric)) + " |"
        for cells in [headings, rules, *rows]
    )


def _padded(cells: Sequence[str], widths: Sequence[int], numeric: Collection[int]) -> list[str]:
    return [
        cell.rjust(width) if column in numeric else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
