"""Cutting a register where its index begins anew, and joining what each run counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.quarter_hours import QUARTER_S, first_quarter_from, quarter_of
from commonwatt.domain.metering.readings import RegisterReadings
from commonwatt.domain.vee.boundary_index import AcceptedReadings, Segment
from commonwatt.domain.vee.history import RegisterHistory, set_aside
from commonwatt.domain.vee.stretches import Stretch
from commonwatt.domain.vee.verdicts import zeros_in_doubt


@dataclass(frozen=True, slots=True)
class Run:
    """Readings of a stretch over which the index counts on, from ``start_at`` to ``end_at``.

    ``after_reset``: it begins with a reset, of which only the reading before is known.
    """

    stretch: Stretch
    readings: RegisterReadings
    start_at: int | None
    end_at: int | None
    after_reset: bool = False


@dataclass(frozen=True, slots=True)
class AcceptedRun:
    """A run of which only the accepted readings are left.

    ``added`` [mWh, ml] to each index counts its rollovers; ``breaks_before`` counts the breaks.
    """

    run: Run
    added: NDArray[np.int64]
    breaks_before: NDArray[np.int64]

    @property
    def stamps(self) -> NDArray[np.int64]:
        """The instants of its readings [Unix seconds]."""
        return self.run.readings.stamps


def cut_at_seams(readings: RegisterReadings, stretches: Sequence[Stretch]) -> list[Run]:
    """Cut readings into those of each stretch.

    A reading at the very instant of an exchange is the new device's, unless it has the serial of
    the old one or, without a serial, the index that the old one was taken out with.
    """
    if len(stretches) == 1:
        return [Run(stretches[0], readings, stretches[0].start_at, stretches[0].end_at)]
    edges = [0]
    for before, after in pairwise(stretches):
        edge = int(np.searchsorted(readings.stamps, after.first_stamp))
        edges.append(edge + _is_of_old(readings, edge, before, after))
    edges.append(len(readings.stamps))
    return [
        Run(
            stretch,
            readings.take(np.arange(first, end)),
            stretch.start_at,
            stretch.end_at,
            stretch.after_reset,
        )
        for stretch, (first, end) in zip(stretches, pairwise(edges), strict=True)
    ]


def _is_of_old(readings: RegisterReadings, position: int, before: Stretch, after: Stretch) -> bool:
    """Whether a reading stands at the very instant of an exchange and is the old device's."""
    if after.after_reset or position == len(readings.stamps):
        return False
    if int(readings.stamps[position]) != after.first_stamp:
        return False
    serial = "" if readings.serials is None else str(readings.serials[position])
    if serial:
        return serial == before.serial
    return int(readings.values[position]) == before.end_index != after.start_index


def with_declared_indexes(
    history: RegisterHistory, run: Run, sight: tuple[int, int], findings: list[Finding]
) -> Run:
    """Insert the indexes that are declared to stand at the ends of a run, where in ``sight``.

    At the installation a real reading counts instead. At an exchange the declared index does; a
    reading of that very instant that says otherwise is set aside.
    """
    stretch, readings = run.stretch, run.readings
    for at, index, real_counts in (
        (stretch.start_at, stretch.start_index, stretch.installed),
        (stretch.end_at, stretch.end_index, False),
    ):
        if at is None or index is None or not sight[0] <= at <= sight[1]:
            continue
        standing = readings.stamps == at
        if standing.any():
            if real_counts:
                continue
            rule = FindingRule.INDEX_OUT_OF_ORDER
            otherwise = standing & (readings.values != index)
            readings = set_aside(history, readings, otherwise, rule, findings)
            readings = readings.take(np.flatnonzero(readings.stamps != at))
        readings = _inserted(readings, at, index)
    return replace(run, readings=readings)


def _inserted(readings: RegisterReadings, at: int, index: int) -> RegisterReadings:
    position = int(np.searchsorted(readings.stamps, at))
    return RegisterReadings(
        np.insert(readings.stamps, position, at),
        np.insert(readings.values, position, index),
        np.insert(readings.at_best, position, Quality.MEASURED),
        np.insert(readings.ahead, position, False),
        None if readings.serials is None else np.insert(readings.serials, position, ""),
    )


def cut_at_serials(history: RegisterHistory, run: Run, findings: list[Finding]) -> list[Run]:
    """Cut a run where the serial changes between two readings; each such change is a finding.

    Before the order of indexes is judged: another device may begin higher or lower.
    """
    serials = run.readings.serials
    if serials is None:
        return [run]
    before, after = serials[:-1], serials[1:]
    cuts = np.flatnonzero((before != after) & (before != "") & (after != "")) + 1
    stamps, values = run.readings.stamps.tolist(), run.readings.values.tolist()
    for cut in cuts.tolist():
        evidence = {"index_before": values[cut - 1], "index_after": values[cut]}
        findings.append(
            Finding(
                FindingRule.SERIAL_CHANGED,
                history.meter,
                history.register,
                stamps[cut - 1],
                stamps[cut],
                evidence,
            )
        )
    edges = [0, *cuts.tolist(), len(stamps)]
    edges_at = [run.start_at, *(stamps[cut] for cut in cuts.tolist()), run.end_at]
    return [
        Run(
            run.stretch,
            run.readings.take(np.arange(first, end)),
            *between,
            after_reset=run.after_reset and not first,
        )
        for (first, end), between in zip(pairwise(edges), pairwise(edges_at), strict=True)
    ]


def cut_at_falls(run: Run) -> list[Run]:
    """Cut a run wherever its index falls: its counter began again, unless that is in doubt."""
    stamps, values = run.readings.stamps, run.readings.values
    falls = (values[1:] < values[:-1]) & ~zeros_in_doubt(stamps, values)[1:]
    cuts = (np.flatnonzero(falls) + 1).tolist()
    if not cuts:
        return [run]
    edges = [0, *cuts, len(stamps)]
    edges_at = [run.start_at, *stamps[cuts].tolist(), run.end_at]
    return [
        Run(
            run.stretch,
            run.readings.take(np.arange(first, end)),
            *between,
            after_reset=run.after_reset or first > 0,
        )
        for (first, end), between in zip(pairwise(edges), pairwise(edges_at), strict=True)
    ]


def with_resets(runs: Sequence[AcceptedRun], to_end: bool) -> list[AcceptedRun]:
    """Let what was counted after a reset begin with 0 at the last reading of before.

    ``to_end``: nothing was said after the readings in sight.
    """
    joined = list(runs[:1])
    for after in runs[1:]:
        before = joined[-1]
        if after.run.after_reset:
            joined[-1:] = _reset(before, after, to_end)
        else:
            joined.append(after)
    return joined


def joined_runs(
    history: RegisterHistory, runs: Sequence[AcceptedRun], findings: list[Finding]
) -> tuple[Segment, ...]:
    """Make segments of accepted runs; an exchange without the indexes it needs is a break."""
    filled = [run for run in runs if len(run.stamps)]
    for before, after in pairwise(filled):
        if _breaks_at_seam(before, after):
            _add_break(history, before, after, findings)
    return tuple(
        Segment(_stand_still(each), *_edges(each), each.run.stretch.factor) for each in runs
    )


def _edges(accepted: AcceptedRun) -> tuple[int | None, int | None]:
    """The edges of a run; those of the meter's life cut no segment off."""
    run, stretch = accepted.run, accepted.run.stretch
    start_at = None if stretch.installed and run.start_at == stretch.start_at else run.start_at
    return start_at, None if stretch.removed and run.end_at == stretch.end_at else run.end_at


def _reset(before: AcceptedRun, after: AcceptedRun, to_end: bool) -> list[AcceptedRun]:
    """End a run at its last reading and begin the next there, with 0 as an estimate."""
    if not len(before.stamps) or not (len(after.stamps) or to_end):
        return [before, after]
    at = int(before.stamps[-1])
    readings = _inserted(after.run.readings, at, 0)
    readings.at_best[0] = Quality.ESTIMATED
    run = replace(after.run, readings=readings, start_at=at)
    return [
        replace(before, run=replace(before.run, end_at=at)),
        AcceptedRun(run, np.insert(after.added, 0, 0), np.insert(after.breaks_before, 0, 0)),
    ]


def _breaks_at_seam(before: AcceptedRun, after: AcceptedRun) -> bool:
    """Whether an exchange lies between two runs of which one lacks its index there."""
    if before.run.stretch is after.run.stretch:
        return False
    seams_at = before.run.end_at, after.run.start_at
    return seams_at != (int(before.stamps[-1]), int(after.stamps[0]))


def _add_break(
    history: RegisterHistory, before: AcceptedRun, after: AcceptedRun, findings: list[Finding]
) -> None:
    evidence = {
        "index_before": int(before.run.readings.values[-1]),
        "index_after": int(after.run.readings.values[0]),
    }
    bounds = int(before.stamps[-1]), int(after.stamps[0])
    rule = FindingRule.INDEX_BREAK
    findings.append(Finding(rule, history.meter, history.register, *bounds, evidence))


def _stand_still(accepted: AcceptedRun) -> AcceptedReadings:
    """Let the register stand still before the start of its run and after its end.

    So the quarter-hours of both count whole. Needs an accepted reading at that very instant.
    """
    run, breaks_before = accepted.run, accepted.breaks_before
    stamps, at_best = run.readings.stamps, run.readings.at_best
    values = run.readings.values + accepted.added if accepted.added.any() else run.readings.values
    if run.start_at is not None and len(stamps) and stamps[0] == run.start_at:
        still_from = quarter_of(run.start_at) * QUARTER_S
        if still_from < run.start_at:
            stamps = np.insert(stamps, 0, still_from)
            values, at_best = (np.insert(each, 0, each[0]) for each in (values, at_best))
            breaks_before = np.insert(breaks_before, 0, breaks_before[0])
    if run.end_at is not None and len(stamps) and stamps[-1] == run.end_at:
        still_until = first_quarter_from(run.end_at) * QUARTER_S
        if still_until > run.end_at:
            stamps = np.append(stamps, still_until)
            values, at_best = (np.append(each, each[-1]) for each in (values, at_best))
            breaks_before = np.append(breaks_before, breaks_before[-1])
    return AcceptedReadings(stamps, values, at_best, breaks_before)
