"""What flows in the demo's building keeps the laws of energy in every quarter-hour."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from commonwatt.demo.simulated import building
from commonwatt.demo.simulated.building import HOUSEHOLDS, Address
from commonwatt.demo.simulated.simulation import FIRST_QUARTER, simulate
from commonwatt.domain.metering.catalogue import Register

YEAR = 365 * 96
Flows = Mapping[tuple[Address, Register], NDArray[np.int64]]


@pytest.fixture(scope="module")
def flows() -> Flows:
    return simulate(FIRST_QUARTER + 2 * YEAR)


def consumption(flows: Flows) -> NDArray[np.int64]:
    homes = [flows[home.address, Register.EN_IM] for home in HOUSEHOLDS]
    total: NDArray[np.int64] = np.sum([*homes, flows[building.HOUSE_SUPPLY, Register.EN_IM]], 0)
    return total


def sun(flows: Flows) -> NDArray[np.int64]:
    return flows[building.PV_SOUTH, Register.EN_EX] + flows[building.PV_WEST, Register.EN_EX]


def test_the_grid_takes_up_what_is_left_in_every_quarter(flows: Flows) -> None:
    charged = flows[building.BATTERY, Register.EN_IM]
    discharged = flows[building.BATTERY, Register.EN_EX]

    grid = flows[building.GRID, Register.EN_IM] - flows[building.GRID, Register.EN_EX]

    np.testing.assert_array_equal(grid, consumption(flows) + charged - discharged - sun(flows))


def test_nothing_flows_backwards(flows: Flows) -> None:
    for (address, register), flow in flows.items():
        assert int(flow.min()) >= 0, (address, register)


def test_consumers_never_draw_more_from_the_grid_than_they_use(flows: Flows) -> None:
    own = (
        consumption(flows)
        + flows[building.BATTERY, Register.EN_IM]
        - flows[building.GRID, Register.EN_IM]
    )

    assert int(own.min()) >= 0


def test_the_common_parts_are_a_part_of_the_house_supply(flows: Flows) -> None:
    common = (
        flows[building.HOUSE_SUPPLY, Register.EN_IM]
        - flows[building.HEAT_PUMP, Register.EN_IM]
        - flows[building.CHARGE_POINT, Register.EN_IM]
    )

    assert int(common.min()) > 0


def test_the_battery_stays_within_its_size_and_power(flows: Flows) -> None:
    charged = flows[building.BATTERY, Register.EN_IM]
    discharged = flows[building.BATTERY, Register.EN_EX]

    # With nothing lost on the way in or out it would hold at least what it holds.
    most_held = np.cumsum(charged - discharged)

    assert int(np.minimum(charged, discharged).max()) == 0
    assert int(np.maximum(charged, discharged).max()) <= building.BATTERY_W * 250
    assert int(most_held.min()) >= 0
    day = most_held[:96]
    assert int(day.max() - day.min()) <= building.BATTERY_CAPACITY_WH * 1000 / 0.96 + 1
    assert 0.88 < float(discharged.sum() / charged.sum()) < 0.96


def test_the_battery_charges_from_the_sun_alone_and_serves_consumers_alone(flows: Flows) -> None:
    charged = flows[building.BATTERY, Register.EN_IM]
    discharged = flows[building.BATTERY, Register.EN_EX]
    surplus = sun(flows) - consumption(flows)

    assert bool((charged <= np.maximum(surplus, 0)).all())
    assert bool((discharged <= np.maximum(-surplus, 0)).all())


def test_a_quarter_is_the_same_however_far_one_looks(flows: Flows) -> None:
    shorter = simulate(FIRST_QUARTER + YEAR // 2)

    for key, flow in shorter.items():
        np.testing.assert_array_equal(flow, flows[key][: YEAR // 2])


def test_the_year_has_all_that_a_demo_should_show(flows: Flows) -> None:
    exported = flows[building.GRID, Register.EN_EX][:YEAR]
    imported = flows[building.GRID, Register.EN_IM][:YEAR]
    june = slice(152 * 96, 182 * 96)

    assert int(exported.sum()) > 10_000_000_000
    assert int(imported.sum()) > 10_000_000_000
    assert bool(((exported > 1_000_000) & (imported > 0)).any())
    assert int(flows[building.BATTERY, Register.EN_EX][june].sum()) > 100_000_000
    assert int(flows[building.COOLING, Register.HEAT_ENERGY_KWH][june].sum()) > 100_000_000
    for home in HOUSEHOLDS:
        assert 1_500 < flows[home.address, Register.EN_IM][:YEAR].sum() / 1e6 < 4_500
