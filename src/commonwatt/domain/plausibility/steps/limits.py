"""The default limits of each medium, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.domain.metering.catalogue import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is ordinary for a medium where nothing is declared.

    ``gap_s``: readings farther apart leave a gap. ``per_hour`` [Wh, litre]: less never is
    suspicious. ``step`` [Wh, litre]: coarse indexes rise by this at once. ``unused_percent`` of a
    day's energy may rest on readings that are set aside, and always less than ``unused_least``
    [Wh, litre].
    """

    gap_s: int
    per_hour: int
    step: int
    unused_percent: int
    unused_least: int


_OFTEN_READ_S, _SELDOM_READ_S = 2 * 3600, 26 * 3600
_HEAT = Limits(
    gap_s=_SELDOM_READ_S, per_hour=300_000, step=1_000, unused_percent=10, unused_least=1_000
)
_WATER = Limits(gap_s=_SELDOM_READ_S, per_hour=20_000, step=100, unused_percent=10, unused_least=50)

LIMITS: Mapping[Medium, Limits] = {
    Medium.ELECTRICITY: Limits(
        gap_s=_OFTEN_READ_S, per_hour=100_000, step=1_000, unused_percent=5, unused_least=200
    ),
    Medium.CHARGE_POINT: Limits(
        gap_s=_OFTEN_READ_S, per_hour=400_000, step=1_000, unused_percent=5, unused_least=200
    ),
    Medium.HEATING: _HEAT,
    Medium.COOLING: _HEAT,
    Medium.COLD_WATER: _WATER,
    Medium.HOT_WATER: _WATER,
}
