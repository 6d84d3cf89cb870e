"""The time of the served buildings and of the kit that looks at them, the same on every day."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator

_MORNING_AT = dt.datetime(2026, 4, 20, 6, tzinfo=dt.UTC)
"""Later than all readings, so that no sum changes while the tests run."""


class Clock:
    """Unix seconds that go on from where they are put."""

    def __init__(self, at: dt.datetime) -> None:
        self._put(at)

    def __call__(self) -> float:
        return self._at + time.monotonic() - self._since

    def _put(self, at: dt.datetime) -> None:
        self._at, self._since = at.timestamp(), time.monotonic()

    @contextlib.contextmanager
    def at(self, at: dt.datetime) -> Iterator[None]:
        """Be at another time for a while."""
        self._put(at)
        try:
            yield
        finally:
            self._put(_MORNING_AT)


CLOCK = Clock(_MORNING_AT)
