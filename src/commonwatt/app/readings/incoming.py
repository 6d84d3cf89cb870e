"""Storing readings and marking what they touch."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import Change, RegisterSpan
from commonwatt.app.readings.going_on import days_of_going_on, spans_of_going_on
from commonwatt.app.readings.hold_back import Beside, certainly_as_before, may_change
from commonwatt.app.readings.in_sight import ReadingsInSight
from commonwatt.app.readings.versions import Versions, WhyNot, compare_with_stored
from commonwatt.app.settling.highest_days import PowersOfMeter, judged_otherwise
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.marks import EVERYTHING, doubted_otherwise, mark_days, touched_days
from commonwatt.app.settling.plausible_days import DaysOfMeter, first_used_day, with_plausible_days
from commonwatt.domain.metering.catalogue import Meter, Register, SiteCatalogue
from commonwatt.domain.metering.quarter_hours import DAY_S, day_spans
from commonwatt.domain.metering.readings import NO_VALUE, StoredReadings, effective_readings
from commonwatt.domain.vee.declared_segments import installed_index
from commonwatt.domain.vee.history import first_positive, usable
from commonwatt.domain.vee.plausible_days import PlausibleDays, can_tell, telling_days

_RUNS_FOLLOWED, _RUNS_OF_A_METER = 512, 4
"""Runs of days of a delivery, and of a meter whatever the delivery, of which it is looked up how
far they reach. Where a meter has more all days are marked: looking takes the time of other
writers."""


Parts = list[tuple[int, StoredReadings]]
"""What is said of one meter by UTC day, ascending."""


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
        self._now_us = now_us
        self._recorded_day = now_us // 1_000_000 // DAY_S
        order = np.argsort(meters, kind="stable")
        self._order = order
        self._numbers = meters[order]
        self._readings = readings.take(order)
        self._days = self._readings.stamps // DAY_S
        self._withdrawn = change.readings.withdrawn(self._site)
        named = np.unique(meters).tolist()
        self._meters = {m.number: m for m in catalogue.meters if m.number in named}
        self._spans = change.readings.register_spans(self._site, named)
        self._stored: dict[tuple[int, int], dict[int, StoredReadings]] = {}
        self.may_be_held: list[int] = []
        # A day around each, for the neighbours; days far apart are loaded apart.
        around = {day + beside for day in np.unique(self._days).tolist() for beside in (-1, 0, 1)}
        self._runs = list(day_spans(around, longest=len(around)))
        for first, end in self._runs:
            self._stored[first, end] = change.readings.readings(self._site, named, first, end)

    def compare(self) -> Versions:
        """Tell which rows say something new, in the order of their meters."""
        said = self._numbers, self._readings, self._stored_of_meters(), self._withdrawn
        return compare_with_stored(*said, self._now_us)

    def _stored_of_meters(self) -> list[tuple[int, StoredReadings]]:
        return [
            (meter, readings)
            for of_run in self._stored.values()
            for meter, readings in of_run.items()
        ]

    def in_order_given(self, of_rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what is known of each row, in the order of their meters, as rows were given."""
        given = np.empty_like(of_rows)
        given[self._order] = of_rows
        return given

    def as_said(self, superseding: int) -> Versions:
        """All rows, whatever is stored; so many of them now count instead of earlier values."""
        why_not = np.full(len(self._numbers), WhyNot.IT_COUNTS, np.uint8)
        return Versions(np.arange(len(self._numbers)), self._readings, superseding, why_not)

    def store(self, versions: Versions) -> tuple[int, int]:
        """Store what is new, mark what it touches, and return its UTC days [first, end)."""
        parts = self._parts(versions)
        self._mark(parts)
        self._change.readings.add_readings(self._site, self._number, parts)
        days = [day for _, day, _ in parts]
        return min(days), max(days) + 1

    def mark_as_said(self) -> None:
        """Mark what all rows touch, without storing them."""
        self._mark(self._parts(self.as_said(0)))

    def _parts(self, versions: Versions) -> list[tuple[int, int, StoredReadings]]:
        """What is new, by meter and UTC day."""
        said = versions.said
        numbers, readings = self._numbers[said], versions.readings
        days = self._days[said]
        order = np.lexsort((days, numbers))
        numbers, days, readings = numbers[order], days[order], readings.take(order)
        edges = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(days) != 0)) + 1
        starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(days)]
        return [
            (int(numbers[start]), int(days[start]), readings.take(np.arange(start, end)))
            for start, end in zip(starts, ends, strict=True)
        ]

    def _plausible(
        self, meter: Meter, spans: Mapping[str, RegisterSpan], telling: Sequence[int]
    ) -> PlausibleDays | None:
        """Which days of a meter are plausible once the parts of a delivery are stored."""
        readings = self._change.readings
        return DaysOfMeter(readings, self._site, meter, self._withdrawn, telling).plausible(spans)

    def _may_be_held(
        self,
        besides: Mapping[int, Sequence[Beside]],
        of_one_run: Sequence[Beside],
        in_sight: ReadingsInSight,
    ) -> list[int]:
        """The meters of which other readings may have to be held back once all is stored."""
        as_before = certainly_as_before(self._catalogue, of_one_run, in_sight, self._withdrawn)
        return [
            number
            for number, runs in besides.items()
            if number not in as_before
            and any(may_change(self._catalogue, each, self._withdrawn) for each in runs)
        ]

    def _beside(self, number: int, days: Parts) -> Iterator[Beside]:
        """What is added of a meter beside what is stored around it, for each run of days."""
        added_days = days[0][0], days[-1][0]
        for (first, end), of_run in self._of_runs(days).items():
            yield Beside(
                meter=self._meters[number],
                spans=self._spans.get(number, {}),
                added_days=added_days,
                stored=self._stored[first, end].get(number),
                added=_joined(of_run),
                first_day=first,
                end_day=end,
            )

    def _mark(self, parts: Sequence[tuple[int, int, StoredReadings]]) -> None:
        """Mark what the parts touch and widen the spans of their registers."""
        of_meter: dict[int, Parts] = {}
        for named, day, readings in parts:
            of_meter.setdefault(named, []).append((day, readings))
        besides = {number: list(self._beside(number, days)) for number, days in of_meter.items()}
        # Of each meter what is beside its own rows: days of other meters' rows may lie far off.
        beside = [each for runs in besides.values() for each in runs]
        said = [(each.meter.number, each.stored) for each in beside if each.stored is not None]
        said += [(each.meter.number, each.added) for each in beside]
        in_sight = ReadingsInSight.of(said, self._meters, self._withdrawn)
        of_one_run = [runs[0] for runs in besides.values() if len(runs) == 1]
        self.may_be_held = self._may_be_held(besides, of_one_run, in_sight)
        going_on = days_of_going_on(of_one_run, in_sight)
        telling = self._telling_days([part for part in parts if part[0] not in going_on])
        touched: dict[int, list[tuple[int, int]]] = {}
        changed: dict[tuple[int, str], RegisterSpan] = {}
        for number in of_meter:
            known = self._spans.get(number, {})
            if number in going_on:
                spans = self._gone_on(besides[number][0], in_sight)
                touched[number] = [going_on[number]]
            else:
                most_runs = max(_RUNS_FOLLOWED // len(of_meter), _RUNS_OF_A_METER)
                spans, touched[number] = self._judged(
                    besides[number], telling.get(number, []), in_sight, most_runs
                )
            touched[number] += judged_otherwise(known, spans)
            changed |= {
                (number, name): span for name, span in spans.items() if known.get(name) != span
            }
        self._change.readings.put_register_spans(self._site, changed, self._number)
        mark_days(self._change, self._catalogue, touched, self._number)

    def _gone_on(self, beside: Beside, in_sight: ReadingsInSight) -> dict[str, RegisterSpan]:
        """Return the spans of a meter that simply goes on counting."""
        powers = self._powers_of(beside.meter, [beside])
        return powers.with_changed(
            beside.spans,
            spans_of_going_on(beside),
            in_sight.powers[beside.meter.number],
            beside.said_on,
        )

    def _judged(
        self,
        runs: Sequence[Beside],
        telling: Sequence[int],
        in_sight: ReadingsInSight,
        most_runs: int,
    ) -> tuple[dict[str, RegisterSpan], list[tuple[int, int]]]:
        """Return the spans of a meter and the days [first, end) that are touched, by judging it.

        Where it has more than ``most_runs`` runs of days it is not judged: all days are touched.
        """
        meter, known = runs[0].meter, runs[0].spans
        plausible = self._plausible(meter, known, telling)
        widened_spans = with_plausible_days(known, plausible)
        turned = doubted_otherwise(self._change.readings, self._site, meter, known, widened_spans)
        touched = list(turned)
        powers = self._powers_of(meter, runs)
        scattered = len(runs) > most_runs
        if scattered:
            touched += [EVERYTHING, *((each.first_day, each.end_day) for each in runs)]
        before = known
        for number, beside in enumerate(runs):
            around = beside.stored, beside.first_day, beside.end_day
            history = MeterHistory(self._change.readings, self._site, meter, before, *around)
            if number == 0:
                before = widened_spans
                if turned:
                    before = _with_first_positives(history, before, beside.added, self._withdrawn)
            then = history.with_spans(before)
            spans = _widened(plausible, beside.added, then, self._withdrawn, self._recorded_day)
            in_run = in_sight.powers[meter.number]
            spans = powers.with_changed(before, spans, in_run, beside.said_on)
            if not scattered:
                withdrawn = self._withdrawn, self._withdrawn
                touched.append(touched_days(history, beside.added, beside.added, spans, *withdrawn))
            before = spans
        return dict(before), touched

    def _powers_of(self, meter: Meter, runs: Sequence[Beside]) -> PowersOfMeter:
        added = StoredReadings.joined([each.added for each in runs])
        return PowersOfMeter(self._change.readings, self._site, meter, self._withdrawn, added)

    def _telling_days(
        self, parts: Sequence[tuple[int, int, StoredReadings]]
    ) -> dict[int, list[int]]:
        """The UTC days, ascending, on which something is added that can be of the meter."""
        if not parts:
            return {}
        starts = np.cumsum([0, *(len(readings.stamps) for _, _, readings in parts)])[:-1]
        added = StoredReadings.joined([readings for _, _, readings in parts])
        tells = np.logical_or.reduceat(can_tell(added, self._withdrawn), starts)
        found: dict[int, list[int]] = {}
        for (number, day, readings), any_tells in zip(parts, tells.tolist(), strict=True):
            meter = self._meters[number]
            if any_tells and (
                meter.removed_at is None or telling_days(meter, readings, self._withdrawn)
            ):
                found.setdefault(number, []).append(day)
        return found

    def _of_runs(self, days: Parts) -> dict[tuple[int, int], Parts]:
        """Put the days of a meter, ascending, to the runs in which they lie."""
        firsts = [first for first, _ in self._runs]
        of_runs: dict[tuple[int, int], Parts] = {}
        for day, readings in days:
            run = self._runs[bisect_right(firsts, day) - 1]
            of_runs.setdefault(run, []).append((day, readings))
        return of_runs


def _joined(parts: Parts) -> StoredReadings:
    return StoredReadings.joined([readings for _, readings in parts])


def _with_first_positives(
    history: MeterHistory,
    spans: dict[str, RegisterSpan],
    added: StoredReadings,
    withdrawn: frozenset[int],
) -> dict[str, RegisterSpan]:
    """Look again for the first index above 0 of registers, where other stamps are implausible."""
    then = history.with_spans(spans)
    return {
        name: replace(
            span, first_positive_at=then.first_positive_at(Register(name), added, withdrawn)
        )
        for name, span in spans.items()
    }


def _widened(
    plausible: PlausibleDays | None,
    added: StoredReadings,
    history: MeterHistory,
    withdrawn: frozenset[int],
    recorded_day: int,
) -> dict[str, RegisterSpan]:
    """Return the spans of a meter's registers as added readings leave them.

    Stamps that can never be used widen nothing; where nothing else was said, the day of the
    delivery stands for them.
    """
    widened = dict(history.spans)
    days = added.stamps // DAY_S
    for register, values in added.values.items():
        mask = values != NO_VALUE
        if not mask.any():
            continue
        on = days[mask & usable(added)]
        first, last = (int(on.min()), int(on.max())) if len(on) else (recorded_day, recorded_day)
        span = widened.get(register.value, RegisterSpan(first, last, None, plausible))
        if not len(on):
            widened[register.value] = span
            continue
        # What came may lie before all that was there: its first day counts before its indexes do.
        span = replace(
            span,
            first_day=min(span.first_day, first),
            last_day=max(span.last_day, last),
            plausible=plausible,
        )
        positive_at = _first_positive(span, added, register, history, withdrawn)
        if positive_at != span.first_positive_at:
            span = replace(span, first_positive_at=positive_at)
        widened[register.value] = span
    return widened


def _first_positive(
    span: RegisterSpan,
    added: StoredReadings,
    register: Register,
    history: MeterHistory,
    withdrawn: frozenset[int],
) -> int | None:
    """Return the first positive index that counts once the readings are added."""
    meter, known_at = history.meter, span.first_positive_at
    if installed_index(meter, register) and (
        known_at is None or bool((added.stamps == meter.installed_at).any())
    ):
        return history.first_positive_at(register, added, withdrawn)
    if known_at is not None and int(added.stamps.min()) > known_at:
        return known_at
    effective = effective_readings(history.joined_with(added), register, withdrawn)
    touched = np.isin(effective.stamps, added.stamps)
    touched &= effective.stamps >= first_used_day(meter, span) * DAY_S
    positive_at = first_positive(effective.take(np.flatnonzero(touched)), meter, register)
    if known_at is None or (positive_at is not None and positive_at <= known_at):
        return positive_at
    if bool((added.stamps == known_at).any()):
        # What was the first positive index was corrected: the next one is somewhere later.
        return history.first_positive_at(register, added, withdrawn)
    return known_at
