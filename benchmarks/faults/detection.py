"""What validation finds of injected faults: recall and precision, and what else it spoils."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.faults.injected import (
    KINDS,
    RANGE_MWH,
    ROLLOVER,
    FaultyMeter,
    Injected,
    Kind,
    inject,
)
from benchmarks.faults.injected_intervals import (
    INTERVAL_KINDS,
    INTERVAL_S,
    FaultyIntervals,
    IntervalKind,
    inject_beside,
)
from benchmarks.site.settled_site import Column, SettledSite
from benchmarks.site.shapes import END_QUARTER, FIRST_QUARTER, SHAPES, ZONE, boundaries, indexes
from commonwatt.domain.metering.catalogue import Mode
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S

_SEED = 20_161_231
_NEAR_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Of one kind: how many were injected and found, and how far its rules can be trusted.

    ``precision`` is that of the findings of its rules: the part that points at any injected fault.
    """

    kind: str
    rules: str
    injected: int
    recall: float
    precision: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The outcome of a run.

    ``untouched`` quarter-hours have no fault near them; ``wrong`` of them have another energy than
    the truth, and ``elsewhere`` counts the findings that point at no fault. Of the readings that
    were ``repeated`` in a second delivery ``unchanged`` were recognised.
    """

    kinds: Sequence[Found]
    elsewhere: Mapping[str, int]
    untouched: int
    wrong: int
    repeated: int
    unchanged: int


def detect(faults_a_meter: int) -> Detection:
    """Inject faults into a year of all shapes, settle it, and compare findings and energies."""
    random = np.random.default_rng(_SEED)
    modes = [Mode.PRODUCTION if shape.produces else Mode.CONSUMPTION for shape in SHAPES]
    truths = [shape.energy() for shape in SHAPES]
    meters = [_faulty(n, energy, random, faults_a_meter) for n, energy in enumerate(truths, 1)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        SettledSite(Path(folder), modes, ZONE, balance=False) as site,
    ):
        unchanged = _deliver(site, meters)
        site.settle()
        findings = site.findings()
        faults = [fault for meter in meters for fault in meter.faults]
        untouched, wrong = _compare(site, truths, faults)
    of_intervals = _detect_in_intervals(modes, truths, random, faults_a_meter)
    return Detection(
        kinds=[
            *(_found(kind, faults, findings) for kind in (*KINDS, ROLLOVER)),
            *of_intervals.kinds,
        ],
        elsewhere=_elsewhere(faults, findings) + Counter(of_intervals.elsewhere),
        untouched=untouched + of_intervals.untouched,
        wrong=wrong + of_intervals.wrong,
        repeated=sum(int(meter.kept.sum()) for meter in meters),
        unchanged=unchanged,
    )


def _detect_in_intervals(
    modes: Sequence[Mode], truths: Sequence[Column], random: np.random.Generator, count: int
) -> Detection:
    """The same with interval meters: every quarter-hour has to have the energy of the truth."""
    meters = [
        FaultyIntervals(number, boundaries()[1:], energy, random)
        for number, energy in enumerate(truths, 1)
    ]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        SettledSite(Path(folder), modes, ZONE, balance=False, interval_s=INTERVAL_S) as site,
    ):
        for position, meter in enumerate(meters):
            inject_beside(meter, count)
            site.send(position, meter.sent())
            site.send(position, meter.sent_more())
        site.settle()
        findings = site.findings()
        untouched, wrong = _compare(site, truths, [])
    faults = [fault for meter in meters for fault in meter.faults]
    return Detection(
        kinds=[_found(kind, faults, findings) for kind in INTERVAL_KINDS],
        elsewhere=_elsewhere(faults, findings),
        untouched=untouched,
        wrong=wrong,
        repeated=0,
        unchanged=0,
    )


def _elsewhere(faults: Sequence[Injected], findings: Sequence[Finding]) -> Counter[str]:
    """Count by rule the findings that point at no fault."""
    return Counter(
        each.rule.value for each in findings if not any(_meet(fault, each) for fault in faults)
    )


def _deliver(site: SettledSite, meters: Sequence[FaultyMeter]) -> int:
    """Deliver all readings, and all of them once more; return how many of these were known."""
    unchanged = 0
    for position, meter in enumerate(meters):
        site.send(position, meter.sent())
        unchanged += site.send(position, meter.sent()).unchanged
        if meter.again:
            site.send(position, meter.sent_again())
        if meter.more:
            site.send(position, meter.sent_more())
    return unchanged


def _compare(
    site: SettledSite, truths: Sequence[Column], faults: Sequence[Injected]
) -> tuple[int, int]:
    """Count the quarter-hours that no fault is near, and those of them that are wrong."""
    untouched = wrong = 0
    for position, energy in enumerate(truths):
        clear = _clear([fault for fault in faults if fault.meter == position + 1])
        series = site.series(position, FIRST_QUARTER, END_QUARTER)
        # Rounding the index, not the interval, moves less than a Wh.
        differs = np.abs(series.total * 1_000 - energy) >= 1_000
        untouched += int(clear.sum())
        wrong += int((clear & exists(series.quality_total) & differs).sum())
    return untouched, wrong


def _faulty(number: int, energy: Column, random: np.random.Generator, count: int) -> FaultyMeter:
    start = RANGE_MWH - int(energy.sum() * random.uniform(0.2, 0.8))
    meter = FaultyMeter(
        number=number,
        stamps=boundaries(),
        values=indexes(energy, start),
        other=indexes(energy, int(random.integers(RANGE_MWH // 10, RANGE_MWH // 2))),
        random=random,
    )
    inject(meter, count)
    return meter


def _found(
    kind: Kind | IntervalKind, faults: Sequence[Injected], findings: Sequence[Finding]
) -> Found:
    mine = [fault for fault in faults if fault.kind == kind.name]
    of_rules = [finding for finding in findings if finding.rule in kind.rules]
    hits = sum(any(_meet(fault, finding) for finding in of_rules) for fault in mine)
    true = sum(any(_meet(fault, finding) for fault in faults) for finding in of_rules)
    return Found(
        kind=kind.name,
        rules=", ".join(sorted(kind.rules)),
        injected=len(mine),
        recall=hits / len(mine) if mine else 0.0,
        precision=true / len(of_rules) if of_rules else None,
    )


def _meet(fault: Injected, finding: Finding) -> bool:
    same = fault.meter == finding.meter
    return same and finding.start_at <= fault.end_at and finding.end_at >= fault.start_at


def _clear(faults: Sequence[Injected]) -> NDArray[np.bool_]:
    """Mark the quarter-hours an hour and more away from all faults of a meter."""
    clear = np.ones(END_QUARTER - FIRST_QUARTER, np.bool_)
    for fault in faults:
        first = (fault.start_at - _NEAR_S) // QUARTER_S - FIRST_QUARTER
        end = (fault.end_at + _NEAR_S) // QUARTER_S - FIRST_QUARTER + 1
        clear[max(first, 0) : max(end, 0)] = False
    return clear
