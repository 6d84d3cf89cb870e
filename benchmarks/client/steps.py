"""Where the time of the client goes: its steps alone, one after the other, on recorded answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar
from zoneinfo import ZoneInfo

import orjson

from benchmarks.goals import plain_line
from benchmarks.report import Line
from benchmarks.servers.raw_http import Answer
from benchmarks.site.building import ZONE
from commonwatt.client.series.joining import Part, ends_of, joined, part_of
from commonwatt.client.series.local_periods import Window, parts
from commonwatt.client.series.series import Series
from commonwatt.client.stamps import received_instants
from commonwatt.client.wire_habits import rows_of
from commonwatt.climkit_v1.words import SamplingFrequency

T = TypeVar("T")
UTC = ZoneInfo("UTC")
QUARTERS = SamplingFrequency.QUARTER_HOUR


class Steps:
    """Seconds by step of one round."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, step: str, work: Callable[[], T]) -> T:
        """Do a step and add how long it took."""
        began = time.perf_counter()
        result = work()
        taken = time.perf_counter() - began
        self.seconds[step] = self.seconds.get(step, 0.0) + taken
        return result


def steps_of(answers: Sequence[Answer], year: tuple[int, int], rounds: int) -> list[Line]:
    """A line a step of what happens to the answers of a year, asked in months."""
    measured = [_once(answers, year) for _ in range(rounds)]
    return [
        plain_line(f"of it: {step}", "ms", commonwatt=1e3 * median(each[step] for each in measured))
        for step in measured[0]
    ]


def _once(answers: Sequence[Answer], year: tuple[int, int]) -> Mapping[str, float]:
    steps = Steps()
    windows = parts(year, ZONE, QUARTERS)
    found = [_part(steps, *each) for each in zip(answers, windows, strict=True)]
    starts_at, columns = steps.timed("joining", lambda: joined(found, ("total",)))
    ends_at = ends_of(starts_at, ZONE, QUARTERS)
    series = Series(starts_at, ends_at, columns, "kWh", ZONE.key, QUARTERS, year)
    steps.timed("frame", series.to_polars)
    return steps.seconds


def _part(steps: Steps, answer: Answer, window: Window) -> Part:
    text = steps.timed("gzip", answer.text)
    content = steps.timed("JSON", lambda: orjson.loads(text))
    rows = steps.timed("rows: each looked at", lambda: rows_of(content))
    stamps = [row["timestamp"] for row in rows]
    instants = steps.timed("stamps", lambda: received_instants(stamps, UTC))
    return steps.timed(
        "columns, cut to what was meant", lambda: part_of(rows, instants, window, QUARTERS)
    )
