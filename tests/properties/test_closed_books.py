"""What comes into a site is what is used, charged or leaves it, in every quarter-hour."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.balance.balance import ClosedBooks, MeasuredFlows, close_books
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


def produced(flows: MeasuredFlows, books: ClosedBooks) -> int:
    """What the site made: measured, or what the grid meter leaves."""
    if not flows.has_grid[0]:
        return int(flows.produced[0])
    charging, discharging = netted(flows)
    grid = int(flows.grid_im[0]) - int(flows.grid_ex[0])
    return int(books.conso_total[0]) + charging - discharging - grid


@EVERY_MODE
@EVERY_ORDER
@given(flows=quarters())
def test_the_books_close(flows: MeasuredFlows, mode: BalanceMode, order: BatteryOrder) -> None:
    books = close_books(flows, mode, order)
    charging, discharging = netted(flows)
    own = books.self_energy + books.storage_charging_self
    assert books.conso_total + charging == own + books.from_ext
    assert produced(flows, books) + discharging == own + books.to_ext
    assert 0 <= books.storage_charging_self <= charging
    assert 0 <= books.pool <= max(0, int(flows.consumed[0]))
    assert books.pool <= books.available
    assert min(books.from_ext, books.to_ext) >= 0
    if flows.has_grid[0]:
        assert (books.from_ext, books.to_ext) == (flows.grid_im, flows.grid_ex)


@EVERY_ORDER
@given(flows=quarters(produced=COUNTED))
def test_nothing_is_negative_in_clamped_books(flows: MeasuredFlows, order: BatteryOrder) -> None:
    books = close_books(flows, BalanceMode.CLAMPED, order)
    assert min(books.conso_total, books.self_energy, books.unmetered) >= 0
    assert produced(flows, books) >= 0
    assert books.conso_total == flows.consumed + books.unmetered


@EVERY_MODE
@given(flows=quarters())
def test_the_order_of_the_battery_moves_own_energy_and_no_sum(
    flows: MeasuredFlows, mode: BalanceMode
) -> None:
    last, first = (close_books(flows, mode, order) for order in BatteryOrder)
    assert first.storage_charging_self >= last.storage_charging_self
    assert first.self_energy <= last.self_energy
    assert first.conso_total == last.conso_total
    assert first.unmetered == last.unmetered
