"""Quarter-hours and UTC days as whole numbers.

A quarter-hour ``q`` is the half-open interval [900 q, 900 (q + 1)) of Unix time; a day ``d`` is the
UTC day [86400 d, 86400 (d + 1)) and always has 96 quarter-hours. Local days belong to `zones`.
"""

from collections.abc import Iterable, Iterator

QUARTER_S = 900
DAY_S = 86_400
DAY_QUARTERS = DAY_S // QUARTER_S


def quarter_of(instant_at: int) -> int:
    """Return the quarter-hour that contains an instant [Unix seconds].

    >>> quarter_of(899), quarter_of(900)
    (0, 1)
    """
    return instant_at // QUARTER_S


def first_quarter_from(instant_at: int) -> int:
    """Return the first quarter-hour that begins at or after an instant [Unix seconds].

    >>> first_quarter_from(900), first_quarter_from(901)
    (1, 2)
    """
    return -(-instant_at // QUARTER_S)


def day_of(instant_at: int) -> int:
    """Return the UTC day that contains an instant [Unix seconds].

    >>> day_of(86_399), day_of(86_400)
    (0, 1)
    """
    return instant_at // DAY_S


def day_spans(days: Iterable[int], longest: int) -> Iterator[tuple[int, int]]:
    """Yield the runs [first, end) of consecutive days, none longer than ``longest`` days.

    >>> list(day_spans([3, 1, 2, 7], longest=2))
    [(1, 3), (3, 4), (7, 8)]
    """
    first: int | None = None
    end = 0
    for day in sorted(set(days)):
        if first is not None and (day != end or end - first >= longest):
            yield first, end
            first = None
        if first is None:
            first = day
        end = day + 1
    if first is not None:
        yield first, end
