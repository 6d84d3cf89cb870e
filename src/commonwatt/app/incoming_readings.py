"""Storing readings and marking what they touch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.mark_changes import mark_days, touched_days
from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.ports import Change, RegisterSpan
from commonwatt.app.stored_versions import Versions, compare_with_stored
from commonwatt.domain.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.quarter_hours import DAY_S, day_runs
from commonwatt.domain.readings import NO_VALUE, StoredReadings, counting_readings
from commonwatt.domain.vee.history import first_positive, usable
from commonwatt.domain.vee.stretches import installed_index


class IncomingReadings:
    """The readings of one delivery beside what is stored around them, meter by meter.

    ``meters`` are the numbers of their meters, ``number`` that of the delivery, recorded at
    ``now_us`` [Unix microseconds].
    """

    def __init__(
        self,
        change: Change,
        catalogue: SiteCatalogue,
        meters: NDArray[np.int64],
        readings: StoredReadings,
        number: int,
        now_us: int,
    ) -> None:
        self._change = change
        self._catalogue = catalogue
        self._site = catalogue.site.number
        self._number = number
        self._recorded_day = now_us // 1_000_000 // DAY_S
        order = np.argsort(meters, kind="stable")
        self._numbers = meters[order]
        self._readings = readings.at(order)
        self._days = self._readings.stamps // DAY_S
        self._withdrawn = change.readings.withdrawn(self._site)
        named = np.unique(meters).tolist()
        self._meters = {m.number: m for m in catalogue.meters if m.number in named}
        self._spans = change.readings.register_spans(self._site, named)
        self._stored: dict[tuple[int, int], dict[int, StoredReadings]] = {}
        # A day around each, for the neighbours; days far apart are loaded apart.
        around = {day + beside for day in np.unique(self._days).tolist() for beside in (-1, 0, 1)}
        self._runs = list(day_runs(around, longest=len(around)))
        for first, end in self._runs:
            self._stored[first, end] = change.readings.readings(self._site, named, first, end)

    def compare(self) -> Versions:
        """Tell which rows say something new."""
        stored = [
            (meter, readings)
            for of_run in self._stored.values()
            for meter, readings in of_run.items()
        ]
        return compare_with_stored(self._numbers, self._readings, stored, self._withdrawn)

    def as_said(self, superseding: int) -> Versions:
        """All rows, whatever is stored; so many of them now count instead of earlier values."""
        return Versions(np.arange(len(self._numbers)), self._readings, superseding)

    def store(self, versions: Versions) -> tuple[int, int]:
        """Store what is new, mark what it touches, and return its UTC days [first, end)."""
        said = versions.said
        numbers, readings = self._numbers[said], versions.readings
        days = self._days[said]
        order = np.lexsort((days, numbers))
        numbers, days, readings = numbers[order], days[order], readings.at(order)
        edges = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(days) != 0)) + 1
        starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(days)]
        parts = [
            (int(numbers[start]), int(days[start]), readings.at(np.arange(start, end)))
            for start, end in zip(starts, ends, strict=True)
        ]
        self._mark(parts)
        self._change.readings.add_readings(self._site, self._number, parts)
        return int(days.min()), int(days.max()) + 1

    def _mark(self, parts: Sequence[tuple[int, int, StoredReadings]]) -> None:
        """Mark what the parts touch and widen the spans of their registers."""
        of_meter: dict[int, list[tuple[int, StoredReadings]]] = {}
        for named, day, readings in parts:
            of_meter.setdefault(named, []).append((day, readings))
        touched: dict[int, list[tuple[int, int]]] = {}
        changed: dict[tuple[int, str], RegisterSpan] = {}
        for number, days in of_meter.items():
            meter = self._meters[number]
            before = self._spans.get(number, {})
            for first, end in self._runs:
                here = [readings for day, readings in days if first <= day < end]
                if not here:
                    continue
                added = StoredReadings.joined(here)
                stored = self._stored[first, end].get(number)
                history = MeterHistory(
                    self._change.readings, self._site, meter, before, stored, first, end
                )
                spans = _widened(before, added, meter, history, self._withdrawn, self._recorded_day)
                touched.setdefault(number, []).append(
                    touched_days(history, added, added, spans, self._withdrawn, self._withdrawn)
                )
                before = spans
            known = self._spans.get(number, {})
            changed |= {
                (number, name): span for name, span in before.items() if known.get(name) != span
            }
        self._change.readings.put_register_spans(self._site, changed)
        mark_days(self._change, self._catalogue, touched, self._number)


def _widened(
    spans: dict[str, RegisterSpan],
    added: StoredReadings,
    meter: Meter,
    history: MeterHistory,
    withdrawn: frozenset[int],
    recorded_day: int,
) -> dict[str, RegisterSpan]:
    """Return the spans of a meter's registers as added readings leave them.

    Stamps that can never be used widen nothing; where nothing else was said, the day of the
    delivery stands for them.
    """
    widened = dict(spans)
    days = added.stamps // DAY_S
    for register, values in added.values.items():
        here = values != NO_VALUE
        if not here.any():
            continue
        on = days[here & usable(added)]
        first, last = (int(on.min()), int(on.max())) if len(on) else (recorded_day, recorded_day)
        span = spans.get(register.value, RegisterSpan(first, last, None))
        if not len(on):
            widened[register.value] = span
            continue
        widened[register.value] = RegisterSpan(
            min(span.first_day, first),
            max(span.last_day, last),
            _first_positive(span.first_positive_at, added, register, meter, history, withdrawn),
        )
    return widened


def _first_positive(
    known_at: int | None,
    added: StoredReadings,
    register: Register,
    meter: Meter,
    history: MeterHistory,
    withdrawn: frozenset[int],
) -> int | None:
    """Return the first positive index that counts once the readings are added."""
    if installed_index(meter, register) and (
        known_at is None or bool((added.stamps == meter.installed_at).any())
    ):
        return history.first_positive_at(register, added, withdrawn)
    if known_at is not None and int(added.stamps.min()) > known_at:
        return known_at
    counting = counting_readings(history.joined_with(added), register, withdrawn)
    touched = np.isin(counting.stamps, added.stamps)
    positive_at = first_positive(counting.at(np.flatnonzero(touched)), meter, register)
    if known_at is None or (positive_at is not None and positive_at <= known_at):
        return positive_at
    if bool((added.stamps == known_at).any()):
        # What was the first positive index was corrected: the next one is somewhere later.
        return history.first_positive_at(register, added, withdrawn)
    return known_at
