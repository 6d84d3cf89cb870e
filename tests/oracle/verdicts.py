"""Which of the counted readings of an index register are accepted, and where it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from tests.oracle.facts import Finding, Meter
from tests.oracle.versions import Reading, counted_readings

YEAR_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
AHEAD_US = 900 * 1_000_000
REACH = 16
"""Readings to each side that a verdict looks at."""


@dataclass(frozen=True)
class IndexHistory:
    """The accepted readings of each register that is part of the meter, its breaks, findings."""

    accepted: dict[str, list[Reading]]
    breaks: dict[str, list[tuple[int, int]]]
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
        else:
            remaining.append(reading)
    return remaining


def with_installation(meter: Meter, register: str, readings: list[Reading]) -> list[Reading]:
    """The readings and, unless one stands there, the one that installation itself makes."""
    if meter.installed_at is None or any(r.stamp == meter.installed_at for r in readings):
        return readings
    return [Reading(meter.installed_at, meter.installed_index.get(register, 0)), *readings]


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
    history = IndexHistory({}, {}, [])
    for register, readings in counted_readings(meter).items():
        remaining = plausible(meter, register, readings, history.findings)
        if not remaining:
            continue
        _judge_register(meter, register, with_installation(meter, register, remaining), history)
    return history


def _judge_register(
    meter: Meter, register: str, readings: list[Reading], history: IndexHistory
) -> None:
    remaining = []
    positive_before = False
    for reading in readings:
        if reading.value == 0 and positive_before:
            history.findings.append(
                Finding(meter.id, register, reading.stamp, "zero-after-positive")
            )
        else:
            remaining.append(reading)
        positive_before = positive_before or reading.value > 0
    values = [reading.value for reading in remaining]
    accepted = []
    for position, reading in enumerate(remaining):
        if _against_the_rest(values, position):
            history.findings.append(
                Finding(meter.id, register, reading.stamp, "index-out-of-order")
            )
        else:
            accepted.append(reading)
    if not accepted:
        return
    breaks = [(a.stamp, b.stamp) for a, b in pairwise(accepted) if b.value < a.value]
    history.accepted[register] = accepted
    history.breaks[register] = breaks
    history.findings.extend(
        Finding(meter.id, register, after, "index-break") for _, after in breaks
    )
