"""Lines of the log about what others do: some of each kind a minute, then how many there were more.

Who sends a thousand broken requests a second must not fill the disk with lines about them.
"""

import logging
import threading
import time
from collections.abc import Callable

from starlette.requests import Request

LINES_A_MINUTE = 30


def address_of(request: Request) -> str:
    """Who sent a request, as a line names him: address and port, as far as they are known."""
    return ":".join(map(str, request.client)) if request.client else "unknown"


class ThrottledLog:
    """Warns, at most so often a minute of each kind of event."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: dict[str, tuple[float, int]] = {}

    def warn(self, message: str, *values: object) -> None:
        """Log a line; ``message``, before its values are put in, is the kind of event."""
        now = self._clock()
        with self._lock:
            began, count = self._minutes.get(message, (now, 0))
            left_out = 0
            if now - began >= 60:
                left_out = max(0, count - LINES_A_MINUTE)
                began, count = now, 0
            self._minutes[message] = (began, count + 1)
        if left_out:
            self._log.warning("%d more such lines were left out: %s", left_out, message)
        if count < LINES_A_MINUTE:
            self._log.warning(message, *values)

    def __getstate__(self) -> str:
        """Nothing but the log's name: each process counts its own lines."""
        return self._log.name

    def __setstate__(self, name: str) -> None:
        """Begin to count."""
        self.__init__(logging.getLogger(name))  # type: ignore[misc]
