"""Which of the counted readings of an index register are accepted, and where it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

from tests.oracle.facts import Finding, Meter
from tests.oracle.rollovers import rolled
from tests.oracle.seams import (
    Run,
    after_reset,
    at_zeros_in_doubt,
    cut_at_falls,
    cut_at_serials,
    declared_runs,
)
from tests.oracle.versions import AHEAD_US, Reading, counted_readings

YEAR_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
DAY_S = 86_400
FAR_DAYS = 5 * 365
"""Farther apart two stamps next to each other are not both right."""
REACH = 16
"""Readings to each side that a verdict looks at."""
FASTEST = 1000
"""What stands against the rest is a meter's if it rises at most so many times as fast."""


@dataclass(frozen=True)
class IndexHistory:
    """The runs of each register that is part of the meter, and the findings."""

    runs: dict[str, list[Run]]
    findings: list[Finding]


def believed_from_day(meter: Meter) -> int:
    """The first day of those that hang together with the newest on which something was said."""
    days = {
        row.stamp // DAY_S
        for delivery in meter.deliveries
        for row in delivery.rows
        if not delivery.withdrawn
        and row.stamp >= YEAR_2000
        and row.stamp * 1_000_000 <= delivery.recorded_at_us + AHEAD_US
        and (meter.removed_at is None or row.stamp <= meter.removed_at)
    }
    first = max(days, default=0)
    for day in sorted(days, reverse=True):
        if first - day > FAR_DAYS:
            break
        first = day
    return first


def plausible(
    meter: Meter, register: str, readings: Sequence[Reading], findings: list[Finding]
) -> list[Reading]:
    """The readings whose stamps can be true; a finding for each other."""
    remaining = []
    believed_from = believed_from_day(meter)
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
        elif meter.installed_at is None and at // DAY_S < believed_from:
            findings.append(Finding(meter.id, register, at, "stamp-far-before"))
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


@dataclass(frozen=True)
class Verdict:
    """Whether a reading is set aside, and whether the index breaks just before or after it."""

    aside: bool
    breaks_before: bool = False
    breaks_after: bool = False


def verdict(readings: Sequence[Reading], values: Sequence[int], position: int) -> Verdict:
    """What the window centred on a reading says of it.

    Of those to be removed, one is kept that stands in a run of two or more of them, one next to
    the other, that rises as a meter does; where the run ends beside a kept one is a break.
    """
    first = max(0, position - REACH)
    window = values[first : position + REACH + 1]
    if all(before <= after for before, after in pairwise(window)):
        return Verdict(False)
    kept = set(kept_positions(window))
    here = position - first
    if here in kept:
        return Verdict(False)
    stamps = [reading.stamp for reading in readings[first : position + REACH + 1]]
    lowest, highest = min(kept), max(kept)
    seconds = stamps[highest] - stamps[lowest]
    ordinary = Fraction(window[highest] - window[lowest], seconds) if seconds else Fraction(0)

    def follows(left: int) -> bool:
        """Whether from a removed reading to the next, removed too, a meter may have counted."""
        if not 0 <= left < len(window) - 1 or left in kept or left + 1 in kept:
            return False
        rise = window[left + 1] - window[left]
        rate = Fraction(rise, stamps[left + 1] - stamps[left])
        return rise >= 0 and (ordinary == 0 or rate <= FASTEST * ordinary)

    start = end = here
    while follows(start - 1):
        start -= 1
    while follows(end):
        end += 1
    if window[end] == window[start]:
        return Verdict(True)
    return Verdict(False, start == here and here - 1 in kept, end == here and here + 1 in kept)


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
                if meter.begins_again:
                    for counted in cut_at_falls(part):
                        broken = at_zeros_in_doubt(counted)
                        history.findings.extend(
                            Finding(meter.id, register, at, "index-break")
                            for _, at in broken.breaks
                        )
                        runs.append(after_reset(runs, broken))
                    continue
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
    parted: set[int] = set()
    verdicts = [verdict(run.readings, values, position) for position in range(len(values))]
    for position, (reading, said) in enumerate(zip(run.readings, verdicts, strict=True)):
        if said.breaks_before or (position and verdicts[position - 1].breaks_after):
            parted.add(reading.stamp)
        if said.aside:
            findings.append(Finding(meter.id, register, reading.stamp, "index-out-of-order"))
        else:
            accepted.append((reading, added[position]))
    breaks = []
    for (a, more_a), (b, more_b) in pairwise(accepted):
        is_parted = any(a.stamp < at <= b.stamp for at in parted)
        if is_parted or b.value + more_b < a.value + more_a:
            breaks.append((a.stamp, b.stamp))
            findings.append(Finding(meter.id, register, b.stamp, "index-break"))
        elif more_b > more_a:
            findings.append(Finding(meter.id, register, b.stamp, "rollover"))
    counted = [replace(reading, value=reading.value + more) for reading, more in accepted]
    return replace(run, readings=counted, breaks=breaks)
