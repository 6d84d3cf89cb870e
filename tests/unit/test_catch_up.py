"""What a register made up for after it stood still: what the rule finds, and what it leaves."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from commonwatt.domain.energy.interval_energy import judge_intervals
from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import (
    Device,
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.plausibility.findings import plausibility_findings
from commonwatt.domain.vee.boundary_index import AcceptedReadings
from commonwatt.domain.vee.faulty_side import hung_readings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.pipeline import judge_index_register

START = 20_620 * 86_400  # 2026-06-16
QUARTER = 900
FACTS = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
FLAT = Meter(
    number=1, id="a" * 24, name="Flat", medium=Medium.ELECTRICITY, prim_ad=11, facts=(FACTS,)
)
LIMITED = replace(FLAT, facts=(replace(FACTS, max_per_hour=10_000),))
OF_THE_GRID = replace(FLAT, facts=(replace(FACTS, mode=Mode.INTRODUCTION),))
STRONG = replace(FLAT, facts=(replace(FACTS, max_per_hour=21_000),))
SITE = Site(number=1, id="5" * 24, name="House", timezone="Europe/Zurich")
IM = Register.EN_IM


def measured(count: int) -> NDArray[np.uint8]:
    return np.full(count, Quality.MEASURED, np.uint8)


def judged(meter: Meter, stamps: list[int], values_wh: list[int]) -> JudgedMeter:
    """Judge the whole history of the register ``en_im``."""
    never, at_best = np.zeros(len(stamps), np.bool_), measured(len(stamps))
    values = np.array(values_wh, np.int64) * 1_000
    history = RegisterHistory(
        meter=meter.number,
        register=IM,
        readings=RegisterReadings(np.array(stamps, np.int64), values, at_best, never),
        from_start=True,
        to_end=True,
        first_positive_at=stamps[0],
    )
    judge = judge_index_register if meter.interval_s is None else judge_intervals
    return JudgedMeter(meter, {IM: judge(history, meter)})


def implausible(judged: JudgedMeter, connection_w: int | None = None) -> list[Finding]:
    """What is doubted of the meter's readings."""
    facts = SiteFacts(valid_from=0, valid_to=None, connection_w=connection_w)
    catalogue = SiteCatalogue(
        site=SITE, facts=(facts,), meters=(judged.meter,), sensors=(), generation=1
    )
    first, end = START // QUARTER - 96, START // QUARTER + 96 * 30
    return plausibility_findings(catalogue, Group.ELECTRICITY, [judged], {}, {}, first, end)


def flat_that_hung(
    meter: Meter = FLAT, *, still: int = 12, step_wh: int = 5_200, other_wh: int = 400
) -> list[Finding]:
    """An index rises each quarter-hour, repeats ``still`` times, and makes up for it at once."""
    rises = [other_wh] * 20 + [0] * still + [step_wh] + [other_wh] * 20
    stamps = [START + QUARTER * count for count in range(len(rises) + 1)]
    return implausible(judged(meter, stamps, np.cumsum([1_000, *rises]).tolist()))


def test_a_step_after_a_standstill_is_found_with_the_standstill() -> None:
    [found] = flat_that_hung()

    assert found.rule is FindingRule.CATCH_UP
    assert (found.start_at, found.end_at) == (START + 20 * QUARTER, START + 33 * QUARTER)
    # Four quarters of 400 Wh are an hour; three times that is ordinary.
    limit = 3 * 4 * 400
    expected = {"energy": 5_200, "seconds": 900, "still": 12 * QUARTER, "limit": limit}
    assert found.evidence == expected


@pytest.mark.parametrize(
    ("case", "meter", "changes"),
    [
        ("no more than thrice the ordinary", FLAT, {"step_wh": 1_200}),
        ("a step of a coarse index", FLAT, {"step_wh": 1_000, "other_wh": 40}),
        ("no standstill, and nothing above the limit", FLAT, {"still": 0}),
        ("too much for three quarters", FLAT, {"still": 3}),
        ("a car stands still", replace(FLAT, medium=Medium.CHARGE_POINT), {}),
        ("a grid meter stands still", OF_THE_GRID, {}),
        ("declared as ordinary", STRONG, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_is_left_alone(case: str, meter: Meter, changes: dict[str, int]) -> None:
    assert flat_that_hung(meter, **changes) == []


def test_a_register_that_may_stand_still_elsewhere_tells_nothing() -> None:
    rises = [400, 0] * 10 + [0] * 6 + [5_200] + [400, 0] * 10
    stamps = [START + QUARTER * count for count in range(len(rises) + 1)]

    assert implausible(judged(FLAT, stamps, np.cumsum([1_000, *rises]).tolist())) == []


def test_a_standstill_longer_than_what_is_in_sight_may_have_lasted_a_month() -> None:
    [found] = flat_that_hung(still=40, step_wh=30_000)

    assert found.rule is FindingRule.CATCH_UP
    assert (found.end_at - found.start_at) // QUARTER == 17
    month_wh = 30 * 24 * 3 * 4 * 400
    assert flat_that_hung(still=40, step_wh=month_wh)[0].rule is FindingRule.CATCH_UP
    assert flat_that_hung(still=40, step_wh=month_wh + 720)[0].rule is FindingRule.POWER_ABOVE_LIMIT


def test_above_the_limit_is_said_once() -> None:
    [explained] = flat_that_hung(LIMITED, still=8, step_wh=8_000)
    [unexplained] = flat_that_hung(LIMITED, still=2, step_wh=8_000)

    assert (explained.rule, explained.evidence["limit"]) == (FindingRule.CATCH_UP, 10_000)
    assert unexplained.rule is FindingRule.POWER_ABOVE_LIMIT
    assert explained.end_at == START + 29 * QUARTER


def test_a_misread_digit_after_a_repeated_index_is_no_catch_up() -> None:
    """99 MWh in a quarter-hour: not even the hour before explains them."""
    [found] = flat_that_hung(still=4, step_wh=99_000_000)

    assert found.rule is FindingRule.POWER_ABOVE_LIMIT


def test_after_a_gap_an_old_index_and_then_the_right_one() -> None:
    before = [START + QUARTER * count for count in range(21)]
    resumed = START + 20 * QUARTER + 3 * 86_400
    stamps = [*before, *(resumed + QUARTER * count for count in range(20))]
    rises = [300] * 20 + [0, 86_400] + [300] * 18

    found = implausible(judged(FLAT, stamps, np.cumsum([1_000, *rises]).tolist()))

    assert [each.rule for each in found] == [FindingRule.GAP, FindingRule.CATCH_UP]
    assert found[0].evidence == {"seconds": 3 * 86_400, "energy": 0}
    assert found[1].evidence["still"] == 3 * 86_400
    assert (found[1].start_at, found[1].end_at) == (before[-1], resumed + QUARTER)


def test_intervals_that_nobody_sent_come_in_one() -> None:
    meter = replace(FLAT, interval_s=QUARTER)
    stamps = [START + QUARTER * count for count in (*range(1, 21), *range(33, 60))]

    found = implausible(judged(meter, stamps, [400] * 20 + [5_200] + [400] * 26))

    assert [each.rule for each in found] == [FindingRule.GAP, FindingRule.CATCH_UP]
    assert (found[1].start_at, found[1].end_at) == (START + 20 * QUARTER, START + 33 * QUARTER)
    assert found[1].evidence["still"] == 12 * QUARTER


@pytest.mark.parametrize(
    "transformed",
    [
        replace(FLAT, facts=(replace(FACTS, factor=Decimal(40)),)),
        replace(FLAT, devices=(Device(factor=Decimal(40)),)),
    ],
    ids=("of the meter", "of its device"),
)
def test_a_factor_counts_for_step_and_limit(transformed: Meter) -> None:
    [found] = flat_that_hung(transformed)

    assert (found.evidence["energy"], found.evidence["limit"]) == (208_000, 192_000)


def test_a_home_that_exports_too_may_stand_still() -> None:
    rises = [400] * 20 + [0] * 12 + [5_200] + [400] * 20
    stamps = [START + QUARTER * count for count in range(len(rises) + 1)]
    home = judged(FLAT, stamps, np.cumsum([1_000, *rises]).tolist())
    exported = judged(FLAT, stamps, [1_000] * len(stamps)).registers[IM]

    assert implausible(replace(home, registers={**home.registers, Register.EN_EX: exported})) == []


def test_the_readings_that_hung_are_all_but_the_first_of_the_same_index() -> None:
    values = np.array([5, 6, 7, 7, 7, 50], np.int64)
    stamps, none = 10 * np.arange(6), np.zeros(6, np.int64)
    readings = AcceptedReadings(stamps, values, measured(6), none)

    assert hung_readings(readings, 50, from_start=True) == (30, 40)
    later = AcceptedReadings(stamps[2:], values[2:], measured(4), none[2:])
    assert hung_readings(later, 50, from_start=False) is None
    assert hung_readings(later, 50, from_start=True) == (30, 40)
