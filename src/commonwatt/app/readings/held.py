"""What is held back of meters: findings about it, what it looks like, and what resolves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.ports import ReadingTables, Snapshot
from commonwatt.domain.metering.catalogue import (
    Group,
    HeldSpan,
    Looks,
    Medium,
    Meter,
    Register,
    SiteCatalogue,
)
from commonwatt.domain.metering.findings import HELD_BACK, Finding
from commonwatt.domain.metering.quarter_hours import DAY_S, day_of
from commonwatt.domain.metering.readings import (
    HeldRows,
    RegisterReadings,
    StoredReadings,
    effective_positions,
    effective_readings,
)
from commonwatt.domain.plausibility.meters.character import LEAST_FALL
from commonwatt.domain.plausibility.meters.power_limits import PowerLimits
from commonwatt.domain.vee.boundary_index import RAW_PER_UNIT
from commonwatt.domain.vee.history import placed, within

_MINUTE_S, _HOUR_S = 60, 3600
_LOOKS = {rule: looks for looks, rule in HELD_BACK.items()}
_DECLARED_INTERVALS = {900: "PT15M", 1800: "PT30M", 3600: "PT1H"}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _Seen:
    """The day of a register that showed what readings look like, the reading before it first."""

    register: Register
    readings: RegisterReadings
    delivery: int


def held_findings(tables: ReadingTables, catalogue: SiteCatalogue) -> list[Finding]:
    """Return a finding for each span of readings that is held back.

    It begins and ends with the days of which anything was said.
    """
    held = [meter for meter in catalogue.meters if meter.held]
    if not held:
        return []
    site = catalogue.site.number
    spans = tables.register_spans(site, [meter.number for meter in held])
    withdrawn = tables.withdrawn(site)
    found = []
    for meter in held:
        said = spans.get(meter.number, {}).values()
        first_day = min((span.first_day for span in said), default=0)
        last_day = max((span.last_day for span in said), default=0)
        for span in meter.held:
            start_at = first_day * DAY_S if span.from_at is None else span.from_at
            end_at = (last_day + 1) * DAY_S if span.until_at is None else span.until_at
            bounds = start_at, max(start_at, end_at)
            found.append(_finding(tables, catalogue, meter, span, bounds, withdrawn))
    return found


def held_rows(
    snapshot: Snapshot, site: int, meters: NDArray[np.int64], stamps: NDArray[np.int64]
) -> tuple[HeldRows, ...]:
    """Return which rows of a body are held back: of so many meters, by what they look like.

    ``meters`` are the numbers of the rows' meters, ``stamps`` theirs [Unix seconds].
    """
    catalogue = snapshot.catalogue.catalogue(site)
    held = [meter for meter in catalogue.meters if meter.held and (meters == meter.number).any()]
    if not held:
        return ()
    found = held_findings(snapshot.readings, catalogue)
    rows: list[HeldRows] = []
    for meter in held:
        of_meter = placed(stamps[meters == meter.number], meter)
        for looks in sorted({span.looks for span in meter.held}):
            marked = np.zeros(len(of_meter), np.bool_)
            for span in meter.held:
                marked |= (span.looks is looks) & within(span, of_meter)
            first = next(
                each for each in found if each.meter == meter.number and looks_of(each) is looks
            )
            if marked.any():
                rows.append(
                    HeldRows(
                        meter_id=meter.id,
                        meter_name=meter.name,
                        rows=int(marked.sum()),
                        rule=first.rule.value,
                        reason=f"{looks_like(meter, first)}; {how_to_declare(meter, first)}",
                    )
                )
    return tuple(rows)


def _finding(
    tables: ReadingTables,
    catalogue: SiteCatalogue,
    meter: Meter,
    span: HeldSpan,
    bounds: tuple[int, int],
    withdrawn: frozenset[int],
) -> Finding:
    seen = _seen(tables, catalogue.site.number, meter, span, withdrawn)
    evidence: dict[str, int] = {}
    if seen is not None:
        evidence = dict(_evidence(catalogue, meter, span, seen.readings))
        evidence["delivery"] = seen.delivery
    register = "" if seen is None else seen.register.value
    return Finding(HELD_BACK[span.looks], meter.number, register, *bounds, evidence)


def _seen(
    tables: ReadingTables, site: int, meter: Meter, span: HeldSpan, withdrawn: frozenset[int]
) -> _Seen | None:
    """Look at the day that shows it first, by the register that counted most then."""
    day = day_of(span.seen_at)
    parts = []
    if meter.interval_s is None:
        before = tables.days_before(site, meter.number, day, 1)
        parts = [tables.readings(site, [meter.number], at, at + 1) for at in before]
    # The interval that ends at midnight is of the day before.
    parts.append(tables.readings(site, [meter.number], day, day + 2))
    stored = [part[meter.number] for part in parts if meter.number in part]
    if not stored:
        return None
    joined = StoredReadings.joined(stored)
    found = []
    for register in joined.values:
        readings = effective_readings(joined, register, withdrawn)
        chosen = np.flatnonzero(placed(readings.stamps, meter) // DAY_S == day)
        if len(chosen):
            first = max(int(chosen[0]) - 1, 0) if meter.interval_s is None else int(chosen[0])
            of_day = readings.take(np.arange(first, int(chosen[-1]) + 1))
            positions = effective_positions(joined, register, withdrawn)
            found.append(_Seen(register, of_day, int(joined.deliveries[positions[chosen[-1]]])))
    return max(found, key=lambda each: _amount(meter, each.readings), default=None)


def _amount(meter: Meter, readings: RegisterReadings) -> int:
    """What was counted [mWh, ml]."""
    values = readings.values
    return sum(values.tolist()) if meter.interval_s else int(values[-1] - values[0])


def _evidence(
    catalogue: SiteCatalogue, meter: Meter, span: HeldSpan, readings: RegisterReadings
) -> Iterator[tuple[str, int]]:
    stamps, values = readings.stamps, readings.values
    yield "readings", len(stamps)
    if span.looks is Looks.INDEX:
        yield "index_before", int(values[0])
        yield "index_after", int(values[-1])
    elif span.looks is Looks.INTERVALS:
        counted = values[values > 0].astype(np.float64)
        yield "falls", int((counted[1:] < counted[:-1] * (1 - LEAST_FALL)).sum())
    elif span.looks is Looks.COARSER:
        yield "seconds", int(np.median(np.diff(stamps)))
    elif span.looks is Looks.UNIT:
        interval_s = meter.interval_s
        length_s = len(stamps) * interval_s if interval_s else int(stamps[-1] - stamps[0])
        _, mean = PowerLimits.of(catalogue, meter).at(stamps[-1:])
        yield "energy", _amount(meter, readings) // RAW_PER_UNIT
        yield "seconds", max(length_s, 1)
        yield "limit", int(mean[0]) // RAW_PER_UNIT


def looks_of(finding: Finding) -> Looks | None:
    """What the readings of a finding look like; None of a finding that holds nothing back."""
    return _LOOKS.get(finding.rule)


def looks_like(meter: Meter, finding: Finding) -> str:
    """Say what readings that are held back look like, with numbers."""
    looks, said = _LOOKS[finding.rule], finding.evidence
    unit = _unit(meter)
    if not said:
        return f"readings that look like {looks}"
    if looks is Looks.INDEX:
        first, last = (_units(said[name], _MILLION) for name in ("index_before", "index_after"))
        return (
            f"these look like indexes sent to an interval meter: {said['readings']} values of a "
            f"day from {first} to {last} {unit} that never fall"
        )
    if looks is Looks.INTERVALS:
        return (
            "these look like energies of intervals (or powers) sent to an index meter: they fall "
            f"{said['falls']} times in {said['readings']} readings of a day"
        )
    if looks is Looks.COARSER:
        assert meter.interval_s is not None, "of an interval meter"
        minutes = said["seconds"] // _MINUTE_S
        own = meter.interval_s // _MINUTE_S
        return f"these look like intervals of {minutes} minutes, and the meter's are of {own}"
    if looks is Looks.SEVERAL:
        return (
            "these look like several series under one meter, as one a phase: of most of "
            f"{said['readings']} instants of a day deliveries say wholly different values"
        )
    energy = Decimal(said["energy"]) / 1000
    mean = energy * _HOUR_S / said["seconds"]
    limit = Decimal(said["limit"]) / 1000
    power = "m3 an hour" if unit == "m3" else "kW"
    return (
        f"these look like {_smaller(meter)} sent as {unit}: {energy:.1f} {unit} in "
        f"{Decimal(said['seconds']) / _HOUR_S:.1f} h of a day, {mean:.1f} {power} in the mean, "
        f"where at most {limit:.0f} {power} can be expected of this meter"
    )


def how_to_declare(meter: Meter, finding: Finding) -> str:
    """Say which declaration makes such readings right."""
    looks = _LOOKS[finding.rule]
    if looks is Looks.INDEX:
        return "if they are, declare the meter as an index meter (`interval: null`)"
    if looks is Looks.INTERVALS:
        return "if they are, declare their length (`interval: PT15M`, PT30M or PT1H)"
    if looks is Looks.COARSER:
        length = _DECLARED_INTERVALS.get(finding.evidence.get("seconds", 0))
        if length is None:
            return "send intervals of the meter's length"
        return f"if they are, declare `interval: {length}`"
    if looks is Looks.SEVERAL:
        return (
            "send their sum, or each series under a meter of its own; if what comes now is to "
            "count instead of what was said before, send it with `replaces`"
        )
    limit = "`max_per_hour`"
    if meter.medium.group is Group.ELECTRICITY:
        limit += " of the meter or `connection_kw` of the site"
    return (
        "if they are, declare `factor: 0.001` with `valid_from` at their beginning; if so much "
        f"flows, declare {limit}"
    )


def _unit(meter: Meter) -> str:
    return "m3" if _is_water(meter) else "kWh"


def _smaller(meter: Meter) -> str:
    return "litres" if _is_water(meter) else "Wh (or W)"


def _is_water(meter: Meter) -> bool:
    return meter.medium in (Medium.COLD_WATER, Medium.HOT_WATER)


def _units(raw: int, per_unit: int) -> str:
    return f"{(Decimal(raw) / per_unit).normalize():f}"
