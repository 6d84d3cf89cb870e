"""Errors that users or machines cause: each is shown in short lines, without a trace."""

import sys

from commonwatt.app.errors import CommonwattError


class Failed(CommonwattError):
    """A command cannot do what it was asked for; ``lines`` say why and what would be right."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


# Errors of packages that do not know the use cases; named by module, so that showing an error
# imports nothing: a module that is not imported has raised nothing.
_OTHERS = {
    "commonwatt.client.errors": "ClimkitError",
    "commonwatt.client.series.frames": "MissingLibrary",
    "commonwatt.export.errors": "CannotExport",
}


def user_errors() -> tuple[type[Exception], ...]:
    """Return the errors that are the user's or the machine's, and no fault of the program."""
    others = [getattr(sys.modules[m], name) for m, name in _OTHERS.items() if m in sys.modules]
    return (CommonwattError, OSError, *others)


def fault_lines(error: Exception) -> list[str]:
    """Return the lines to show for an error; each can be understood alone."""
    if isinstance(error, Failed):
        return list(error.lines)
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return [" ".join(str(error).split())]
