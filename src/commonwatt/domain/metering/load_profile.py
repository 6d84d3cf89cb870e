"""Load profiles of meters and the balance of a site over a run of quarter-hours."""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)
Energy = NDArray[np.int64]
"""Energy per quarter-hour [Wh], or volume [litre]."""
Qualities = NDArray[np.uint8]
"""Codes of `quality.Quality` per quarter-hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProfile:
    """The quarter-hours of one meter over a run, [Wh] or [litre].

    ``im`` and ``ex`` are imported and exported energy seen from the meter, None where it has no
    such register; ``self_energy`` is the share of the site's own energy of a consumer in the
    balance, None for all others; ``method`` is None where it was not read. Values are 0 where the
    quality says that there is none.
    """

    meter: int
    im: Energy | None
    ex: Energy | None
    self_energy: Energy | None
    quality_total: Qualities
    quality_self: Qualities | None
    method: Qualities | None

    def part(self, start: int, end: int) -> "LoadProfile":
        """The quarter-hours [start, end) by position."""
        return LoadProfile(
            meter=self.meter,
            im=_part(self.im, start, end),
            ex=_part(self.ex, start, end),
            self_energy=_part(self.self_energy, start, end),
            quality_total=self.quality_total[start:end],
            quality_self=_part(self.quality_self, start, end),
            method=_part(self.method, start, end),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBalance:
    """The balance of a site over a run of quarter-hours, [Wh] or [litre].

    For media other than electricity only ``conso_total`` is given, the rest is zero. ``allocated``
    is what was shared among consumers (the pool), ``unmetered`` what the clamped mode booked as
    consumption. A row exists where the quality is at least ESTIMATED.
    """

    conso_total: Energy
    from_ext: Energy
    self_energy: Energy
    to_ext: Energy
    storage_charging: Energy
    storage_discharging: Energy
    storage_charging_self: Energy
    allocated: Energy
    unmetered: Energy
    quality: Qualities

    def part(self, start: int, end: int) -> "SiteBalance":
        """The quarter-hours [start, end) by position."""
        columns = {field.name: getattr(self, field.name)[start:end] for field in fields(self)}
        return SiteBalance(**columns)

    @property
    def prod_total(self) -> Energy:
        """What was used here, charged here or exported, less what came out of storage."""
        netted = self.storage_discharging - np.minimum(
            self.storage_charging, self.storage_discharging
        )
        return self.self_energy + self.storage_charging_self + self.to_ext - netted


def _part(column: NDArray[_T] | None, start: int, end: int) -> NDArray[_T] | None:
    return None if column is None else column[start:end]
