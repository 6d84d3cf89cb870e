"""Days of which much energy rests on readings that are set aside: what they touch is a guess."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from tests.oracle.facts import (
    ESTIMATED,
    QUARTER_S,
    RAW_REGISTERS,
    Facts,
    Finding,
    Medium,
    Meter,
    RegisterQuarter,
    ceil_quarter,
    floor_quarter,
    round_half_up,
)
from tests.oracle.interval_profile import SNAP_S, nearest_quarter
from tests.oracle.versions import Reading, counted_readings

DAY_S = 86_400
FEWEST = 3
UNUSED = ("zero-after-positive", "index-out-of-order", "stamp-off-interval", "interval-overlap")
LIMITS: dict[Medium, tuple[int, int]] = {
    "electricity": (5, 200),
    "charge_point": (5, 200),
    "heating": (10, 1_000),
    "cooling": (10, 1_000),
    "cold_water": (10, 50),
    "hot_water": (10, 50),
}
"""Percent of the day, and the least at stake [Wh, litre]."""
SideQuarter = Callable[[int], RegisterQuarter | None]
"""What a side of the meter counts in the quarter-hour that begins at an instant, undoubted."""


class Unused:
    """The readings of a meter that are set aside, and the days on which they cost much."""

    def __init__(
        self, meter: Meter, found: Iterable[Finding], used: dict[str, Sequence[int]]
    ) -> None:
        self.meter, self.used = meter, used
        said = counted_readings(meter)
        set_aside = {(each.register, each.at) for each in found if each.rule in UNUSED}
        self.rows: dict[str, list[Reading]] = {
            register: [each for each in readings if (register, each.stamp) in set_aside]
            for register, readings in said.items()
        }
        self.findings: set[Finding] = set()
        self._touched: dict[tuple[str, int], set[int]] = {}

    def doubted(self, side: str, start: int, of_side: SideQuarter) -> RegisterQuarter | None:
        """The quarter-hour of a side, at best estimated where it rests on such readings."""
        part = of_side(start)
        if part is None or part.energy_wh is None or not any(self.rows.values()):
            return part
        day = start - start % DAY_S
        if (side, day) not in self._touched:
            self._touched[side, day] = self._judge(side, day, of_side)
        if start in self._touched[side, day]:
            return RegisterQuarter(part.energy_wh, min(part.quality, ESTIMATED))
        return part

    def _judge(self, side: str, day: int, of_side: SideQuarter) -> set[int]:
        """The quarter-hours of a day that rest on what was set aside, if that costs much."""
        facts = self.meter.facts_at(day)
        plain = RAW_REGISTERS[self.meter.medium]["ex" if side == "ex" else "im"]
        register = facts.registers.get(plain, plain)
        rows = [row for row in self.rows.get(register, ()) if self._day(row) == day]
        if len(rows) < FEWEST:
            return set()
        quarters = range(day, day + DAY_S, QUARTER_S)
        counted: dict[int, int] = {}
        for start in quarters:
            part = of_side(start)
            if part is not None and part.energy_wh is not None:
                counted[start] = abs(part.energy_wh)
        spans = [self._span(register, row) for row in rows]
        touched = {
            start
            for start in counted
            if any(first < start + QUARTER_S and start < end for first, end in spans)
        }
        said = self._said(register, rows, facts)
        at_stake = said + sum(counted[start] for start in touched)
        percent, least = LIMITS[self.meter.medium]
        if at_stake < least or 100 * at_stake <= percent * (said + sum(counted.values())):
            return set()
        self.findings.add(Finding(self.meter.id, register, day, "readings-unused"))
        return touched

    def _end(self, row: Reading) -> int:
        """The end of the interval of a row: the quarter-hour it is taken for, if any."""
        near = nearest_quarter(row.stamp)
        return near if abs(row.stamp - near) <= SNAP_S else row.stamp

    def _day(self, row: Reading) -> int:
        at = row.stamp if self.meter.interval_s is None else self._end(row) - 1
        return at - at % DAY_S

    def _span(self, register: str, row: Reading) -> tuple[int, int]:
        """From the used reading before a row to that after it; of an interval meter its own."""
        if self.meter.interval_s is not None:
            return floor_quarter(self._end(row) - self.meter.interval_s), self._end(row)
        used = self.used.get(register, ())
        before = max((at for at in used if at < row.stamp), default=row.stamp)
        after = min((at for at in used if at > row.stamp), default=row.stamp)
        return floor_quarter(before), ceil_quarter(after)

    def _said(self, register: str, rows: Sequence[Reading], facts: Facts) -> int:
        """What the rows would have counted, had they been used."""
        if self.meter.interval_s is not None:
            raw = sum(row.value for row in rows)
        else:
            used, raw = self.used.get(register, ()), 0
            for one, other in pairwise(rows):
                if not any(one.stamp <= at < other.stamp for at in used):
                    raw += max(other.value - one.value, 0)
        return round_half_up(Fraction(raw) * facts.factor / 1000)
