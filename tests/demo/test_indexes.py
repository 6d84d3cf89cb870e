"""The registers of the demo's meters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.demo.simulated import building
from commonwatt.demo.simulated.building import Address
from commonwatt.demo.simulated.indexes import MeterIndexes
from commonwatt.demo.simulated.reading_log import METERS
from commonwatt.demo.simulated.simulation import FIRST_QUARTER, simulate
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Medium, Register
from commonwatt.domain.metering.quarter_hours import QUARTER_S

FIRST_AT = FIRST_QUARTER * QUARTER_S
INDEXES = MeterIndexes(FIRST_AT + 3 * 365 * 86_400)


@pytest.mark.parametrize("address", METERS, ids=str)
def test_a_meter_shows_the_registers_of_its_medium(address: Address) -> None:
    shown = INDEXES.read(address, np.array([FIRST_AT + 5_000_000]))

    assert set(shown) == set(REGISTERS_OF[Medium(address.type)])


@given(
    address=st.sampled_from(METERS),
    seconds=st.lists(st.integers(0, 3 * 365 * 86_400), min_size=2, max_size=40),
)
def test_an_index_never_falls(address: Address, seconds: list[int]) -> None:
    instants = np.array(sorted(seconds), np.int64) + FIRST_AT

    for index in INDEXES.read(address, instants).values():
        assert int(index.min()) >= 0
        assert bool((np.diff(index) >= 0).all())


def test_an_index_counts_what_flows() -> None:
    flows = simulate(FIRST_QUARTER + 1000)
    boundaries = (FIRST_QUARTER + np.arange(1001)) * QUARTER_S

    shown = INDEXES.read(building.GRID, boundaries)

    for register in (Register.EN_IM, Register.EN_EX):
        true = np.cumsum(flows[building.GRID, register])
        counted = shown[register][1:] - shown[register][0]
        # The display cuts what is less than a Wh, at either end.
        assert int(np.abs(counted - true).max()) < 1000
        assert not (shown[register] % 1000).any()


def test_the_same_instant_has_the_same_index_after_a_restart() -> None:
    instants = np.array([FIRST_AT + 40_000_000, FIRST_AT + 70_000_123])
    early = MeterIndexes(0)
    early.read(building.GRID, np.array([FIRST_AT + 1]))

    for address in METERS:
        fresh = (
            MeterIndexes(FIRST_AT).read(address, instants) if address == building.BATTERY else None
        )
        for register, index in INDEXES.read(address, instants).items():
            np.testing.assert_array_equal(early.read(address, instants)[register], index)
            if fresh is not None:
                np.testing.assert_array_equal(fresh[register], index)


def test_within_a_quarter_an_index_grows_evenly() -> None:
    start_at = FIRST_AT + 200 * 86_400

    for register, index in INDEXES.read(
        building.HOUSE_SUPPLY, start_at + np.array([0, 300, 600, 900])
    ).items():
        steps = np.diff(index)
        assert int(steps.max() - steps.min()) <= 1000
        assert (register is Register.EN_EX) == (int(steps.sum()) == 0)
