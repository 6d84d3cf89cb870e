"""How much is measured: the whole table, or a smoke test of it in a minute."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.site.building import QUARTER_S, local_midnight

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes and repetitions; spans of time are [start, end) in Unix seconds, at local midnights."""

    rounds: int
    year: tuple[int, int]
    day: tuple[int, int]
    filled: tuple[int, int]
    b_buildings: int
    requests: int
    small_requests: int
    load_s: float
    puts: int
    large_meters: int
    large_days: int
    trickle_minutes: int
    week_minutes: int
    unsettled_minutes: int
    late_meters: int
    late_days: int
    history_days: Sequence[int]
    faults_a_meter: int
    gap_lengths: Sequence[str]

    @property
    def first_day(self) -> int:
        """The first UTC day with data."""
        return self.filled[0] // DAY_S

    @property
    def days(self) -> int:
        """How many UTC days have data."""
        return self.filled[1] // DAY_S - self.first_day

    @property
    def year_quarters(self) -> int:
        """How many quarter-hours the asked year has."""
        return (self.year[1] - self.year[0]) // QUARTER_S


def _utc_days_around(start: int, end: int, margin: int) -> tuple[int, int]:
    return (start // DAY_S - margin) * DAY_S, (end // DAY_S + margin) * DAY_S


YEAR = local_midnight(2025, 1, 1), local_midnight(2026, 1, 1)
MONTH = local_midnight(2025, 6, 1), local_midnight(2025, 7, 1)
SUMMER_DAY = local_midnight(2025, 6, 15), local_midnight(2025, 6, 16)

FULL = Plan(
    rounds=5,
    year=YEAR,
    day=SUMMER_DAY,
    filled=_utc_days_around(*YEAR, margin=17),
    b_buildings=5,
    requests=10,
    small_requests=100,
    load_s=3,
    puts=3,
    large_meters=10_000,
    large_days=40,
    trickle_minutes=30,
    week_minutes=7 * 1440,
    unsettled_minutes=360,
    late_meters=100,
    late_days=1_095,
    history_days=(30, 1_095, 3_650),
    faults_a_meter=80,
    gap_lengths=("3 h", "12 h", "1 day", "3 days", "7 days", "14 days", "46 days"),
)

QUICK = Plan(
    rounds=2,
    year=MONTH,
    day=SUMMER_DAY,
    filled=_utc_days_around(*MONTH, margin=2),
    b_buildings=5,
    requests=3,
    small_requests=10,
    load_s=1,
    puts=1,
    large_meters=200,
    large_days=5,
    trickle_minutes=3,
    week_minutes=180,
    unsettled_minutes=60,
    late_meters=20,
    late_days=90,
    history_days=(30, 120),
    faults_a_meter=20,
    gap_lengths=("12 h", "7 days"),
)
