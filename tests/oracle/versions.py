"""Which version of a reading counts."""

from collections import defaultdict
from dataclasses import dataclass

from tests.oracle.facts import Meter

AHEAD_US = 900 * 1_000_000


@dataclass(frozen=True)
class Reading:
    """The version that counts of one register at one instant.

    `recorded_at_us` is that of its delivery; None for the reading inserted at installation,
    which nobody delivered.
    """

    stamp: int
    value: int
    estimated: bool = False
    recorded_at_us: int | None = None
    serial: str = ""
    delivery: int | None = None


@dataclass(frozen=True)
class _Version:
    """Something said of a register at an instant; ``order`` tells which of two came later."""

    order: tuple[int, int, int]
    reading: Reading
    replaces: bool
    ahead: bool


def counted_readings(meter: Meter) -> dict[str, list[Reading]]:
    """The reading that counts of each register and instant, ascending by stamp.

    Not withdrawn and no placeholder; they come after each other by when they were issued, by
    delivery, by row. Nothing counts that comes before one that replaces; of the others the best
    quality counts, and of those the last. What is ahead of its delivery replaces nothing, and
    counts only where there is no other.
    """
    versions: dict[tuple[str, int], list[_Version]] = defaultdict(list)
    for delivery in meter.deliveries:
        if delivery.withdrawn:
            continue
        for position, row in enumerate(delivery.rows):
            if row.quality == "placeholder":
                continue
            issued = delivery.recorded_at_us if row.issued_at_us is None else row.issued_at_us
            order = (issued, delivery.number, position)
            for register, value in row.values.items():
                estimated = row.quality == "estimated"
                recorded = delivery.recorded_at_us, row.serial, delivery.number
                reading = Reading(row.stamp, value, estimated, *recorded)
                ahead = row.stamp * 1_000_000 > delivery.recorded_at_us + AHEAD_US
                version = _Version(order, reading, row.replaces and not ahead, ahead)
                versions[register, row.stamp].append(version)
    counted: dict[str, list[Reading]] = defaultdict(list)
    for register, stamp in sorted(versions):
        of_instant = sorted(versions[register, stamp], key=lambda version: version.order)
        since = [version for version in of_instant if version.replaces][-1:]
        standing = of_instant[of_instant.index(since[0]) :] if since else of_instant
        best = max(
            standing,
            key=lambda version: (not version.ahead, not version.reading.estimated, version.order),
        )
        counted[register].append(best.reading)
    return dict(counted)
