"""What takes its turn against something else, and how long each took."""

import gc
import time
from collections.abc import Callable, Mapping

from benchmarks.report import PER_BARE, PER_PANDAS, Line, Target
from benchmarks.servers.subject import Results, Samples, ratio

Timed = Callable[[], float]
"""Does its work and returns the seconds of it that count."""


def clocked(work: Callable[[], object]) -> Timed:
    """Count all the time of some work, by the clock; what it returns is dropped afterwards."""

    def timed() -> float:
        gc.collect()
        began = time.perf_counter()
        kept = work()
        seconds = time.perf_counter() - began
        del kept
        return seconds

    return timed


def in_turns(figure: str, subjects: Mapping[str, Timed], rounds: int) -> Results:
    """Let each do its work once a round; who begins changes from round to round. Seconds.

    All have done it once before anything counts.
    """
    names = [*subjects]
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        subjects[name]()
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            taken[name].append(subjects[name]())
    return {figure: {name: Samples(tuple(seconds)) for name, seconds in taken.items()}}


def turns_line(results: Results, figure: str, unit: str, goal: Target = ()) -> Line:
    """The line of what took turns; `unit` is ms or s."""
    scale = {"ms": 1e3, "s": 1.0}[unit]
    ratios = {
        PER_BARE: ratio(results, figure, "commonwatt", "bare"),
        PER_PANDAS: ratio(results, figure, "commonwatt", "pandas"),
    }
    return Line(
        figure=figure,
        unit=unit,
        values={name: samples.median * scale for name, samples in results[figure].items()},
        ratios={name: value for name, value in ratios.items() if value is not None},
        goal=goal,
    )
