"""The balance of a site, per quarter-hour.

Always: conso_total + charging = self + storage_charging_self + from_ext, with charging netted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import BalanceMode, BatteryOrder
from commonwatt.domain.metering.load_profile import Energy, Qualities


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFlows:
    """What the members measured per quarter-hour [Wh], summed by mode.

    ``has_grid`` tells where a grid meter is alive; there ``grid_im`` and ``grid_ex`` are its import
    and export, elsewhere ``produced`` is what the producers delivered. ``charging`` and
    ``discharging`` are as measured.
    """

    consumed: Energy
    grid_im: Energy
    grid_ex: Energy
    produced: Energy
    charging: Energy
    discharging: Energy
    has_grid: NDArray[np.bool_]
    quality: Qualities


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The balance per quarter-hour [Wh].

    ``pool`` is the most that can be shared among consumers, ``available`` what they or the grid
    could have of the site's own energy; neither is negative.
    """

    conso_total: Energy
    from_ext: Energy
    self_energy: Energy
    to_ext: Energy
    storage_charging_self: Energy
    unmetered: Energy
    pool: Energy
    available: Energy


def compute_balance(
    flows: MeasuredFlows, mode: BalanceMode, battery: BatteryOrder = BatteryOrder.LAST
) -> Balance:
    """Compute the balance of each quarter-hour [Wh].

    With a grid meter its import and export stand, and production follows; without one the grid
    takes what is left. A plain balance stays as measured, so ``self_energy`` may dip below 0 when
    meters are not read at the same instant. A clamped balance takes such energy as unmetered
    consumption: nothing is negative. Charging and discharging within a quarter-hour are netted;
    ``battery`` tells whether the site's own energy serves consumers before it charges, or after.
    """
    both = np.minimum(flows.charging, flows.discharging)
    charging, discharging = flows.charging - both, flows.discharging - both
    grid_im = np.where(flows.has_grid, flows.grid_im, 0)
    grid_ex = np.where(flows.has_grid, flows.grid_ex, 0)
    unmetered = np.zeros_like(flows.consumed)
    if mode is BalanceMode.CLAMPED:
        short = np.maximum(
            grid_im - flows.consumed - charging,
            grid_im + discharging - flows.consumed - charging - grid_ex,
        )
        unmetered = np.maximum(-flows.consumed, np.where(flows.has_grid, short, 0))
        unmetered = np.maximum(unmetered, 0)
    conso_total = flows.consumed + unmetered
    own = np.where(flows.has_grid, conso_total + charging - grid_im, flows.produced + discharging)
    # Without storage what a grid meter leaves is all the site's own, whatever its sign.
    # Consumers that use less than nothing (a rule meter's) serve the battery in either order.
    last = battery is BatteryOrder.LAST
    first_served = np.minimum(own, conso_total if last else np.minimum(conso_total, 0))
    to_storage = np.minimum(charging, own - first_served)
    left = own - to_storage
    self_energy = np.where(flows.has_grid, left, np.minimum(left, conso_total))
    drawn = conso_total + charging - self_energy - to_storage
    to_ext = np.where(flows.has_grid, grid_ex, left - self_energy)
    return Balance(
        conso_total=conso_total,
        from_ext=np.where(flows.has_grid, grid_im, drawn),
        self_energy=self_energy,
        to_ext=to_ext,
        storage_charging_self=to_storage,
        unmetered=unmetered,
        pool=np.maximum(0, np.minimum(self_energy, flows.consumed)),
        available=np.maximum(0, self_energy + to_ext),
    )
