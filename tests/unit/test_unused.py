"""What is set aside on a day has a price in energy, and beyond a share of the day it is asked."""

from dataclasses import replace

import numpy as np
import pytest

from commonwatt.domain.energy.interval_energy import judge_intervals
from commonwatt.domain.energy.physical_meter import JudgedMeter, meter_energy
from commonwatt.domain.metering.catalogue import Medium, Meter, MeterFacts, Mode, Register
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.meter_energy import MeterEnergy
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import ReadingQuality, RegisterReadings, StoredReadings
from commonwatt.domain.plausibility.days.unused import with_unused_doubted
from commonwatt.domain.plausibility.duplicates import duplicate_readings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.pipeline import judge_index_register

DAY_AT = 20_000 * 86_400
FIRST = DAY_AT // 900
UNUSED = FindingRule.READINGS_UNUSED
IM, WATER = Register.EN_IM, Register.VOL_M3
Rows = dict[int, int]


def meter_of(medium: Medium = Medium.ELECTRICITY, interval_s: int | None = None) -> Meter:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
    name = "Meter"
    return Meter(
        number=1,
        id="1" * 24,
        name=name,
        medium=medium,
        prim_ad=1,
        facts=(facts,),
        interval_s=interval_s,
    )


def settled(
    meter: Meter, rows: Rows, conflicts: tuple[Finding, ...] = ()
) -> tuple[MeterEnergy, list[Finding]]:
    """Settle three days of a register from the day before on, by rows [mWh, ml] of seconds."""
    register = WATER if meter.medium is Medium.COLD_WATER else IM
    stamps = np.array(sorted(rows), np.int64)
    values = np.array([rows[at] for at in sorted(rows)], np.int64)
    history = RegisterHistory(
        meter=1,
        register=register.value,
        readings=RegisterReadings(
            DAY_AT + stamps,
            values,
            np.full(len(stamps), Quality.MEASURED, np.uint8),
            np.zeros(len(stamps), np.bool_),
        ),
        from_start=True,
        to_end=True,
        first_positive_at=DAY_AT + min(at for at in rows if rows[at]),
    )
    judge = judge_index_register if meter.interval_s is None else judge_intervals
    judged = JudgedMeter(meter, {register: judge(history, meter)}, conflicts)
    window = FIRST - 96, FIRST + 192
    energy, _ = meter_energy(judged, *window, "UTC")
    return with_unused_doubted(judged, energy, window[0])


def of_day(energy: MeterEnergy) -> list[int]:
    assert energy.im is not None
    return [int(code) for code in energy.im.quality[96:192]]


def quarter_hours(step: int = 250_000) -> Rows:
    """A day and a bit of an index that rises by as much in each quarter-hour."""
    return {900 * n: 10_000_000 + step * n for n in range(100)}


class TestAnIndex:
    def test_a_spike_and_a_zero_inform_as_ever(self) -> None:
        energy, found = settled(meter_of(), quarter_hours() | {9_000: 995 * 10**6, 45_000: 0})
        assert found == []
        assert set(of_day(energy)) == {Quality.MEASURED}

    def test_zeros_all_over_the_day_are_asked_with_what_they_touch(self) -> None:
        zeros = dict.fromkeys(range(9_000, 36_000, 3_600), 0)
        energy, (found,) = settled(meter_of(), quarter_hours() | zeros)
        # Eight zeros, each with a quarter-hour of 250 Wh to each side.
        assert (found.rule, found.evidence) == (UNUSED, {"readings": 8, "energy": 4_000})
        assert (found.start_at, found.end_at) == (DAY_AT, DAY_AT + 86_400)
        estimated = [n for n, code in enumerate(of_day(energy)) if code == Quality.ESTIMATED]
        assert estimated == [n for at in zeros for n in (at // 900 - 1, at // 900)]

    def test_the_energy_stays_what_it_was(self) -> None:
        zeros = dict.fromkeys(range(9_000, 36_000, 3_600), 0)
        implausible, _ = settled(meter_of(), quarter_hours() | zeros)
        plain, _ = settled(meter_of(), quarter_hours())
        assert implausible.im is not None
        assert plain.im is not None
        assert implausible.im.energy.tolist() == plain.im.energy.tolist()

    @pytest.mark.parametrize(("count", "asked"), [(2, False), (3, True)])
    def test_two_are_ordinary_and_three_are_not(self, count: int, asked: bool) -> None:
        hourly = {3_600 * n: 10_000_000 + 1_000_000 * n for n in range(26)}
        zeros = dict.fromkeys([7_200 * (n + 1) for n in range(count)], 0)
        _, found = settled(meter_of(), hourly | zeros)
        assert bool(found) is asked

    def test_what_costs_next_to_nothing_is_not_asked(self) -> None:
        """Nine zeros at night, in which 0.1 kWh flowed: less than the least of 0.2."""
        night = {900 * n: 10_000_000 + 2_500 * n for n in range(40)}
        day = {900 * n: 10_100_000 + 1_000_000 * (n - 40) for n in range(40, 100)}
        zeros = dict.fromkeys(range(1_800, 34_200, 3_600), 0)
        assert settled(meter_of(), night | day | zeros)[1] == []

    def test_water_has_its_own_least(self) -> None:
        """The same zeros: 32 litres are none to ask for, 64 are."""
        zeros = dict.fromkeys(range(9_000, 36_000, 3_600), 0)
        for step, asked in ((2_000, False), (4_000, True)):
            found = settled(meter_of(Medium.COLD_WATER), quarter_hours(step) | zeros)[1]
            assert bool(found) is asked, step

    def test_the_day_before_and_after_are_left_alone(self) -> None:
        zeros = dict.fromkeys(range(84_600, 86_400, 300), 0)
        energy, found = settled(meter_of(), quarter_hours(2_000_000) | zeros)
        assert energy.im is not None
        assert [each.start_at for each in found] in ([], [DAY_AT])
        assert Quality.ESTIMATED not in energy.im.quality[192:195].tolist()


class TestIntervals:
    def test_a_disabled_meter_is_not_asked_about(self) -> None:
        rows = {900 * n + 450: 100_000 for n in range(1, 11)} | {900: 100_000}
        meter = meter_of(interval_s=900)
        disabled = replace(meter, facts=(replace(meter.facts[0], enabled=False),))
        assert [each.rule for each in settled(meter, rows)[1]] == [UNUSED]
        assert settled(disabled, rows)[1] == []

    def test_rows_beside_the_quarter_hour_are_at_stake_with_their_energy(self) -> None:
        rows = {900 * n: 100_000 for n in range(1, 97)} | {
            900 * n + 450: 300_000 for n in range(10, 20)
        }
        _, (found,) = settled(meter_of(interval_s=900), rows)
        # Ten rows of 300 Wh, and the eleven quarter-hours of 100 Wh that they lie in.
        assert found.evidence == {"readings": 10, "energy": 4_100}

    def test_an_overlap_now_and_then_informs(self) -> None:
        rows = {1_800 * n: 100_000 for n in range(1, 49)} | {900 * 21: 40_000}
        assert settled(meter_of(interval_s=1_800), rows)[1] == []


class TestOneDelivery:
    def said(self, deliveries: list[int], *, issued: bool = False) -> list[Finding]:
        """Three versions of each of ten instants, of these deliveries."""
        stamps = np.repeat(DAY_AT + 900 * np.arange(10, 20), 3)
        count = len(stamps)
        stored = StoredReadings(
            stamps=stamps,
            values={IM: np.tile(np.array([1_000_000, 2_000_000, 3_000_000]), 10)},
            qualities=np.full(count, ReadingQuality.MEASURED, np.uint8),
            issued_at=np.arange(count),
            issued=np.full(count, issued),
            ahead=np.zeros(count, np.bool_),
            deliveries=np.tile(np.array(deliveries), 10),
            serials=np.full(count, "", np.str_),
        )
        return duplicate_readings(meter_of(), stored, ())

    def test_rows_that_contradict_each_other_in_one_delivery_are_at_stake(self) -> None:
        conflicts = self.said([7, 7, 7])
        assert {each.evidence["in_one_delivery"] for each in conflicts} == {3}
        _, (found,) = settled(meter_of(), quarter_hours(), tuple(conflicts))
        assert found.evidence == {"readings": 10, "energy": 11 * 250}

    @pytest.mark.parametrize(("deliveries", "issued"), [([7, 8, 9], False), ([7, 7, 7], True)])
    def test_corrections_are_none(self, deliveries: list[int], issued: bool) -> None:
        conflicts = self.said(deliveries, issued=issued)
        assert {each.evidence["in_one_delivery"] for each in conflicts} == {0}
        assert settled(meter_of(), quarter_hours(), tuple(conflicts))[1] == []
