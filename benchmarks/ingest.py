"""How fast readings are taken in, with and without the first answer that needs them."""

import statistics
from collections.abc import Sequence

from benchmarks.servers.raw_http import Connection
from benchmarks.servers.subject import Ingesting, Samples
from benchmarks.site.incoming import ROWS_A_BATCH


def ingest_rates(
    subjects: Sequence[Ingesting], rounds: int, puts: int, with_first_read: bool, first: int
) -> dict[str, Samples]:
    """Rows a second of batches of 100 meters x a day, each a new day, from day `first` on.

    With the first read, the time of a request that needs what was just sent is added, and its
    answer checked. What a server still does afterwards is waited for before the next one's turn.
    """
    collected: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(rounds):
        turn = number % len(subjects)
        for subject in [*subjects[turn:], *subjects[:turn]]:
            days = range(first + number * puts, first + (number + 1) * puts)
            seconds = _put_days(subject, days, with_first_read)
            collected[subject.name].append(ROWS_A_BATCH / statistics.median(seconds))
            subject.server.wait_until_quiet()
    return {name: Samples(tuple(values)) for name, values in collected.items()}


def _put_days(subject: Ingesting, days: Sequence[int], with_first_read: bool) -> list[float]:
    requests = [(day, subject.batch(day), subject.first_read(day)) for day in days]
    seconds = []
    with Connection(subject.server.port) as connection:
        for day, batch, first_read in requests:
            seconds.append(connection.ask(batch).expect().seconds)
            if with_first_read:
                answer = connection.ask(first_read).expect()
                seconds[-1] += answer.seconds
                subject.check_first_read(day, answer)
                subject.server.wait_until_quiet()
    return seconds
