"""What each figure must reach now (foundation) and where it is going (goal), as ratios."""

from dataclasses import dataclass

from benchmarks.report import PER_F, VALUE, X_B, X_SMALL, Bound, Line, Target
from benchmarks.servers.subject import Results, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure of the table."""

    label: str
    unit: str = "ms"
    more_is_better: bool = False
    b_figure: str | None = None
    foundation: Target = ()
    goal: Target = ()


def _x_b(value: float) -> Bound:
    return Bound(X_B, at_least=value)


def _per_f(value: float) -> Bound:
    return Bound(PER_F, at_most=value)


ROWS_S = "rows/s"

GOALS = {
    "year": Goal(
        label="a meter's year of quarter-hours",
        foundation=(_x_b(60), _per_f(12)),
        goal=(_x_b(90), _per_f(7)),
    ),
    "year gzip": Goal(label="the same in gzip (B without)", b_figure="year"),
    "day": Goal(label="a day: latency", foundation=(_x_b(5),), goal=(_x_b(6),)),
    "day gzip": Goal(label="the same in gzip (B without)", b_figure="day"),
    "day load": Goal(
        label="a day: 8 connections",
        unit="req/s",
        more_is_better=True,
        foundation=(_x_b(6),),
        goal=(_x_b(9),),
    ),
    "days": Goal(label="a year as local days", foundation=(_x_b(20),), goal=(_x_b(25),)),
    "months": Goal(label="a year as local months", foundation=(_x_b(20),), goal=(_x_b(25),)),
    "site year": Goal(
        label="a site's year, columns of 20 meters",
        foundation=(_per_f(15),),
        goal=(_per_f(8),),
    ),
    "site year gzip": Goal(label="the same in gzip"),
    "put": Goal(
        label="readings PUT, 100 meters x a day",
        unit=ROWS_S,
        more_is_better=True,
        foundation=(_x_b(6),),
        goal=(_x_b(10),),
    ),
    "put and read": Goal(
        label="the same and the first read",
        unit=ROWS_S,
        more_is_better=True,
        foundation=(_x_b(4),),
        goal=(_x_b(6),),
    ),
}

LARGE = (Bound(X_SMALL, at_most=1.2),), (Bound(X_SMALL, at_most=1.1),)
IDLE = (Bound(VALUE, at_most=150),), (Bound(VALUE, at_most=120),)
LOADED = (Bound(VALUE, at_most=250),), (Bound(VALUE, at_most=180),)


def better(results: Results, figure: str, mine: str, other: str) -> float | None:
    """How many times better `mine` is than `other`, round by round."""
    if GOALS[figure].more_is_better:
        return ratio(results, figure, mine, other)
    return ratio(results, figure, other, mine)


def line(results: Results, figure: str) -> Line:
    """The line of a figure that was measured beside its yardsticks."""
    goal = GOALS[figure]
    by_subject = dict(results[figure])
    if goal.b_figure is not None:
        by_subject["B"] = results[goal.b_figure]["B"]
    compared = {figure: by_subject}
    ratios = {X_B: better(compared, figure, "commonwatt", "B")}
    if not goal.more_is_better:
        ratios[PER_F] = ratio(compared, figure, "commonwatt", "F")
    return Line(
        figure=goal.label,
        unit=goal.unit,
        values={name: samples.median for name, samples in by_subject.items()},
        ratios={name: value for name, value in ratios.items() if value is not None},
        foundation=goal.foundation,
        goal=goal.goal,
    )


def large_line(results: Results, figure: str, small: str, large: str, meters: int) -> Line:
    """The line of a figure measured on the large store, against the small one in the same run."""
    goal, by_subject = GOALS[figure], results[figure]
    slower = better(results, figure, small, large)
    return Line(
        figure=f"{meters:,} meters: {goal.label}",
        unit=goal.unit,
        values={"commonwatt": by_subject[large].median},
        ratios={} if slower is None else {X_SMALL: slower},
        foundation=LARGE[0],
        goal=LARGE[1],
    )


def memory_line(label: str, mib: dict[str, float], targets: tuple[Target, Target]) -> Line:
    """A line in MiB, with bounds on the figure itself."""
    return Line(figure=label, unit="MiB", values=mib, foundation=targets[0], goal=targets[1])


def plain_line(label: str, unit: str, **values: float) -> Line:
    """A line for what has no yardstick but itself."""
    return Line(figure=label, unit=unit, values=values)
