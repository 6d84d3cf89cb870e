"""The days with the highest powers of each register, kept up to date as readings come and go."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from commonwatt.app.errors import DamagedDay
from commonwatt.app.ports import Change, ReadingTables, RegisterSpan, Store
from commonwatt.app.settling.marks import mark_days
from commonwatt.domain.metering.catalogue import Meter, Register
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import StoredReadings, effective_readings
from commonwatt.domain.vee.ordinary import HighestDays, highest_powers

_STEP_DAYS = 32


class PowersOfMeter:
    """The powers of a meter's registers by day; ``added`` are readings that are not stored yet."""

    def __init__(
        self,
        tables: ReadingTables,
        site: int,
        meter: Meter,
        withdrawn: frozenset[int],
        added: StoredReadings | None = None,
    ) -> None:
        self._tables = tables
        self._site = site
        self._meter = meter
        self._withdrawn = withdrawn
        self._added = added

    def with_changed(
        self,
        before: Mapping[str, RegisterSpan],
        spans: Mapping[str, RegisterSpan],
        powers: Mapping[str, Mapping[int, int]],
        changed_on: Iterable[int],
    ) -> dict[str, RegisterSpan]:
        """Return the spans once readings changed on some UTC days.

        ``powers`` by register and day are those of readings in sight, from the day before the first
        of these to that after the last, as the change leaves them; ``before`` are the spans of
        before it. What is not known yet of a register that was read before stays so (see
        `learn_ordinary`).
        """
        # What ends on the day after may begin on one of them.
        days = sorted({day + later for day in changed_on for later in (0, 1)})
        found = dict(spans)
        for name, span in spans.items():
            known = span.highest
            if known is None and name not in before:
                known = HighestDays()
            if known is not None:
                of_register = powers.get(name, {})
                known = known.with_days({day: of_register.get(day, 0) for day in days})
                known = known or self.afresh(Register(name))
            if known != span.highest:
                found[name] = replace(span, highest=known)
        return found

    def in_sight(
        self, names: Iterable[str], readings: StoredReadings | None
    ) -> dict[str, dict[int, int]]:
        """The powers of readings by register and UTC day."""
        return {name: self._powers(Register(name), readings) for name in names}

    def _powers(self, register: Register, readings: StoredReadings | None) -> dict[int, int]:
        effective = effective_readings(readings, register, self._withdrawn)
        return highest_powers(effective, self._meter.interval_s)

    def afresh(self, register: Register) -> HighestDays:
        """Look through all days of a register."""
        found, number = HighestDays(), self._meter.number
        said = [] if self._added is None else np.unique(self._added.stamps // DAY_S).tolist()
        day = 0
        while True:
            days = self._tables.days_after(self._site, number, day, _STEP_DAYS)
            end = days[-1] + 1 if days else max([day, *(each + 1 for each in said)])
            days += [each for each in said if day <= each < end]
            if not days:
                return found
            first = min(days) - 1
            stored = self._tables.readings(self._site, [number], first, end).get(number)
            powers = self._powers(register, self._with_added(stored, first, end))
            # Never None: only what falls back has to be looked for elsewhere.
            found = found.with_days({each: powers.get(each, 0) for each in days}) or found
            day = end

    def _with_added(
        self, stored: StoredReadings | None, first_day: int, end_day: int
    ) -> StoredReadings | None:
        parts = [] if stored is None else [stored]
        if self._added is not None:
            days = self._added.stamps // DAY_S
            positions = np.flatnonzero((days >= first_day) & (days < end_day))
            parts += [self._added.take(positions)] if len(positions) else []
        return StoredReadings.joined(parts) if parts else None


def judged_otherwise(
    before: Mapping[str, RegisterSpan], after: Mapping[str, RegisterSpan]
) -> Iterable[tuple[int, int]]:
    """Yield the days [first, end) on which other steps may be unusual than before a change.

    What is above what is ordinary can only be on the days with the highest powers; a step is filed
    under its end, up to two days later.
    """
    for name, span in after.items():
        was = before[name].highest if name in before else None
        now = span.highest
        days = [*(was.telling if was else ()), *(now.telling if now else ())]
        if (was.ordinary if was else None) != (now.ordinary if now else None):
            yield from ((day, day + 3) for day in sorted(set(days)))


def learn_ordinary(store: Store, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Look through the days of registers of which it is not known; return whether all were.

    A meter at a time, so that writers wait for one at most, as long as it ``goes_on``. Meters with
    damaged readings are left out. Raises the errors of a store.
    """
    with store.snapshot() as snapshot:
        unknown = snapshot.readings.unlearned()
    for site, meter in unknown:
        if not goes_on():
            return False
        with suppress(DamagedDay), store.change(site) as change:
            _learn(change, site, meter)
    return True


def _learn(change: Change, site: int, number: int) -> None:
    catalogue = change.catalogue.catalogue(site)
    meter = next(each for each in catalogue.meters if each.number == number)
    before = change.readings.register_spans(site, [number]).get(number, {})
    powers = PowersOfMeter(change.readings, site, meter, change.readings.withdrawn(site))
    after = {
        name: replace(span, highest=span.highest or powers.afresh(Register(name)))
        for name, span in before.items()
    }
    generation = change.catalogue.next_generation(site)
    spans = {(number, name): span for name, span in after.items()}
    change.readings.put_register_spans(site, spans, generation)
    mark_days(change, catalogue, {number: list(judged_otherwise(before, after))}, generation)
