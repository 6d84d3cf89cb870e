"""A meter's quarter-hour: whether it is alive, its two sides, and rules over other meters."""

from collections.abc import Sequence
from fractions import Fraction

from tests.oracle.estimation import Quarter, Shapes
from tests.oracle.facts import (
    ELECTRICITY,
    MISSING,
    MISSING_QUARTER,
    NOT_ALIVE,
    RAW_REGISTERS,
    Building,
    Facts,
    Finding,
    Meter,
    MeterQuarter,
    RegisterQuarter,
    Side,
    ceil_quarter,
    floor_quarter,
)
from tests.oracle.index_profile import index_quarter
from tests.oracle.interval_profile import IntervalHistory, interval_quarter, judge_interval
from tests.oracle.proxies import Proxies, last_interval, last_reading
from tests.oracle.unused import Unused
from tests.oracle.verdicts import IndexHistory, judge_index

SIDES: tuple[Side, Side] = ("im", "ex")
MEASURED_HOUR_S = 65 * 60


class JudgedMeter:
    """A meter whose readings have been judged, once, over the whole history."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.history: IndexHistory | IntervalHistory = (
            judge_index(meter) if meter.interval_s is None else judge_interval(meter)
        )
        self._shapes = {register: self._shapes_of(register) for register in self.registers}
        self._proxies = {register: self._proxies_of(register) for register in self.registers}
        self.unused = Unused(meter, self.history.findings, self._used())

    def _used(self) -> dict[str, Sequence[int]]:
        """The stamps of the readings of each raw register that are used, ascending."""
        if isinstance(self.history, IntervalHistory):
            return {}
        return {
            register: sorted(reading.stamp for run in runs for reading in run.readings)
            for register, runs in self.history.runs.items()
        }

    def _factor_at(self, at: int) -> Fraction:
        return self.meter.facts_at(at).factor

    def _linear(self, register: str) -> Quarter:
        """A register without shapes and proxies, whose measured quarter-hours are donors."""

        def quarter(start: int) -> RegisterQuarter:
            factor = self._factor_at(start)
            if isinstance(self.history, IntervalHistory):
                return interval_quarter(self.history, register, start, factor)
            return index_quarter(
                self.meter, self.history, register, start, factor, far_s=MEASURED_HOUR_S
            )

        return quarter

    def _shapes_of(self, register: str) -> Shapes:
        runs = self.history.runs[register] if isinstance(self.history, IndexHistory) else ()
        return Shapes(self._linear(register), self._factor_at, runs)

    def _proxies_of(self, register: str) -> Proxies:
        if isinstance(self.history, IndexHistory):
            heard = last_reading(self.history.runs[register])
        else:
            heard = last_interval(self.history.spread[register])
        return Proxies(self._linear(register), heard)

    @property
    def registers(self) -> set[str]:
        """The raw registers that are part of the meter: an accepted reading carried them."""
        if isinstance(self.history, IndexHistory):
            return set(self.history.runs)
        return set(self.history.spread)

    @property
    def is_rule(self) -> bool:
        return any(facts.rule is not None for facts in self.meter.facts)

    def alive_from(self) -> int | None:
        """The start of the first quarter-hour of the meter's life; None: not yet begun."""
        if self.meter.installed_at is not None:
            return floor_quarter(self.meter.installed_at)
        if not self.registers:
            return None
        if isinstance(self.history, IndexHistory):
            runs = (run for of_register in self.history.runs.values() for run in of_register)
            return ceil_quarter(min(run.readings[0].stamp for run in runs if run.readings))
        return min(min(quarters) for quarters in self.history.spread.values())

    def alive(self, start: int) -> bool:
        """Whether the quarter-hour that begins at `start` is one of the meter's."""
        first = self.alive_from()
        begun = first is not None and start >= first
        ended = self.meter.removed_at is not None and start >= self.meter.removed_at
        return begun and not ended and self.meter.facts_at(start).enabled

    def quarter(self, start: int) -> MeterQuarter:
        """Both sides in [start, start + 15 min), as far as they are part of the meter."""
        if not self.alive(start):
            return NOT_ALIVE
        facts = self.meter.facts_at(start)
        return main_side_present(facts, {side: self._side(facts, side, start) for side in SIDES})

    def _side(self, facts: Facts, side: Side, start: int) -> RegisterQuarter | None:
        """A side of the meter, doubted where much of the day rests on unused readings."""

        def undoubted(at: int) -> RegisterQuarter | None:
            if not self.alive(at):
                return None
            quarter = self._undoubted(self.meter.facts_at(at), side, at)
            if quarter and quarter.energy_wh and not -(2**31) <= quarter.energy_wh < 2**31:
                return MISSING_QUARTER
            return quarter

        if undoubted(start) is None or undoubted(start) == MISSING_QUARTER:
            return self._undoubted(facts, side, start)
        return self.unused.doubted(side, start, undoubted)

    def _undoubted(self, facts: Facts, side: Side, start: int) -> RegisterQuarter | None:
        plain = RAW_REGISTERS[self.meter.medium].get(side)
        if plain is None:
            return None
        register = facts.registers.get(plain, plain)
        if register not in self.registers:
            return None
        if isinstance(self.history, IndexHistory):
            shapes = self._shapes[register]
            return index_quarter(self.meter, self.history, register, start, facts.factor, shapes)
        return interval_quarter(self.history, register, start, facts.factor)

    def with_proxies(self, quarter: MeterQuarter, start: int) -> MeterQuarter:
        """The quarter with what its missing sides are given instead, where something is."""
        facts = self.meter.facts_at(start)
        sides: dict[Side, RegisterQuarter | None] = {}
        for side in SIDES:
            part = sides[side] = quarter.side(side)
            plain = RAW_REGISTERS[self.meter.medium].get(side, "")
            proxies = self._proxies.get(facts.registers.get(plain, plain))
            if part is not None and part.quality == MISSING and proxies is not None:
                sides[side] = proxies.of(start) or part
        return MeterQuarter(quarter.alive, sides["im"], sides["ex"])


def main_side_present(facts: Facts, sides: dict[Side, RegisterQuarter | None]) -> MeterQuarter:
    """An alive meter's quarter: its main side is missing rather than not part of it."""
    if sides[facts.main_side] is None:
        sides[facts.main_side] = MISSING_QUARTER
    return MeterQuarter(True, sides["im"], sides["ex"])


def rule_quarter(facts: Facts, operands: dict[str, MeterQuarter]) -> MeterQuarter:
    """A rule meter's quarter: the sum of what its operands have.

    A plain operand contributes side by side, one that names a register to the main side. What
    an operand has not contributes nothing; what is missing makes its side missing.
    """
    assert facts.rule is not None
    if not facts.enabled or not any(quarter.alive for quarter in operands.values()):
        return NOT_ALIVE
    parts: dict[Side, list[tuple[int, RegisterQuarter]]] = {"im": [], "ex": []}
    for operand in facts.rule:
        quarter = operands[operand.meter_id]
        for side in SIDES:
            if operand.register is None:
                into = side
            elif side == ("ex" if operand.register == "en_ex" else "im"):
                into = facts.main_side
            else:
                continue
            part = quarter.side(side)
            if part is not None:
                parts[into].append((operand.sign, part))
    return main_side_present(facts, {side: _sum(parts[side]) for side in SIDES})


def _sum(parts: list[tuple[int, RegisterQuarter]]) -> RegisterQuarter | None:
    if not parts:
        return None
    energy_wh = 0
    for sign, part in parts:
        if part.energy_wh is None:
            return MISSING_QUARTER
        energy_wh += sign * part.energy_wh
    return RegisterQuarter(energy_wh, min(part.quality for _, part in parts))


class MeterQuarters:
    """Every meter of a building in every quarter-hour that is asked for."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.judged = {meter.id: JudgedMeter(meter) for meter in building.meters}
        self.overflows: set[Finding] = set()
        self._known: dict[tuple[str, int], MeterQuarter] = {}
        self._said: dict[tuple[str, int], MeterQuarter] = {}

    def quarter(self, meter_id: str, start: int) -> MeterQuarter:
        if (meter_id, start) not in self._known:
            self._known[meter_id, start] = self._within_int32(
                meter_id, start, self._evaluate(meter_id, start)
            )
        return self._known[meter_id, start]

    def _evaluate(self, meter_id: str, start: int) -> MeterQuarter:
        judged = self.judged[meter_id]
        facts = judged.meter.facts_at(start)
        if facts.rule is None:
            quarter = self._from_readings(meter_id, start)
            if quarter.alive and self.building.proxy_days_at(start):
                return self._with_proxies(judged, quarter, start)
            return quarter
        operands = {
            operand.meter_id: NOT_ALIVE
            if self.judged[operand.meter_id].meter.facts_at(start).isolated
            else self.quarter(operand.meter_id, start)
            for operand in facts.rule
        }
        return rule_quarter(facts, operands)

    def _from_readings(self, meter_id: str, start: int) -> MeterQuarter:
        """A physical meter's quarter as its readings give it."""
        if (meter_id, start) not in self._said:
            quarter = self.judged[meter_id].quarter(start)
            self._said[meter_id, start] = self._within_int32(meter_id, start, quarter)
        return self._said[meter_id, start]

    def _with_proxies(self, judged: JudgedMeter, quarter: MeterQuarter, start: int) -> MeterQuarter:
        """The quarter, filled where another physical meter of the group has a value."""
        group = ELECTRICITY if judged.meter.medium in ELECTRICITY else (judged.meter.medium,)
        others = [
            self._from_readings(each.meter.id, start)
            for each in self.judged.values()
            if each is not judged and not each.is_rule and each.meter.medium in group
        ]
        sides = [other.side(side) for other in others for side in SIDES]
        if any(part is not None and part.energy_wh is not None for part in sides):
            return judged.with_proxies(quarter, start)
        return quarter

    def _within_int32(self, meter_id: str, start: int, quarter: MeterQuarter) -> MeterQuarter:
        """The quarter, a value beyond int32 being missing, with a finding."""
        sides: dict[Side, RegisterQuarter | None] = {}
        for side in SIDES:
            part = sides[side] = quarter.side(side)
            if part and part.energy_wh is not None and not -(2**31) <= part.energy_wh < 2**31:
                self.overflows.add(Finding(meter_id, side, start, "quarter-too-large"))
                sides[side] = MISSING_QUARTER
        return MeterQuarter(quarter.alive, sides["im"], sides["ex"])
