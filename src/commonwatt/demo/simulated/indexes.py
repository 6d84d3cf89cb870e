"""The registers of the demo's meters: the index that a display shows at any instant.

A register counts since the building's first quarter-hour, on from an index that it had before. It
never falls, and the same instant has the same index whenever it is asked.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from commonwatt.demo.simulated.building import Address
from commonwatt.demo.simulated.noise import uniform
from commonwatt.demo.simulated.simulation import FIRST_QUARTER, simulate
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.quarter_hours import QUARTER_S, quarter_of

# What the last digit of the display is worth: 1 Wh, 0.1 kWh of heat, 1 litre.
_RESOLUTION = {
    Register.EN_IM: 1_000,
    Register.EN_EX: 1_000,
    Register.HEAT_ENERGY_KWH: 100_000,
    Register.VOL_M3: 1_000,
}
_EARLIER_MOST = 30_000_000
_GROWS_BY_QUARTERS = 30 * 96


class MeterIndexes:
    """The indexes of all meters, simulated as far as they were asked for."""

    def __init__(self, likely_until_at: int) -> None:
        """``likely_until_at`` [Unix seconds] saves simulating again and again up to there."""
        self._likely_until_at = likely_until_at
        self._end = FIRST_QUARTER
        self._counts: dict[tuple[Address, Register], NDArray[np.int64]] = {}

    def read(
        self, address: Address, instants_at: NDArray[np.int64]
    ) -> Mapping[Register, NDArray[np.int64]]:
        """Return the index of each register of a meter at instants [mWh or ml].

        Instants are Unix seconds from the building's first quarter-hour on, in any order.
        """
        if len(instants_at):
            self._reach(int(instants_at.max()))
        elapsed_s = instants_at - FIRST_QUARTER * QUARTER_S
        quarter, second = elapsed_s // QUARTER_S, elapsed_s % QUARTER_S
        indexes = {}
        for (owner, register), counts in self._counts.items():
            if owner == address:
                start = counts[quarter]
                index = start + (counts[quarter + 1] - start) * second // QUARTER_S
                resolution = _RESOLUTION[register]
                indexes[register] = index // resolution * resolution
        return indexes

    def _reach(self, instant_at: int) -> None:
        """Simulate on, if need be; from the start, which takes a fraction of a second."""
        if quarter_of(instant_at) < self._end:
            return
        self._end = quarter_of(max(instant_at, self._likely_until_at)) + _GROWS_BY_QUARTERS
        self._counts = {
            (address, register): _counted(address, register, flow)
            for (address, register), flow in simulate(self._end).items()
        }


def _counted(address: Address, register: Register, flow: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index at the start of each quarter-hour and at the end of the last."""
    counts = np.zeros(len(flow) + 1, np.int64)
    np.cumsum(flow, out=counts[1:])
    if counts[-1] == 0:
        return counts
    name = f"earlier {address.type} {address.prim_ad} {register}"
    return counts + int(uniform(name, np.zeros(1, np.int64))[0] * _EARLIER_MOST) * 100
