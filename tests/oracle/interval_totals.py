"""Which readings at the end of an interval are its total, though finer ones lie in it."""

from collections.abc import Sequence

from tests.oracle.facts import Meter
from tests.oracle.versions import AHEAD_US, Reading


def on_fine_grid(stamp: int) -> int | None:
    """The full five minutes within 30 s of the stamp, else the full minute within 5 s."""
    for grid_s, tolerance_s in ((300, 30), (60, 5)):
        nearest = (stamp + grid_s // 2) // grid_s * grid_s
        if abs(stamp - nearest) <= tolerance_s:
            return nearest
    return None


def end_of_interval(stamp: int, interval_s: int) -> int | None:
    """The end of the interval that a stamp lies in; None beside the grid."""
    at = on_fine_grid(stamp)
    return None if at is None else -(-at // interval_s) * interval_s


class _Said:
    """What deliveries say of a register in the intervals of its meter."""

    def __init__(self, meter: Meter, register: str, interval_s: int) -> None:
        self.values: dict[int, set[int]] = {}
        """By interval: what is said at its end."""
        self.within: set[tuple[int, int]] = set()
        """(interval, delivery) of what lies before the end."""
        self.at_end: dict[tuple[int, int], list[tuple[tuple[int, int, int], int]]] = {}
        """(interval, delivery): the order and the value of what is said at the end."""
        for delivery in meter.deliveries:
            for position, row in enumerate(delivery.rows):
                end = end_of_interval(row.stamp, interval_s)
                ahead = row.stamp * 1_000_000 > delivery.recorded_at_us + AHEAD_US
                usable = not (delivery.withdrawn or row.quality == "placeholder" or ahead)
                if end is None or register not in row.values or not usable:
                    continue
                if on_fine_grid(row.stamp) != end:
                    self.within.add((end, delivery.number))
                    continue
                value, issued = row.values[register], row.issued_at_us
                when = delivery.recorded_at_us if issued is None else issued
                order = when, delivery.number, position
                self.values.setdefault(end, set()).add(value)
                self.at_end.setdefault((end, delivery.number), []).append((order, value))

    def ends_alone(self, end: int, number: int) -> bool:
        return (end, number) in self.at_end and (end, number) not in self.within

    def contradicted(self, end: int) -> bool:
        return len(self.values.get(end, ())) > 1

    def against(self, end: int, number: int) -> int | None:
        """What other deliveries say last at the end of an interval."""
        others = [
            version
            for (at, other), versions in self.at_end.items()
            if at == end and other != number
            for version in versions
        ]
        return max(others)[1] if others else None


def totals(
    meter: Meter, register: str, interval_s: int, counting: Sequence[Reading]
) -> tuple[set[int], set[int]]:
    """The stamps of certain totals, and of those of which nobody knows."""
    said = _Said(meter, register, interval_s)
    certain: set[int] = set()
    unclear: set[int] = set()
    usable = [each for each in counting if not _is_ahead(each)]
    for reading in usable:
        end, number = end_of_interval(reading.stamp, interval_s), reading.delivery
        if end is None or number is None or on_fine_grid(reading.stamp) != end:
            continue
        inside = [each for each in usable if end_of_interval(each.stamp, interval_s) == end]
        finer = [each for each in inside if on_fine_grid(each.stamp) != end]
        if not finer or len(inside) - len(finer) > 1 or not said.ends_alone(end, number):
            continue
        if _is_in_row(said, end, number, interval_s):
            certain.add(reading.stamp)
        elif said.contradicted(end):
            is_total = _by_value(reading, finer, said.against(end, number))
            if is_total is None:
                unclear.add(reading.stamp)
            elif is_total:
                certain.add(reading.stamp)
    return certain, unclear


def _is_in_row(said: _Said, end: int, number: int, interval_s: int) -> bool:
    """Whether it is one of three ends in a row that a delivery says alone, one contradicted."""
    for first in (-2, -1, 0):
        row = [end + interval_s * step for step in range(first, first + 3)]
        alone = all(said.ends_alone(each, number) for each in row)
        if alone and any(said.contradicted(each) for each in row):
            return True
    return False


def _by_value(reading: Reading, finer: Sequence[Reading], against: int | None) -> bool | None:
    """Whether the value is the total, told by what it is four times nearer to."""
    rest = sum(each.value for each in finer)
    if against is None or not rest:
        return False
    to_total = abs(reading.value - against - rest)
    to_finer = min(abs(reading.value - against), abs(against - reading.value - rest))
    if to_finer * 4 <= to_total:
        return False
    return True if to_total * 4 <= to_finer else None


def _is_ahead(reading: Reading) -> bool:
    assert reading.recorded_at_us is not None, "somebody delivered it"
    return reading.stamp * 1_000_000 > reading.recorded_at_us + AHEAD_US
