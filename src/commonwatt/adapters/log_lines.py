"""The log: one line an event, with its time and its level."""

import logging
import sys
from datetime import UTC, datetime

_APART = " | "


class LogLine(logging.Formatter):
    """Writes ``2026-11-30T18:40:01.250Z WARNING commonwatt.api: what happened``.

    A trace, and whatever has several lines, is put on the same line, so that no event is cut in two
    and nobody who is named in one can write lines of his own.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """The instant in UTC."""
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        lines = (each.rstrip() for each in super().format(record).splitlines())
        line = _APART.join(each for each in lines if each)
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def log_to_stderr() -> None:
    """Write warnings and errors of everything in this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
