"""What a site answers of a window, in a form that can be compared and kept."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.domain.metering.catalogue import Medium, SiteCatalogue
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS

Answers = dict[str, dict[str, list[int]]]
"""Columns by meter id or medium; of a meter that has no such column zeros."""


@dataclass(frozen=True)
class Window:
    """The UTC days [first, end) that are asked for."""

    first_day: int
    end_day: int

    @property
    def quarters(self) -> tuple[int, int]:
        return self.first_day * DAY_QUARTERS, self.end_day * DAY_QUARTERS


def answers_of(snapshot: Snapshot, catalogue: SiteCatalogue, window: Window) -> Answers:
    """All series of all meters, and the balances of all media."""
    first, end = window.quarters
    found: Answers = {}
    for meter in catalogue.meters:
        series = read_meter_series(snapshot, catalogue, meter, first, end, with_method=True)
        assert series.method is not None
        quality_self = _or_zeros(series.quality_self, end - first)
        shared = exists(quality_self.astype(np.uint8))
        found[meter.id] = {
            "total": np.where(exists(series.quality_total), series.total, 0).tolist(),
            "self": np.where(shared, _or_zeros(series.self_energy, end - first), 0).tolist(),
            "ext": np.where(shared, _or_zeros(series.ext, end - first), 0).tolist(),
            "quality_total": series.quality_total.tolist(),
            "quality_self": quality_self.tolist(),
            "method": series.method.tolist(),
        }
    for medium in Medium:
        of_site = read_site_series(snapshot, catalogue, medium, first, end)
        if of_site is not None:
            found[medium.value] = {
                field.name: getattr(of_site.balance, field.name).tolist()
                for field in fields(SiteBalance)
            }
    return found


def _or_zeros(
    column: NDArray[np.int64] | NDArray[np.uint8] | None, length: int
) -> NDArray[np.int64]:
    return np.zeros(length, np.int64) if column is None else column.astype(np.int64)
