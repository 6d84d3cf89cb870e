"""Tables and progress bars."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.progress import Progress

    from commonwatt.app.declaring.apply import Applied
    from commonwatt.domain.metering.catalogue import Medium


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headers, columns aligned."""
    lines = [tuple(map(printable, line)) for line in (headers, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def show_json(answer: "BaseModel | Sequence[BaseModel]") -> None:
    """Show what the API would answer, indented."""
    from commonwatt.api.endpoint.models import to_json

    typer.echo(json.dumps(json.loads(to_json(answer)), indent=2, ensure_ascii=False))


def printable(text: str) -> str:
    r"""Return a text of a server as a terminal may have it: no character moves the cursor.

    >>> printable("Stairwell \x1b[2J")
    'Stairwell �[2J'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def heading(name: str, unit: str | None) -> str:
    """Return the heading of a column of quantities."""
    return printable(name if unit is None else f"{name} [{unit}]")


def unit_of(medium: "Medium") -> str:
    """Return the unit in which the quantities of a medium are shown."""
    return medium.unit


def local_time(instant_at: int | None, timezone: str) -> str:
    """Show an instant [Unix seconds] in a zone, a dash for none."""
    if instant_at is None:
        return "-"
    return datetime.fromtimestamp(instant_at, ZoneInfo(timezone)).isoformat(" ")


def show_applied(applied: "Applied") -> None:
    """Print what was changed of a site, and what is computed anew because of it."""
    for line in applied.report or ["nothing to change"]:
        typer.echo(line)


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator["Progress"]:
    """Give a progress bar on stderr, which shows nothing quietly or where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(console=console, disable=hidden, transient=True) as progress:
        yield progress


@contextmanager
def counting_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give what shows, as a progress bar, how many are done, of how many."""
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield show


@contextmanager
def parts_bar(what: str, *, quiet: bool) -> Iterator[Callable[[float, int], None] | None]:
    """Give what shows how many parts have come, of how many, as a bar on stderr.

    It appears with the first of several parts, or with a fraction of a single one, so that nothing
    is shown of a question that is soon answered. None where nothing is to be shown: quietly, or
    without a terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    task = progress.add_task(what, total=None)

    def show(done: float, total: int) -> None:
        if total > 1 or 0 < done < total:
            progress.start()
            progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        progress.stop()
