"""The warning about indexes that an exchange should have said."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from commonwatt.app.exchange_device import IndexLacking


def warn_of_lacking(meter: str, at: str, lacking: "Sequence[IndexLacking]") -> None:
    """Say on stderr which indexes are lacking, what follows, and the command that says them.

    ``meter`` and ``at`` as they were typed.
    """
    for each in lacking:
        if each.of_old:
            index, across = "last index of the old device", "its last reading and the exchange"
        else:
            index, across = "first index of the new one", "the exchange and its first reading"
        typer.echo(
            f"warning: {each.register}: without the {index} the quarter-hours between {across} "
            "are missing",
            err=True,
        )
    if lacking:
        options = " ".join(
            f"--{'end' if each.of_old else 'start'}-index {each.register}=N" for each in lacking
        )
        command = f"commonwatt exchange {shlex.quote(meter)} --at {shlex.quote(at)} {options}"
        typer.echo(f"warning: once it is known, say {command}", err=True)
