"""Which version of a reading counts."""

from collections import defaultdict
from dataclasses import dataclass

from tests.oracle.facts import Meter


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


def counted_readings(meter: Meter) -> dict[str, list[Reading]]:
    """The reading that counts of each register and instant, ascending by stamp.

    Not withdrawn and no placeholder; of several the best quality, then the last issued, then the
    later delivery, then the later row.
    """
    versions: dict[tuple[str, int], list[tuple[tuple[bool, int, int, int], Reading]]]
    versions = defaultdict(list)
    for delivery in meter.deliveries:
        if delivery.withdrawn:
            continue
        for position, row in enumerate(delivery.rows):
            if row.quality == "placeholder":
                continue
            issued = delivery.recorded_at_us if row.issued_at_us is None else row.issued_at_us
            rank = (row.quality == "measured", issued, delivery.number, position)
            for register, value in row.values.items():
                estimated = row.quality == "estimated"
                reading = Reading(row.stamp, value, estimated, delivery.recorded_at_us, row.serial)
                versions[register, row.stamp].append((rank, reading))
    counted: dict[str, list[Reading]] = defaultdict(list)
    for register, stamp in sorted(versions):
        _, best = max(versions[register, stamp], key=lambda version: version[0])
        counted[register].append(best)
    return dict(counted)
