"""The readings of a meter around some instants, loaded no further than their verdicts need."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import ReadingTables, RegisterSpan
from commonwatt.app.settling.plausible_days import first_used_day, implausible_before
from commonwatt.domain.energy.interval_energy import judge_intervals
from commonwatt.domain.energy.physical_meter import Judged, JudgedMeter
from commonwatt.domain.energy.register_gaps import reference_reach, register_gaps
from commonwatt.domain.energy.substitute_values import substitutes_reach
from commonwatt.domain.metering.catalogue import Meter, Register, RegisterKind, SiteCatalogue
from commonwatt.domain.metering.edits import cleared_readings
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.metering.readings import (
    RegisterReadings,
    StoredReadings,
    any_serial,
    effective_readings,
)
from commonwatt.domain.plausibility.duplicates import duplicate_readings
from commonwatt.domain.plausibility.steps.catch_up import SIGHT as SPAN_SIGHT
from commonwatt.domain.vee.declared_segments import installed_index, later_devices
from commonwatt.domain.vee.history import (
    RegisterHistory,
    declared_faulty,
    first_positive,
    held_back,
    usable,
)
from commonwatt.domain.vee.interval_totals import IntervalTotals, interval_totals
from commonwatt.domain.vee.pipeline import judge_index_register

_FIRST_STEP_DAYS = 32
_BESIDE = SPAN_SIGHT + 2
"""Accepted readings on each side that bound the spans by which a span is judged."""


class MeterHistory:
    """What was said of one meter on the days [first_day, end_day), widened on demand.

    ``spans`` tell what was ever said of each register.
    """

    def __init__(
        self,
        tables: ReadingTables,
        site: int,
        meter: Meter,
        spans: Mapping[str, RegisterSpan],
        stored: StoredReadings | None,
        first_day: int,
        end_day: int,
    ) -> None:
        self._tables = tables
        self._site = site
        self.meter = meter
        self.spans = spans
        self._stored = stored
        self._first_day = first_day
        self._end_day = end_day
        self._step_days = _FIRST_STEP_DAYS

    @property
    def _used_from(self) -> int:
        """The instant [Unix seconds] before which stamps of the meter are implausible; 0: none."""
        return (implausible_before(self.meter, self.spans) or 0) * DAY_S

    def with_spans(self, spans: Mapping[str, RegisterSpan]) -> "MeterHistory":
        """The same readings in sight with other ``spans``."""
        days = self._first_day, self._end_day
        return MeterHistory(self._tables, self._site, self.meter, spans, self._stored, *days)

    def judge_around(
        self,
        start_at: int,
        end_at: int,
        count: int,
        withdrawn: frozenset[int],
        added: StoredReadings | None = None,
        spans: Mapping[str, RegisterSpan] | None = None,
    ) -> Mapping[Register, Judged]:
        """Judge so that ``count`` accepted readings before and after [start, end] are sure.

        As if ``added`` were stored already, with the ``spans`` that leaves.
        """
        while True:
            judged = self.judge(self.joined_with(added), spans or self.spans, withdrawn, added)
            before = all(each.enough_before(start_at, count) for each in judged.values())
            after = all(each.enough_after(end_at, count) for each in judged.values())
            if before and after:
                return judged
            if not before:
                self._widen_before()
            if not after:
                self._widen_after()

    def judge(
        self,
        stored: StoredReadings | None,
        spans: Mapping[str, RegisterSpan],
        withdrawn: frozenset[int],
        added: StoredReadings | None = None,
    ) -> Mapping[Register, Judged]:
        """Judge readings of the days in sight, ``added`` among them that are not stored yet."""
        judge = judge_index_register if self.meter.interval_s is None else judge_intervals
        return {
            Register(name): judge(
                self._register_history(Register(name), span, stored, withdrawn, added), self.meter
            )
            for name, span in spans.items()
        }

    def _register_history(
        self,
        register: Register,
        span: RegisterSpan,
        stored: StoredReadings | None,
        withdrawn: frozenset[int],
        added: StoredReadings | None,
    ) -> RegisterHistory:
        readings = effective_readings(stored, register, withdrawn)
        interval_s = self.meter.interval_s
        return RegisterHistory(
            meter=self.meter.number,
            register=register.value,
            readings=readings,
            from_start=self._first_day <= first_used_day(self.meter, span),
            to_end=self._end_day > span.last_day,
            first_positive_at=span.first_positive_at,
            implausible_before=implausible_before(self.meter, {register.value: span}),
            first_positive_of=self._first_positives(register, readings, added, withdrawn)
            if self.meter.devices
            else {},
            totals=IntervalTotals()
            if interval_s is None
            else interval_totals(stored, register, readings, withdrawn, interval_s),
        )

    def _first_positives(
        self,
        register: Register,
        readings: RegisterReadings,
        added: StoredReadings | None,
        withdrawn: frozenset[int],
    ) -> dict[int, int | None]:
        """The first index above 0 after each exchange that a 0 in sight follows.

        One at its very instant may be the old device's.
        """
        found: dict[int, int | None] = {}
        zeros_at = readings.stamps[readings.values == 0]
        for from_at in later_devices(self.meter, register):
            of_device = zeros_at[zeros_at >= from_at]
            if not len(of_device):
                continue
            since = readings.take(
                np.flatnonzero(readings.stamps > max(from_at, self._used_from - 1))
            )
            first_at = first_positive(since, self.meter, register)
            in_sight = self._first_day <= day_of(from_at)
            if not in_sight and (first_at is None or first_at >= of_device[0]):
                first_at = self.first_positive_since(from_at + 1, register, added, withdrawn)
            found[from_at] = first_at
        return found

    def meets(self, more: StoredReadings) -> bool:
        """Whether something is said already of an instant of other readings."""
        if self._stored is None or int(more.stamps.min()) > int(self._stored.stamps.max()):
            return False
        return bool(np.isin(more.stamps, self._stored.stamps).any())

    def may_begin_anew(self, added: StoredReadings) -> bool:
        """Whether a register may be cut in sight: what adds a reading may join or part others."""
        if self.meter.devices or self.meter.resolutions:
            return True
        if self.meter.register_kind is RegisterKind.RESETS:
            return True
        parts = [part for part in (self._stored, added) if part is not None]
        return any(any_serial(part.serials) for part in parts)

    def counts_between(
        self, register: Register, from_at: int, until_at: int, withdrawn: frozenset[int]
    ) -> bool:
        """Whether an index above 0 of [from, until) is in sight, for certain."""
        readings = effective_readings(self._stored, register, withdrawn)
        from_at = max(from_at, self._used_from)
        mask = (readings.stamps >= from_at) & (readings.stamps < until_at)
        found = first_positive(readings.take(np.flatnonzero(mask)), self.meter, register)
        return found is not None

    def conflicts(self, withdrawn: frozenset[int]) -> tuple[Finding, ...]:
        """What the readings in sight say differently of one instant, and what was cleared."""
        said = self.meter, self._stored, withdrawn
        return (*duplicate_readings(*said), *cleared_readings(*said))

    def ordinary(self) -> dict[Register, int | None]:
        """What each register's days reach [thousandths of a raw unit per second], if known."""
        return {
            Register(name): None if span.highest is None else span.highest.ordinary
            for name, span in self.spans.items()
        }

    def says_otherwise(self, readings: StoredReadings) -> NDArray[np.bool_]:
        """Mark the readings at whose instant something usable is stored."""
        if self._stored is None:
            return np.zeros(len(readings.stamps), np.bool_)
        return np.isin(readings.stamps, self._stored.stamps[usable(self._stored)])

    def joined_with(self, more: StoredReadings | None) -> StoredReadings | None:
        """All readings in sight and more of the same days."""
        parts = [part for part in (self._stored, more) if part is not None]
        return StoredReadings.joined(parts) if parts else None

    def first_positive_at(
        self, register: Register, added: StoredReadings | None, withdrawn: frozenset[int]
    ) -> int | None:
        """Look through the whole history, readings about to be added included.

        An index above 0 that is inserted at the installation is one.
        """
        if self._inserts_positive(register, added, withdrawn):
            return self.meter.installed_at
        first_day = min((span.first_day for span in self.spans.values()), default=0)
        return self.first_positive_since(first_day * DAY_S, register, added, withdrawn)

    def first_positive_since(
        self,
        from_at: int,
        register: Register,
        added: StoredReadings | None,
        withdrawn: frozenset[int],
    ) -> int | None:
        """Look through the history from an instant on, readings about to be added included."""
        from_at = max(from_at, self._used_from)
        number, day = self.meter.number, day_of(from_at)
        while days := self._tables.days_after(self._site, number, day, _FIRST_STEP_DAYS):
            stored = self._tables.readings(self._site, [number], day, days[-1] + 1)[number]
            parts = [stored] if added is None else [stored, added]
            effective = effective_readings(StoredReadings.joined(parts), register, withdrawn)
            # Elsewhere what is added may not count: versions of other days are not in sight.
            start_at = max(from_at, day * DAY_S)
            mask = (effective.stamps >= start_at) & (effective.stamps < (days[-1] + 1) * DAY_S)
            found_at = first_positive(effective.take(np.flatnonzero(mask)), self.meter, register)
            if found_at is not None:
                return found_at
            day = days[-1] + 1
        effective = effective_readings(added, register, withdrawn)
        mask = effective.stamps >= max(from_at, day * DAY_S)
        return first_positive(effective.take(np.flatnonzero(mask)), self.meter, register)

    def _inserts_positive(
        self, register: Register, added: StoredReadings | None, withdrawn: frozenset[int]
    ) -> bool:
        """Whether an index above 0 is inserted at the installation: no reading stands there."""
        at = self.meter.installed_at
        if at is None or not installed_index(self.meter, register):
            return False
        number, day = self.meter.number, day_of(at)
        stored = self._tables.readings(self._site, [number], day, day + 1).get(number)
        parts = [part for part in (stored, added) if part is not None]
        if not parts:
            return True
        effective = effective_readings(StoredReadings.joined(parts), register, withdrawn)
        standing = (effective.stamps == at) & ~effective.ahead
        standing &= ~declared_faulty(effective.stamps, self.meter, register)
        standing &= ~held_back(effective.stamps, self.meter)
        return at < OLDEST_STAMP_AT or not bool(standing.any())

    def _widen_before(self) -> None:
        days = self._tables.days_before(
            self._site, self.meter.number, self._first_day, self._step_days
        )
        first_day = days[-1] if days else min(span.first_day for span in self.spans.values())
        self._load(min(first_day, self._first_day), self._first_day, before=True)
        self._first_day = min(first_day, self._first_day)
        self._step_days *= 2

    def _widen_after(self) -> None:
        days = self._tables.days_after(
            self._site, self.meter.number, self._end_day, self._step_days
        )
        last_day = days[-1] if days else max(span.last_day for span in self.spans.values())
        self._load(self._end_day, max(last_day + 1, self._end_day), before=False)
        self._end_day = max(last_day + 1, self._end_day)
        self._step_days *= 2

    def _load(self, first_day: int, end_day: int, before: bool) -> None:
        number = self.meter.number
        more = self._tables.readings(self._site, [number], first_day, end_day).get(number)
        if more is not None and self._stored is not None:
            parts = [more, self._stored] if before else [self._stored, more]
            self._stored = StoredReadings.joined(parts)
        elif more is not None:
            self._stored = more


def meter_histories(
    tables: ReadingTables,
    catalogue: SiteCatalogue,
    meters: Iterable[Meter],
    first_day: int,
    end_day: int,
) -> list[MeterHistory]:
    """Return the histories of the meters of which anything was said, [first, end) in sight."""
    site = catalogue.site.number
    by_number = {meter.number: meter for meter in meters}
    spans = tables.register_spans(site, by_number)
    stored = tables.readings(site, spans, first_day, end_day)
    return [
        MeterHistory(
            tables, site, by_number[number], spans[number], stored.get(number), first_day, end_day
        )
        for number in spans
    ]


def judge_meters(
    tables: ReadingTables,
    catalogue: SiteCatalogue,
    meters: Iterable[Meter],
    first_day: int,
    end_day: int,
) -> list[JudgedMeter]:
    """Judge the readings of meters so that the days [first, end) can be settled.

    A day before and after are in sight from the start: they hold the neighbours of most readings.
    Meters of which nothing was said and that are declared as installed are among them, without
    readings.
    """
    withdrawn = tables.withdrawn(catalogue.site.number)
    physical = [meter for meter in meters if not _always_rule(meter)]
    histories = meter_histories(tables, catalogue, physical, first_day - 1, end_day + 1)
    judged = {
        history.meter.number: _judged_with_reference_days(history, first_day, end_day, withdrawn)
        for history in histories
    }
    if any(facts.proxy_days for facts in catalogue.facts):
        _widen_to_proxies(histories, judged, first_day * DAY_S, end_day * DAY_S, withdrawn)
    ordinary = {history.meter.number: history.ordinary() for history in histories}
    conflicts = {history.meter.number: history.conflicts(withdrawn) for history in histories}
    return [
        JudgedMeter(
            meter,
            judged.get(meter.number, {}),
            conflicts.get(meter.number, ()),
            ordinary.get(meter.number, {}),
        )
        for meter in physical
    ]


def _judged_with_reference_days(
    history: MeterHistory, first_day: int, end_day: int, withdrawn: frozenset[int]
) -> Mapping[Register, Judged]:
    """Judge the days [first, end), and what the gaps that meet them are estimated from."""
    start_at, end_at = first_day * DAY_S, end_day * DAY_S
    judged = history.judge_around(start_at, end_at, _BESIDE, withdrawn)
    gaps = register_gaps(history.meter.medium, judged, start_at, end_at)
    if not gaps:
        return judged
    return history.judge_around(*reference_reach(gaps, start_at, end_at), 1, withdrawn)


def _widen_to_proxies(
    histories: Iterable[MeterHistory],
    judged: dict[int, Mapping[Register, Judged]],
    start_at: int,
    end_at: int,
    withdrawn: frozenset[int],
) -> None:
    """Judge what proxies in [start, end) are taken from as well, where a meter needs some."""
    stamps = [
        int(register.accepted_stamps[-1])
        for of_meter in judged.values()
        for register in of_meter.values()
        if len(register.accepted_stamps)
    ]
    newest_at = max(stamps, default=start_at)
    for history in histories:
        registers = judged[history.meter.number]
        reach = substitutes_reach(registers, start_at, end_at, newest_at)
        if reach < start_at:
            gaps = register_gaps(history.meter.medium, registers, start_at, end_at)
            first_at, last_at = reference_reach(gaps, reach, end_at)
            judged[history.meter.number] = history.judge_around(first_at, last_at, 1, withdrawn)


def _always_rule(meter: Meter) -> bool:
    return all(facts.rule is not None for facts in meter.facts)
