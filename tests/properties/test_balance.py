"""What comes into a site is what is used, charged or leaves it, in every quarter-hour."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.balance.balance import Balance, MeasuredFlows, compute_balance
from commonwatt.domain.metering.catalogue import BalanceMode, BatteryOrder
from commonwatt.domain.metering.quality import Quality

COUNTED = st.integers(0, 9) | st.integers(0, 2**31 - 1)
COMPUTED = st.integers(-9, 9) | COUNTED
"""A rule meter's energy may be negative."""
EVERY_MODE = pytest.mark.parametrize("mode", BalanceMode)
EVERY_ORDER = pytest.mark.parametrize("order", BatteryOrder)


@st.composite
def quarters(draw: st.DrawFn, produced: st.SearchStrategy[int] = COMPUTED) -> MeasuredFlows:
    """Draw what the members measured in one quarter-hour, with and without a grid meter."""

    def wh(sizes: st.SearchStrategy[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.array([draw(sizes)], np.int64)

    return MeasuredFlows(
        consumed=wh(COMPUTED),
        grid_im=wh(COUNTED),
        grid_ex=wh(COUNTED),
        produced=wh(produced),
        charging=wh(COUNTED),
        discharging=wh(COUNTED),
        has_grid=np.array([draw(st.booleans())]),
        quality=np.array([Quality.MEASURED], np.uint8),
    )


def netted(flows: MeasuredFlows) -> tuple[int, int]:
    """Charging and discharging, less what is both in the quarter-hour."""
    charged, discharged = int(flows.charging[0]), int(flows.discharging[0])
    both = min(charged, discharged)
    return charged - both, discharged - both


def produced(flows: MeasuredFlows, balance: Balance) -> int:
    """What the site made: measured, or what the grid meter leaves."""
    if not flows.has_grid[0]:
        return int(flows.produced[0])
    charging, discharging = netted(flows)
    grid = int(flows.grid_im[0]) - int(flows.grid_ex[0])
    return int(balance.conso_total[0]) + charging - discharging - grid


@EVERY_MODE
@EVERY_ORDER
@given(flows=quarters())
def test_the_books_close(flows: MeasuredFlows, mode: BalanceMode, order: BatteryOrder) -> None:
    balance = compute_balance(flows, mode, order)
    charging, discharging = netted(flows)
    own = balance.self_energy + balance.storage_charging_self
    assert balance.conso_total + charging == own + balance.from_ext
    assert produced(flows, balance) + discharging == own + balance.to_ext
    assert 0 <= balance.storage_charging_self <= charging
    assert 0 <= balance.pool <= max(0, int(flows.consumed[0]))
    assert balance.pool <= balance.available
    assert min(balance.from_ext, balance.to_ext) >= 0
    if flows.has_grid[0]:
        assert (balance.from_ext, balance.to_ext) == (flows.grid_im, flows.grid_ex)


@EVERY_ORDER
@given(flows=quarters(produced=COUNTED))
def test_nothing_is_negative_in_clamped_books(flows: MeasuredFlows, order: BatteryOrder) -> None:
    balance = compute_balance(flows, BalanceMode.CLAMPED, order)
    assert min(balance.conso_total, balance.self_energy, balance.unmetered) >= 0
    assert produced(flows, balance) >= 0
    assert balance.conso_total == flows.consumed + balance.unmetered


@EVERY_MODE
@given(flows=quarters())
def test_the_order_of_the_battery_moves_own_energy_and_no_sum(
    flows: MeasuredFlows, mode: BalanceMode
) -> None:
    last, first = (compute_balance(flows, mode, order) for order in BatteryOrder)
    assert first.storage_charging_self >= last.storage_charging_self
    assert first.self_energy <= last.self_energy
    assert first.conso_total == last.conso_total
    assert first.unmetered == last.unmetered
