"""Which days of a meter are plausible, kept up to date as readings come and go."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from commonwatt.app.ports import ReadingTables, RegisterSpan
from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.quarter_hours import day_of
from commonwatt.domain.vee.plausible_days import FAR_DAYS, PlausibleDays, telling_days

_STEP_DAYS = 32


class DaysOfMeter:
    """The days on which something was said that can be of a meter.

    ``added``, ascending, are not stored yet.
    """

    def __init__(
        self,
        tables: ReadingTables,
        site: int,
        meter: Meter,
        withdrawn: frozenset[int],
        added: Sequence[int] = (),
    ) -> None:
        self._tables = tables
        self._site = site
        self._meter = meter
        self._withdrawn = withdrawn
        self._added = added

    def plausible(self, spans: Mapping[str, RegisterSpan]) -> PlausibleDays | None:
        """Return which days are plausible once the added ones count, by the ``spans`` from before.

        None: nothing was said that can be of the meter.
        """
        known = plausible_days_of(spans)
        return self.believed_afresh(spans) if known is None else self._with_added(known)

    def believed_afresh(self, spans: Mapping[str, RegisterSpan]) -> PlausibleDays | None:
        """Look through all that is stored, whatever was known."""
        newest = self._newest(max((span.last_day for span in spans.values()), default=-1))
        return None if newest is None else PlausibleDays(self._first_of(newest), newest)

    def _with_added(self, known: PlausibleDays) -> PlausibleDays:
        if not self._added:
            return known
        newest = max(known.last_day, self._added[-1])
        first = newest
        for day in (*reversed([d for d in self._added if d > known.last_day]), known.last_day):
            if first - day > FAR_DAYS:
                return PlausibleDays(first, newest)
            first = day
        # What is stored before the known first day is too far from it; from an added one maybe not.
        earlier = self._added[0] < known.first_day
        return PlausibleDays(
            self._first_of(known.first_day) if earlier else known.first_day, newest
        )

    def _newest(self, last_day: int) -> int | None:
        newest = self._added[-1] if self._added else None
        before = last_day + 1
        while days := self._tables.days_before(self._site, self._meter.number, before, _STEP_DAYS):
            for day in days:
                if newest is not None and day <= newest:
                    return newest
                if self._tells(day):
                    return day
            before = days[-1]
        return newest

    def _first_of(self, day: int) -> int:
        """Go back from a day as long as another is near, to the farthest of these each time."""
        while True:
            position = bisect_left(self._added, day - FAR_DAYS)
            earliest = self._added[position] if position < len(self._added) else day
            earliest = self._earliest_stored(day - FAR_DAYS, min(earliest, day))
            if earliest == day:
                return day
            day = earliest

    def _earliest_stored(self, from_day: int, else_day: int) -> int:
        """Return the first stored day of [from, else) that tells, else the other one."""
        day = from_day
        while days := self._tables.days_after(self._site, self._meter.number, day, 1):
            if days[0] >= else_day:
                break
            if self._tells(days[0]):
                return days[0]
            day = days[0] + 1
        return else_day

    def _tells(self, day: int) -> bool:
        number = self._meter.number
        stored = self._tables.readings(self._site, [number], day, day + 1).get(number)
        return stored is not None and bool(telling_days(self._meter, stored, self._withdrawn))


def plausible_days_of(spans: Mapping[str, RegisterSpan]) -> PlausibleDays | None:
    """Return the plausible days of the meter whose registers' spans these are, None: not known."""
    return next((span.plausible for span in spans.values() if span.plausible), None)


def with_plausible_days(
    spans: Mapping[str, RegisterSpan], plausible: PlausibleDays | None
) -> dict[str, RegisterSpan]:
    """Return the spans of a meter with its plausible days."""
    return {
        name: span if span.plausible == plausible else replace(span, plausible=plausible)
        for name, span in spans.items()
    }


def first_used_day(meter: Meter, span: RegisterSpan) -> int:
    """Return the first UTC day of which a reading of a register can be used, as far as is known."""
    plausible = span.plausible
    if meter.installed_at is not None:
        first_day = max(span.first_day, day_of(meter.installed_at))
    else:
        first_day = (
            span.first_day if plausible is None else max(span.first_day, plausible.first_day)
        )
    return min(first_day, span.last_day)


def implausible_before(meter: Meter, spans: Mapping[str, RegisterSpan]) -> int | None:
    """Return the UTC day before which the stamps of a meter are implausible, None: none are.

    Whoever declares the installation says that the meter's stamps since then are right.
    """
    if meter.installed_at is not None:
        return None
    plausible = plausible_days_of(spans)
    return None if plausible is None else plausible.first_day
