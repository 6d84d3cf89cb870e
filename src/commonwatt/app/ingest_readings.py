"""Taking readings in: each row is accepted, unchanged or rejected; the accepted are durable."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.mark_changes import mark_days, touched_days
from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.ports import Change, Delivery, RegisterSpan, Store
from commonwatt.app.stored_versions import Versions, compare_with_stored
from commonwatt.domain.catalogue import REGISTERS_OF, Meter, Register, SiteCatalogue
from commonwatt.domain.quarter_hours import DAY_S, day_runs
from commonwatt.domain.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingRows,
    Receipt,
    Rejected,
    StoredReadings,
    counting_readings,
)
from commonwatt.domain.vee.history import first_positive, usable
from commonwatt.domain.vee.life import AHEAD_S
from commonwatt.domain.vee.stretches import installed_index


def ingest_readings(
    store: Store, site: int, rows: ReadingRows, account: str, source: str, now_us: int
) -> Receipt:
    """Store the rows that can be readings, in one transaction that is durable when this returns.

    ``now_us`` [Unix microseconds] becomes the delivery's instant. Rejected are rows that name no
    physical meter of the site or a register that it has not. Raises the errors of `store_errors`.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        rows, meters = _of_known_meters(catalogue, rows)
        rejected = tuple(sorted(rows.rejected, key=lambda each: each.row))
        if not len(rows.rows):
            return Receipt(delivery=None, accepted=0, unchanged=0, superseding=0, rejected=rejected)
        number = change.catalogue.generation(site) + 1
        incoming = _Incoming(change, catalogue, rows, meters, number, now_us)
        versions = incoming.compare()
        unchanged = len(rows.rows) - versions.accepted
        if not versions.accepted:
            return Receipt(
                delivery=None, accepted=0, unchanged=unchanged, superseding=0, rejected=rejected
            )
        change.catalogue.next_generation(site)
        first_day, end_day = incoming.store(versions)
        change.readings.add_delivery(
            site,
            Delivery(
                number=number,
                recorded_us=now_us,
                account=account,
                source=source,
                accepted=versions.accepted,
                unchanged=unchanged,
                superseding=versions.superseding,
                rejected=len(rejected),
                first_day=first_day,
                last_day=end_day - 1,
            ),
        )
    return Receipt(
        delivery=number,
        accepted=versions.accepted,
        unchanged=unchanged,
        superseding=versions.superseding,
        rejected=rejected,
    )


def _of_known_meters(
    catalogue: SiteCatalogue, rows: ReadingRows
) -> tuple[ReadingRows, NDArray[np.int64]]:
    """Reject the rows of unknown and rule meters, and registers that a meter has not.

    Also return the number of each remaining row's meter.
    """
    reasons: dict[int, str] = {}
    found: list[Meter | None] = []
    for code, name in enumerate(rows.meters):
        meter = _meter_of(catalogue, name)
        found.append(meter)
        if meter is None:
            reasons[code] = f"no meter {_as_said(name)} at this site"
        elif meter.is_rule_meter:
            reasons[code] = f"meter {_as_said(name)} is computed by a rule and takes no readings"
    rejected = list(rows.rejected)
    kept = np.ones(len(rows.rows), np.bool_)
    for code, reason in reasons.items():
        _reject(rows, rows.meter_codes == code, reason, kept, rejected)
    for register, column in rows.values.items():
        lacking = [
            code
            for code, meter in enumerate(found)
            if meter is not None and register not in REGISTERS_OF[meter.medium]
        ]
        if lacking:
            wrong = kept & (column != NO_VALUE) & np.isin(rows.meter_codes, lacking)
            _reject(rows, wrong, f"this meter has no register {register}", kept, rejected)
    numbers = np.array([0 if meter is None else meter.number for meter in found], np.int64)
    if not kept.all():
        rows = _rows_at(rows, np.flatnonzero(kept))
    return replace(rows, rejected=rejected), numbers[rows.meter_codes]


def _reject(
    rows: ReadingRows,
    marked: NDArray[np.bool_],
    reason: str,
    kept: NDArray[np.bool_],
    rejected: list[Rejected],
) -> None:
    rejected.extend(Rejected(row, reason) for row in rows.rows[marked].tolist())
    kept &= ~marked


def _meter_of(catalogue: SiteCatalogue, name: MeterName) -> Meter | None:
    if name.id is not None:
        return catalogue.meter_by_id.get(name.id)
    if name.type is None or name.prim_ad is None:
        return None
    return catalogue.meter_by_address.get((name.type, name.prim_ad))


def _as_said(name: MeterName) -> str:
    return name.id if name.id is not None else f"{name.type} prim_ad:{name.prim_ad}"


def _rows_at(rows: ReadingRows, positions: NDArray[np.intp]) -> ReadingRows:
    codes = rows.serial_codes
    return replace(
        rows,
        rows=rows.rows[positions],
        meter_codes=rows.meter_codes[positions],
        stamps=rows.stamps[positions],
        values={register: column[positions] for register, column in rows.values.items()},
        qualities=rows.qualities[positions],
        issued_at=rows.issued_at[positions],
        serial_codes=None if codes is None else codes[positions],
    )


def _as_readings(rows: ReadingRows, number: int, now_us: int) -> StoredReadings:
    """The rows as they are stored under a delivery."""
    count = len(rows.rows)
    issued = rows.issued_at != NOT_ISSUED
    if rows.serial_codes is None or not len(rows.serials):
        serials = np.zeros(count, "U1")
    else:
        serials = np.array(["", *rows.serials])[rows.serial_codes + 1]
    return StoredReadings(
        stamps=rows.stamps,
        values=rows.values,
        qualities=rows.qualities,
        issued_at=np.where(issued, rows.issued_at, now_us),
        issued=issued,
        ahead=rows.stamps > now_us // 1_000_000 + AHEAD_S,
        deliveries=np.full(count, number, np.int64),
        serials=serials,
    )


class _Incoming:
    """The rows of one delivery beside what is stored around them, meter by meter."""

    def __init__(
        self,
        change: Change,
        catalogue: SiteCatalogue,
        rows: ReadingRows,
        meters: NDArray[np.int64],
        number: int,
        now_us: int,
    ) -> None:
        self._change = change
        self._catalogue = catalogue
        self._site = catalogue.site.number
        self._number = number
        self._recorded_day = now_us // 1_000_000 // DAY_S
        readings = _as_readings(rows, number, now_us)
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

    def store(self, versions: Versions) -> tuple[int, int]:
        """Store what is new, mark what it touches, and return its days [first, end)."""
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
