"""The batches that are sent: 100 meters x one UTC day, a new day each, after all that is filled."""

from benchmarks.site.building import QUARTER_S, QUARTERS_A_DAY, Building, make_building, naive_utc
from benchmarks.site.plan import DAY_S, Plan

METERS = 100
ROWS_A_BATCH = METERS * QUARTERS_A_DAY
DAYS_AFTER_THE_FILLED = 10
DAYS = 120


def make_incoming(plan: Plan) -> Building:
    """98 apartments, a PV meter and a grid meter; its first day is the day before batch 0."""
    first_day = plan.filled[1] // DAY_S + DAYS_AFTER_THE_FILLED
    return make_building(1_000, METERS - 2, first_day - 1, DAYS)


def day_start(incoming: Building, day: int) -> int:
    """Unix seconds of the first quarter-hour of batch `day`; day -1 is the building's first."""
    return (incoming.first_quarter + (day + 1) * QUARTERS_A_DAY) * QUARTER_S


def day_span(day: int) -> slice:
    """The positions of the quarter-hours of batch `day`."""
    return slice((day + 1) * QUARTERS_A_DAY, (day + 2) * QUARTERS_A_DAY)


def stamps(first_quarter: int, count: int) -> list[str]:
    """The starts of quarter-hours, ISO, UTC."""
    return [f"{naive_utc((first_quarter + k) * QUARTER_S)}Z" for k in range(count)]
