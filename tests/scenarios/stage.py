"""Plays the steps of a scenario folder: real commands, a real store, questions over HTTP."""

import contextlib
import csv
import io
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import httpx2
import yaml

from commonwatt.app.accounts.authorize import Role
from commonwatt.cli.main import main
from tests.api.conftest import account, add, token
from tests.api.serving import application_of, client_of, served

SITE = "5c0000000000000000000001"
Step: TypeAlias = Mapping[str, object]
Row: TypeAlias = Mapping[str, object]


class WrongStep(Exception):
    """What a scenario expects did not happen; says where, what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit status."""

    code: int
    text: str


@dataclass
class Stage:
    """A store, served; ``folder`` has the files that the steps name."""

    folder: Path
    data: Path
    client: httpx2.Client
    remembered: dict[str, str] = field(default_factory=dict)

    def play(self, steps: Sequence[Step]) -> None:
        """Play steps in their order. Raises WrongStep."""
        for number, step in enumerate(steps, start=1):
            try:
                self._play(step)
            except WrongStep as wrong:
                raise WrongStep(f"{self.folder.name}, step {number}: {wrong}") from None

    def _play(self, step: Step) -> None:
        if "remember" in step:
            # The present instant, to be asked for later as {name}.
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            self.remembered[str(step["remember"])] = now
        elif "command" in step:
            self._command(step)
        else:
            self._question(step)

    def _command(self, step: Step) -> None:
        words = shlex.split(self._filled(str(step["command"])))
        files = {path.name: str(path) for path in self.folder.iterdir()}
        said = run_command([*(files.get(word, word) for word in words), "--data", str(self.data)])
        expected = int(str(step.get("status", 0)))
        if said.code != expected:
            raise WrongStep(f"{' '.join(words)} ended with {said.code}:\n{said.text}")
        for text in _texts(step.get("prints", [])):
            if text not in said.text:
                raise WrongStep(f"{' '.join(words)} does not print {text!r}:\n{said.text}")

    def _question(self, step: Step) -> None:
        method, _, path = self._filled(str(step["question"])).partition(" ")
        body = step.get("body")
        answer = self.client.request(method, path, json=body)
        expected = int(str(step.get("status", 200)))
        if answer.status_code != expected:
            raise WrongStep(f"{method} {path} answers {answer.status_code}: {answer.text}")
        if "answer" in step:
            found = json.loads(answer.text, parse_float=Decimal)
            rows = found if isinstance(found, list) else [found]
            compare(rows, self.folder / str(step["answer"]))

    def _filled(self, text: str) -> str:
        return text.format(site=SITE, **self.remembered)


def _texts(prints: object) -> list[str]:
    return [str(text) for text in prints] if isinstance(prints, list) else [str(prints)]


def compare(rows: Sequence[Row], expected: Path) -> None:
    """Compare an answer with a CSV, row by row, in the columns that the CSV has.

    An empty cell stands for null, ``-`` for a column that the answer does not have. Numbers are
    compared exactly, as decimals. Raises WrongStep with the answer as a CSV.
    """
    with expected.open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    columns = list(wanted[0]) if wanted else []
    found = [{column: _cell(row, column) for column in columns} for row in rows]
    if len(found) == len(wanted) and all(map(_same, found, wanted)):
        return
    shown = io.StringIO()
    writer = csv.DictWriter(shown, columns)
    writer.writeheader()
    writer.writerows(found)
    raise WrongStep(f"{expected.name} was expected, not\n{shown.getvalue()}")


def _cell(row: Row, column: str) -> str:
    value = row.get(column, "-")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _same(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(_equal(found[column], cell) for column, cell in wanted.items())


def _equal(found: str, wanted: str) -> bool:
    if found == wanted:
        return True
    try:
        return Decimal(found) == Decimal(wanted)
    except ArithmeticError:
        return False


def run_command(words: Sequence[str]) -> Said:
    """Run the command in this process, as its entry point does."""
    text = io.StringIO()
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["commonwatt", *words], io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            main()
    except SystemExit as end:
        return Said(end.code if isinstance(end.code, int) else 0, text.getvalue())
    finally:
        sys.argv, sys.stdin = before
    raise AssertionError("the command ends its process")


@contextlib.contextmanager
def stage(folder: Path, data: Path) -> Iterator[Stage]:
    """Set up the scenario's site, and serve its store to an operator."""
    where = ("--data", str(data))
    applied = run_command(["apply", str(folder / "site.yaml"), *where])
    assert applied.code == 0, applied.text
    application = application_of(data)
    add(application.store, account("operator", Role.OPERATOR, SITE))
    with (
        served(application) as address,
        client_of(address, token(address, "operator")) as client,
    ):
        yield Stage(folder, data, client)


def steps_of(folder: Path) -> list[Step]:
    """The steps of a scenario folder."""
    steps: list[Step] = yaml.safe_load((folder / "steps.yaml").read_text(encoding="utf-8"))
    return steps
