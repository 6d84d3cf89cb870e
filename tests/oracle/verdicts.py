"""Which of the counted readings of an index register are accepted, and where it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from tests.oracle.facts import Finding, Meter
from tests.oracle.rollovers import rolled
from tests.oracle.seams import Run, after_reset, cut_at_serials, declared_runs
from tests.oracle.versions import Reading, counted_readings

YEAR_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
AHEAD_US = 900 * 1_000_000
REACH = 16
"""Readings to each side that a verdict looks at."""


@dataclass(frozen=True)
class IndexHistory:
    """The runs of each register that is part of the meter, and the findings."""

    runs: dict[str, list[Run]]
    findings: list[Finding]


def plausible(
    meter: Meter, register: str, readings: Sequence[Reading], findings: list[Finding]
) -> list[Reading]:
    """The readings whose stamps can be true; a finding for each other."""
    remaining = []
    for reading in readings:
        assert reading.recorded_at_us is not None
        at = reading.stamp
        if at < YEAR_2000:
            findings.append(Finding(meter.id, register, at, "stamp-too-old"))
        elif at * 1_000_000 > reading.recorded_at_us + AHEAD_US:
            findings.append(Finding(meter.id, register, at, "stamp-ahead"))
        elif (meter.installed_at is not None and at < meter.installed_at) or (
            meter.removed_at is not None and at > meter.removed_at
        ):
            findings.append(Finding(meter.id, register, at, "outside-life"))
        elif any(
            each.kind == "faulty"
            and each.register == register
            and each.start_at <= at <= each.end_at
            for each in meter.resolutions
        ):
            findings.append(Finding(meter.id, register, at, "declared-faulty"))
        else:
            remaining.append(reading)
    return remaining


def kept_positions(values: Sequence[int]) -> list[int]:
    """The positions that stay when the fewest are removed to make `values` non-decreasing.

    Of several such sets the one that keeps the earliest: the lexicographically smallest.
    """
    longest = [0] * len(values)  # the longest non-decreasing run of picks that starts here
    for here in reversed(range(len(values))):
        after = range(here + 1, len(values))
        longest[here] = 1 + max(
            (longest[there] for there in after if values[there] >= values[here]), default=0
        )
    kept: list[int] = []
    to_pick = max(longest, default=0)
    for here, value in enumerate(values):
        fits = not kept or value >= values[kept[-1]]
        if to_pick and fits and longest[here] == to_pick:
            kept.append(here)
            to_pick -= 1
    return kept


def _against_the_rest(values: Sequence[int], position: int) -> bool:
    """Whether the reading is one of those removed from the window centred on it."""
    first = max(0, position - REACH)
    window = values[first : position + REACH + 1]
    if all(before <= after for before, after in pairwise(window)):
        return False
    return position - first not in kept_positions(window)


def judge_index(meter: Meter) -> IndexHistory:
    """The verdicts on all readings of an index meter, register by register."""
    history = IndexHistory({}, [])
    for register, readings in counted_readings(meter).items():
        remaining = plausible(meter, register, readings, history.findings)
        if not remaining:
            continue
        runs: list[Run] = []
        for run in declared_runs(meter, register, remaining, history.findings):
            for part in cut_at_serials(meter, register, run, history.findings):
                accepted = _judge_run(meter, register, part, history.findings)
                runs.append(after_reset(runs, accepted))
        if not any(run.readings for run in runs):
            continue
        history.runs[register] = runs
        filled = [run for run in runs if run.readings]
        for before, after in pairwise(filled):
            known = (before.end_at, after.start_at)
            if before.stretch != after.stretch and known != (
                before.readings[-1].stamp,
                after.readings[0].stamp,
            ):
                at = after.readings[0].stamp
                history.findings.append(Finding(meter.id, register, at, "index-break"))
    return history


def _judge_run(meter: Meter, register: str, run: Run, findings: list[Finding]) -> Run:
    """Set aside what stands against its surroundings, rollovers being counted."""
    added = rolled(meter, register, run)
    values = [reading.value + more for reading, more in zip(run.readings, added, strict=True)]
    accepted: list[tuple[Reading, int]] = []
    for position, reading in enumerate(run.readings):
        if _against_the_rest(values, position):
            findings.append(Finding(meter.id, register, reading.stamp, "index-out-of-order"))
        else:
            accepted.append((reading, added[position]))
    breaks = []
    for (a, more_a), (b, more_b) in pairwise(accepted):
        if b.value + more_b < a.value + more_a:
            breaks.append((a.stamp, b.stamp))
            findings.append(Finding(meter.id, register, b.stamp, "index-break"))
        elif more_b > more_a:
            findings.append(Finding(meter.id, register, b.stamp, "rollover"))
    counted = [replace(reading, value=reading.value + more) for reading, more in accepted]
    return replace(run, readings=counted, breaks=breaks)
