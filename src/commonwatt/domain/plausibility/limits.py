"""The default limits of each medium, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.domain.catalogue import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is ordinary for a medium where nothing is declared.

    ``gap_s``: readings farther apart leave a gap. ``per_hour`` [Wh, litre]: less never is
    suspicious. ``step`` [Wh, litre]: coarse indexes rise by this at once.
    """

    gap_s: int
    per_hour: int
    step: int


_OFTEN_READ_S, _SELDOM_READ_S = 2 * 3600, 26 * 3600
_HEAT = Limits(gap_s=_SELDOM_READ_S, per_hour=300_000, step=1_000)
_WATER = Limits(gap_s=_SELDOM_READ_S, per_hour=20_000, step=100)

LIMITS: Mapping[Medium, Limits] = {
    Medium.ELECTRICITY: Limits(gap_s=_OFTEN_READ_S, per_hour=100_000, step=1_000),
    Medium.CHARGE_POINT: Limits(gap_s=_OFTEN_READ_S, per_hour=400_000, step=1_000),
    Medium.HEATING: _HEAT,
    Medium.COOLING: _HEAT,
    Medium.COLD_WATER: _WATER,
    Medium.HOT_WATER: _WATER,
}
