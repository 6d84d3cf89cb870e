"""What is in sight of all meters of a delivery, told of many of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from commonwatt.app.readings.versions import instant_keys
from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.readings import (
    MetersReadings,
    StoredReadings,
    any_serial,
    effective_positions,
)
from commonwatt.domain.vee.history import usable
from commonwatt.domain.vee.ordinary import powers_by_meter


@dataclass(frozen=True)
class ReadingsInSight:
    """The readings of each register of many meters that count and whose stamps can be right.

    Of all that was said of a meter, whether it counts or not: ``rows`` is how much that is,
    ``said_once`` are the meters of which every instant was said once, and ``with_serial`` those of
    which any row names a serial.
    """

    registers: Mapping[Register, MetersReadings]
    meters: Mapping[int, Meter]
    rows: Mapping[int, int]
    said_once: frozenset[int]
    with_serial: frozenset[int]

    @classmethod
    def of(
        cls,
        said: Sequence[tuple[int, StoredReadings]],
        meters: Mapping[int, Meter],
        withdrawn: frozenset[int],
    ) -> "ReadingsInSight":
        """Take what was said of meters, several times of one, each time later."""
        if not said:
            return cls({}, meters, {}, frozenset(), frozenset())
        numbers = np.repeat(
            np.array([number for number, _ in said], np.int64),
            [len(readings.stamps) for _, readings in said],
        )
        readings = StoredReadings.joined([readings for _, readings in said])
        keys = instant_keys(numbers, readings.stamps)
        order = np.argsort(keys, kind="stable")
        numbers, stamps = numbers[order], readings.stamps[order]
        readings = readings.take(order)
        right = usable(readings)
        # What counts is told of each instant of each meter.
        by_key = replace(readings, stamps=keys[order])
        registers = {}
        for register, values in readings.values.items():
            positions = effective_positions(by_key, register, withdrawn)
            chosen = positions[right[positions]]
            if len(chosen):
                registers[register] = MetersReadings(
                    numbers[chosen], stamps[chosen], values[chosen]
                )
        named, rows = np.unique(numbers, return_counts=True)
        keys = by_key.stamps
        again = numbers[1:][keys[1:] == keys[:-1]].tolist()
        with_serial = numbers[readings.serials != ""] if any_serial(readings.serials) else []
        return cls(
            registers,
            meters,
            rows=dict(zip(named.tolist(), rows.tolist(), strict=True)),
            said_once=frozenset(named.tolist()).difference(again),
            with_serial=frozenset(np.unique(with_serial).tolist()),
        )

    @cached_property
    def powers(self) -> Mapping[int, Mapping[str, Mapping[int, int]]]:
        """The highest power by meter, register and UTC day."""
        intervals = {number: meter.interval_s for number, meter in self.meters.items()}
        found: dict[int, dict[str, Mapping[int, int]]] = {number: {} for number in self.meters}
        for register, readings in self.registers.items():
            for number, of_meter in powers_by_meter(readings, intervals).items():
                found[number][register.value] = of_meter
        return found

    @cached_property
    def bounds(self) -> Mapping[int, Sequence[tuple[int, int]]]:
        """The first and the last instant [Unix seconds] of each register, by meter."""
        found: dict[int, list[tuple[int, int]]] = {number: [] for number in self.meters}
        for readings in self.registers.values():
            first = np.flatnonzero(~readings.follows)
            last = np.append(first[1:], len(readings.meters)) - 1
            for number, *of_register in zip(
                readings.meters[first].tolist(),
                readings.stamps[first].tolist(),
                readings.stamps[last].tolist(),
                strict=True,
            ):
                found[number].append((of_register[0], of_register[1]))
        return found
