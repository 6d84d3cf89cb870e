"""Comparing what is answered with what another platform says, by meter and local month."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Snapshot, Store
from commonwatt.app.series.read import MeterSeries, read_site_series
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.load_profile import Energy, Qualities
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, day_of, first_quarter_from
from commonwatt.domain.metering.readings import as_sent, effective_positions
from commonwatt.domain.metering.resample import Sampling, buckets, period_ends
from commonwatt.domain.reference.comparison import (
    RAW_UNITS,
    MonthComparison,
    Reason,
    SeriesComparison,
    compare_series,
)
from commonwatt.domain.reference.reference import NO_VALUE, ReferenceQuarters

TOTALS_SOURCE = "mirror totals of "
"""How the source of a delivery begins that was made of another platform's totals; the host
follows."""
_YEAR_AND_MONTH = len("2026-03")


def compare_reference(store: Store, site: int) -> Sequence[MonthComparison]:
    """Compare a site's meters with what is kept of them, in the order of numbers and months.

    Only local months of which anything is kept, up to where what the other says is final. Ours is
    what would be answered now; what is dirty is settled for it, and not stored. Raises the errors
    of a store.
    """
    with store.snapshot() as snapshot:
        comparing = _comparing(snapshot, site)
        found = [
            each
            for start_at, end_at in _months(snapshot, comparing.catalogue)
            for group in Group
            for each in comparing.month(group, start_at, end_at)
        ]
    return sorted(found, key=lambda each: (each.meter.number, each.start_at))


def _months(snapshot: Snapshot, catalogue: SiteCatalogue) -> Iterator[tuple[int, int]]:
    """Yield the local months [start, end) that days with anything kept touch, ascending."""
    site = catalogue.site
    kept = {
        day
        for days in snapshot.reference.days_with_reference_series(site.number).values()
        for day in days
    }
    days = np.array(sorted(kept), np.int64)
    # The months of the first and the last quarter-hour of a UTC day are all that it touches.
    quarters = (days[:, None] * DAY_QUARTERS + np.array([0, DAY_QUARTERS - 1])).ravel()
    starts_at = buckets(quarters, site.timezone, Sampling.MONTH).starts_at
    ends_at = period_ends(starts_at, site.timezone, Sampling.MONTH)
    yield from zip(starts_at.tolist(), ends_at.tolist(), strict=True)


def _comparing(snapshot: Snapshot, site: int) -> "_Comparing":
    return _Comparing(
        snapshot,
        snapshot.catalogue.catalogue(site),
        copied_until=snapshot.reference.copied_until(site),
        withdrawn=snapshot.readings.withdrawn(site),
        of_totals=frozenset(
            each.number
            for each in snapshot.readings.deliveries(site)
            if each.source.startswith(TOTALS_SOURCE)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Comparing:
    """What is looked at for every month of a site: deliveries by their numbers."""

    snapshot: Snapshot
    catalogue: SiteCatalogue
    copied_until: Mapping[str, int]
    withdrawn: frozenset[int]
    of_totals: frozenset[int]

    def month(self, group: Group, start_at: int, end_at: int) -> Iterator[MonthComparison]:
        """Compare the meters of a group of which anything is kept in a month."""
        theirs = dict(self._theirs(group, start_at, end_at))
        if not theirs:
            return
        window = first_quarter_from(start_at), first_quarter_from(end_at)
        answered = read_site_series(
            self.snapshot, self.catalogue, Medium(group.value), *window, with_meters=True
        )
        assert answered is not None, "something is kept of one of its meters"
        for meter, ours in answered.meters:
            if meter.number in theirs:
                copied_at = min(end_at, self.copied_until[meter.id])
                yield MonthComparison(
                    meter=meter,
                    month=local_stamp(start_at, self.catalogue.site.timezone)[:_YEAR_AND_MONTH],
                    start_at=start_at,
                    end_at=copied_at,
                    series=compared(ours, theirs[meter.number], first_quarter_from(copied_at)),
                    reasons=frozenset(self._reasons(meter, start_at, end_at)),
                )

    def _theirs(
        self, group: Group, start_at: int, end_at: int
    ) -> Iterator[tuple[int, ReferenceQuarters]]:
        site = self.catalogue.site.number
        for meter in self.catalogue.meters_of(group):
            days = day_of(start_at), day_of(end_at - 1) + 1
            kept = self.snapshot.reference.reference(site, meter.number, *days)
            # What is kept of later is not final: it is known only once the next run has asked.
            copied_at = min(end_at, self.copied_until.get(meter.id, start_at))
            quarters = kept.between(start_at, max(start_at, copied_at))
            if len(quarters.starts_at):
                yield meter.number, quarters

    def _reasons(self, meter: Meter, start_at: int, end_at: int) -> Iterator[Reason]:
        if meter.is_rule_meter:
            return
        brought_by = self._brought_by(meter, start_at, end_at)
        if not brought_by:
            yield Reason.NO_READINGS
        if meter.interval_s is not None and brought_by & self.of_totals:
            yield Reason.FROM_TOTALS

    def _brought_by(self, meter: Meter, start_at: int, end_at: int) -> set[int]:
        """The deliveries of the readings within a month that count, edits apart."""
        # The value of an interval belongs to the time before its stamp.
        before_s = meter.interval_s or 0
        days = day_of(start_at), day_of(end_at + before_s) + 1
        site, number = self.catalogue.site.number, meter.number
        stored = self.snapshot.readings.readings(site, [number], *days).get(number)
        found: set[int] = set()
        if stored is None:
            return found
        sent = as_sent(stored)
        within = (sent.stamps - before_s >= start_at) & (sent.stamps - before_s < end_at)
        for register in REGISTERS_OF[meter.medium]:
            if register in sent.values:
                positions = effective_positions(sent, register, self.withdrawn)
                found |= set(sent.deliveries[positions[within[positions]]].tolist())
        return found


def compared(
    ours: MeterSeries, theirs: ReferenceQuarters, end_quarter: int
) -> dict[str, SeriesComparison]:
    """Compare the series of a meter from the first of our quarter-hours up to an end."""
    columns = dict(_columns(ours))
    found = {}
    for name, said in theirs.laid_out(ours.first_quarter, end_quarter).items():
        column, qualities = columns[name]
        answered = column[: len(said)]
        if name == "total" or (answered != NO_VALUE).any() or (said != NO_VALUE).any():
            found[name] = compare_series(answered, said, qualities[: len(said)])
    return found


def _columns(ours: MeterSeries) -> Iterator[tuple[str, tuple[NDArray[np.int64], Qualities]]]:
    """Ours [mWh, ml] by name, NO_VALUE where nothing is answered, with their qualities."""
    answered, shared = ours.answered, ours.shared
    yield "total", (_raw(ours.total, answered), ours.quality_total)
    own, ext, quality = ours.self_energy, ours.ext, ours.quality_self
    if own is None or ext is None or shared is None or quality is None:
        own = ext = ours.total
        shared, quality = np.zeros(len(answered), np.bool_), ours.quality_total
    yield "self", (_raw(own, answered & shared), quality)
    yield "ext", (_raw(ext, answered & shared), quality)


def _raw(energy: Energy, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(known, energy * RAW_UNITS, NO_VALUE)
