"""What can be wrong with a whole body or file; a fault of one row is a `Rejected` row instead."""

from commonwatt.app.errors import CommonwattError, ErrorKind
from commonwatt.domain.metering.readings import NAMED_ROWS_MAX


class UnreadableBody(CommonwattError):
    """A body that cannot be parsed at all. ``line`` and ``column`` count from 1, 0 if not known."""

    kind = ErrorKind("broken-request", 400, "The request cannot be read")

    def __init__(self, line: int, column: int, message: str) -> None:
        self.line = line
        self.column = column
        self.message = message
        place = f"line {line}, column {column}: " if line and column else ""
        place = place or (f"line {line}: " if line else "")
        super().__init__(f"{place}{message}")


class BodyTooLarge(CommonwattError):
    """A body that is, or unpacks to, more than ``limit`` bytes."""

    kind = ErrorKind("too-large", 413, "The body is too large")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit} bytes once unpacked")


class BadValue(CommonwattError, ValueError):
    """A single value that cannot be used; its text says what would be right."""


class Faults(dict[int, str]):
    """What is wrong with values of a column, by position; the first NAMED_ROWS_MAX in words."""

    def note(self, position: int, fault: object) -> None:
        """Note what is wrong with a value."""
        self[position] = str(fault) if len(self) < NAMED_ROWS_MAX else _NOT_NAMED


_NOT_NAMED = "is wrong; what was wrong with the first rows is told"


def shown(value: object) -> str:
    """Show a value in a message: as Python writes it, cut after 40 characters, always printable.

    >>> shown("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
    """
    # Nothing is written out whole, so that a hostile value costs nothing.
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 40 else text[:39] + "…"
