"""The check of a site's sum: production + import - export - consumers - storage is 0 on a day."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import (
    BalanceMode,
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
from commonwatt.domain.settlement import settle
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.pipeline import judge_index_register

DAY = 20_620
IM, EX = Register.EN_IM, Register.EN_EX
Flows = Mapping[Register, int]
"""Energy of each quarter-hour [Wh], the same all day."""


def meter(number: int, mode: Mode) -> Meter:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=mode)
    return Meter(
        number=number,
        id=f"{number:024x}",
        name=mode.value,
        medium=Medium.ELECTRICITY,
        prim_ad=number,
        facts=(facts,),
    )


GRID, SUN, HOME, BATTERY = (
    meter(number, mode)
    for number, mode in enumerate(
        (Mode.INTRODUCTION, Mode.PRODUCTION, Mode.CONSUMPTION, Mode.BATTERY), 10
    )
)


def judged(meter: Meter, flows: Flows, step_s: int = 900) -> JudgedMeter:
    """A meter that is read every ``step_s`` seconds from a day before to a day after."""
    stamps = np.arange((DAY - 1) * 86_400, (DAY + 2) * 86_400 + 1, step_s)
    at_best = np.full(len(stamps), Quality.MEASURED, np.uint8)
    registers = {}
    for register, flow_wh in flows.items():
        values = 1_000 + flow_wh * 1_000 * ((stamps - stamps[0]) // 900)
        history = RegisterHistory(
            meter=meter.number,
            register=register.value,
            readings=RegisterReadings(stamps, values, at_best, np.zeros(len(stamps), np.bool_)),
            from_start=True,
            to_end=True,
            first_positive_at=int(stamps[0]),
        )
        registers[register] = judge_index_register(history, meter)
    return JudgedMeter(meter, registers)


def sums_of(*meters: JudgedMeter, mode: BalanceMode = BalanceMode.PLAIN) -> list[Finding]:
    """What the check finds on the day."""
    catalogue = SiteCatalogue(
        site=Site(number=1, id="5" * 24, name="House", timezone="UTC"),
        facts=(SiteFacts(valid_from=0, valid_to=None, balance=mode),),
        meters=tuple(each.meter for each in meters),
        sensors=(),
        generation=1,
    )
    found = settle(catalogue, Group.ELECTRICITY, meters, DAY * 96, (DAY + 1) * 96).findings
    return [each for each in found if each.rule is FindingRule.SITE_SUM]


@pytest.mark.parametrize("mode", BalanceMode)
def test_a_load_that_no_meter_counts_is_found_under_the_grid_meter(mode: BalanceMode) -> None:
    """100 Wh of 300 are not metered, in both modes of the books."""
    [found] = sums_of(
        judged(GRID, {IM: 100, EX: 0}),
        judged(SUN, {EX: 200}),
        judged(HOME, {IM: 200}),
        mode=mode,
    )

    assert (found.meter, found.register) == (GRID.number, IM)
    assert (found.start_at, found.end_at) == (DAY * 86_400, (DAY + 1) * 86_400)
    assert found.evidence == {"residual": 9_600, "produced": 19_200, "consumed": 19_200}


@pytest.mark.parametrize("mode", BalanceMode)
def test_more_consumers_than_energy_leave_a_negative_rest(mode: BalanceMode) -> None:
    [found] = sums_of(
        judged(GRID, {IM: 100, EX: 50}),
        judged(SUN, {EX: 200}),
        judged(HOME, {IM: 400}),
        mode=mode,
    )

    assert found.evidence == {"residual": -14_400, "produced": 19_200, "consumed": 38_400}


@pytest.mark.parametrize("mode", BalanceMode)
def test_consumption_that_the_clamped_mode_books_is_still_not_metered(mode: BalanceMode) -> None:
    [found] = sums_of(
        judged(GRID, {IM: 400}),
        judged(SUN, {EX: 100}),
        judged(HOME, {IM: 200}),
        mode=mode,
    )

    assert found.evidence == {"residual": 28_800, "produced": 9_600, "consumed": 19_200}


@pytest.mark.parametrize(
    ("grid_wh", "home_wh", "found"),
    [
        (100, 300, 0),
        # 52 Wh a quarter-hour are 4992 Wh a day, 53 are 5088.
        (100, 248, 0),
        (100, 247, 1),
        # A tenth of 288 kWh may stay unmetered: 300 Wh a quarter-hour.
        (3_100, 3_000, 0),
        (3_101, 3_000, 1),
    ],
)
def test_a_tenth_and_five_kilowatt_hours_may_stay_unmetered(
    grid_wh: int, home_wh: int, found: int
) -> None:
    meters = judged(GRID, {IM: grid_wh}), judged(SUN, {EX: 200}), judged(HOME, {IM: home_wh})

    assert len(sums_of(*meters)) == found


def test_what_is_stored_and_taken_out_again_is_part_of_the_sum() -> None:
    rest = judged(GRID, {IM: 100}), judged(SUN, {EX: 500}), judged(HOME, {IM: 300})

    [found] = sums_of(*rest)

    assert found.evidence["residual"] == 300 * 96
    assert sums_of(*rest, judged(BATTERY, {IM: 300, EX: 0})) == []
    assert sums_of(*rest, judged(BATTERY, {IM: 360, EX: 60})) == []


def test_only_books_that_were_measured_whole_are_checked() -> None:
    grid, sun, home = judged(GRID, {IM: 100}), judged(SUN, {EX: 200}), judged(HOME, {IM: 100})

    assert len(sums_of(grid, sun, home)) == 1
    assert sums_of(sun, home) == []
    assert sums_of(grid, home) == []
    assert sums_of(grid, sun) == []
    estimated = judged(HOME, {IM: 100}, step_s=3 * 3_600)
    assert sums_of(grid, sun, estimated) == []
    outside = replace(SUN, facts=(replace(SUN.facts[0], balance=False),))
    assert sums_of(grid, judged(outside, {EX: 200}), home) == []
