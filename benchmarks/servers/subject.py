"""What is measured: a running server and how it is asked for each figure."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.servers import load
from benchmarks.servers.processes import Server
from benchmarks.servers.raw_http import Answer, Connection, Request

Requests = Mapping[str, Request]


class Subject(Protocol):
    """B, F or commonwatt, running."""

    @property
    def name(self) -> str:
        """How it is called in the table."""

    @property
    def server(self) -> Server:
        """Its process and port."""

    def reads(self) -> Requests:
        """The reading requests by figure, signed in afresh."""


class Ingesting(Subject, Protocol):
    """A subject that takes batches of readings too."""

    def batch(self, day: int) -> Request:
        """100 meters x one UTC day in one request; days count from 0."""

    def first_read(self, day: int) -> Request:
        """A request that needs what the batch of that day brought."""

    def check_first_read(self, day: int, answer: Answer) -> None:
        """Raise WrongAnswer if that request was answered wrongly."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One figure's medians, a round each."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)


Results = dict[str, dict[str, Samples]]
"""By figure, then by subject."""


def ratio(results: Results, figure: str, subject: str, other: str) -> float | None:
    """The median of the rounds' ratios subject / other; None where one was not measured."""
    by_subject = results.get(figure, {})
    if subject not in by_subject or other not in by_subject:
        return None
    pairs = zip(by_subject[subject].rounds, by_subject[other].rounds, strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def interleave(
    subjects: Sequence[Subject],
    figures: Sequence[str],
    rounds: int,
    measure: Callable[[Subject, str, Request], float],
) -> Results:
    """Measure each figure on each subject that has it, in turns; who begins changes each round."""
    collected: dict[str, dict[str, list[float]]] = {figure: {} for figure in figures}
    for number in range(rounds):
        turn = number % len(subjects)
        order = [*subjects[turn:], *subjects[:turn]]
        requests = {subject.name: subject.reads() for subject in order}
        for figure in figures:
            for subject in order:
                if figure in requests[subject.name]:
                    value = measure(subject, figure, requests[subject.name][figure])
                    collected[figure].setdefault(subject.name, []).append(value)
    return {
        figure: {name: Samples(tuple(values)) for name, values in by_name.items()}
        for figure, by_name in collected.items()
    }


def latency(
    counts: Mapping[str, int], warm: int, check: Callable[[str, str, Answer], None] | None = None
) -> Callable[[Subject, str, Request], float]:
    """A measure: the median milliseconds of `counts[figure]` requests, after `warm` more.

    The last warm answer goes to `check(subject name, figure, answer)`.
    """

    def measure(subject: Subject, figure: str, request: Request) -> float:
        with Connection(subject.server.port) as connection:
            for position in range(warm):
                answer = connection.ask(request).expect()
                if check is not None and position == warm - 1:
                    check(subject.name, figure, answer)
            seconds = [connection.ask(request).expect().seconds for _ in range(counts[figure])]
        return statistics.median(seconds) * 1e3

    return measure


def throughput(seconds: float) -> Callable[[Subject, str, Request], float]:
    """A measure: answers a second over 8 connections."""

    def measure(subject: Subject, _figure: str, request: Request) -> float:
        return load.requests_per_second(subject.server.port, request, seconds)

    return measure
