"""The readings of a site that were known at an instant of the past."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

import numpy as np

from commonwatt.app.ports import Known, ReadingTables, RegisterSpan
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.plausible_days import DaysOfMeter, with_plausible_days
from commonwatt.domain.metering.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import StoredReadings


class ReadingsAsOf:
    """The readings that were known at an instant, and what had ever been said of registers."""

    def __init__(
        self, tables: ReadingTables, catalogue: SiteCatalogue, known: Known, at_us: int
    ) -> None:
        self._ahead_from = at_us // 1_000_000 + AHEAD_S
        self._tables = tables
        self._meters = {meter.number: meter for meter in catalogue.meters}
        self._known = known

    def __getattr__(self, name: str) -> Any:
        """Days with readings are asked of the tables themselves: more of them do no harm."""
        return getattr(self._tables, name)

    def withdrawn(self, _site: int) -> frozenset[int]:
        """The deliveries that were withdrawn."""
        return self._known.withdrawn

    def readings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> dict[int, StoredReadings]:
        """All that had been said of the meters on the days [first, end)."""
        stored = self._tables.readings(site, meters, first_day, end_day)
        return {meter: self._known_of(said) for meter, said in stored.items()}

    def _known_of(self, said: StoredReadings) -> StoredReadings:
        known = said.deliveries < self._known.later_from
        if self._known.stragglers:
            known |= np.isin(said.deliveries, list(self._known.stragglers))
        said = said if known.all() else said.take(np.flatnonzero(known))
        ahead = said.stamps > self._ahead_from
        # What was ahead then may count by now.
        return replace(said, ahead=said.ahead | ahead) if ahead.any() else said

    def register_spans(
        self, site: int, meters: Collection[int]
    ) -> dict[int, dict[str, RegisterSpan]]:
        """Spans that may be too wide and never too narrow; the first index above 0 is exact."""
        spans = self._tables.register_spans(site, meters)
        return {
            number: self._spans_then(site, self._meters[number], of_meter)
            for number, of_meter in spans.items()
            if number in self._meters
        }

    def _spans_then(
        self, site: int, meter: Meter, spans: dict[str, RegisterSpan]
    ) -> dict[str, RegisterSpan]:
        last_day = self._known.last_day
        if last_day is None:
            return {}
        bounded = {
            name: replace(span, last_day=max(span.first_day, min(span.last_day, last_day)))
            for name, span in spans.items()
        }
        days = DaysOfMeter(cast(ReadingTables, self), site, meter, self._known.withdrawn)
        bounded = with_plausible_days(bounded, days.believed_afresh(bounded))
        return {
            name: span
            if self._is_first_positive_still(span)
            else replace(
                span, first_positive_at=self._first_positive_at(site, meter, bounded, name)
            )
            for name, span in bounded.items()
        }

    def _is_first_positive_still(self, span: RegisterSpan) -> bool:
        """Whether nothing up to the first index above 0 was said or changed since."""
        later_first_day = self._known.later_first_day
        if self._known.turned or span.first_positive_at is None:
            return False
        return later_first_day is None or later_first_day * DAY_S > span.first_positive_at

    def _first_positive_at(
        self, site: int, meter: Meter, spans: dict[str, RegisterSpan], name: str
    ) -> int | None:
        tables = cast(ReadingTables, self)
        history = MeterHistory(tables, site, meter, spans, None, 0, 0)
        return history.first_positive_at(Register(name), None, self._known.withdrawn)
