"""What a silent meter is given for a quarter-hour in which another meter of its group spoke."""

from collections.abc import Callable, Mapping

from tests.oracle.estimation import DONOR_S, Donors, Quarter, comparable, donors
from tests.oracle.facts import ESTIMATED, QUARTER_S, RegisterQuarter
from tests.oracle.seams import Run

DAY_S = 86_400
PROXY_S = 35 * DAY_S

LastHeard = Callable[[int], int | None]
"""When a register was last heard of before a quarter-hour that it missed; None: it did not."""


def last_reading(runs: list[Run]) -> LastHeard:
    """Of an index register: its last reading, for quarter-hours that end after it."""
    last = max(reading.stamp for run in runs for reading in run.readings)
    return lambda start: last if start + QUARTER_S > last else None


def last_interval(covered: Mapping[int, object]) -> LastHeard:
    """Of an interval register: the end of the interval before, where none covers it."""

    def heard(start: int) -> int | None:
        before = [other for other in covered if other < start]
        return max(before) + QUARTER_S if before and start not in covered else None

    return heard


class Proxies:
    """The proxies of one register of a meter."""

    def __init__(self, measured: Quarter, heard: LastHeard) -> None:
        self._measured = measured
        self._heard = heard
        self._known: dict[int, Donors] = {}

    def of(self, start: int) -> RegisterQuarter | None:
        """What is given in [start, start + 15 min); None where nothing is."""
        heard_at = self._heard(start)
        if heard_at is None or start >= heard_at + PROXY_S:
            return None
        if heard_at not in self._known:
            self._known[heard_at] = donors(self._measured, (heard_at - DONOR_S, heard_at))
        measured = self._known[heard_at]
        mean = comparable(measured, start)
        if mean is None:
            return None
        day = start - start % DAY_S
        before = sum(comparable(measured, at) or 0 for at in range(day, start, QUARTER_S))
        energy_wh = (before + mean + 500) // 1000 - (before + 500) // 1000
        return RegisterQuarter(energy_wh, ESTIMATED)
