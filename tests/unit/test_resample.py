from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from commonwatt.domain.metering.resample import Sampling, buckets


def quarters_between(start: str, end: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the quarter-hours that begin in [start, end), both ISO with offset."""
    first, last = (int(datetime.fromisoformat(text).timestamp()) for text in (start, end))
    return np.arange(-(-first // 900), -(-last // 900), dtype=np.int64)


def shown(starts_at: np.ndarray[tuple[int], np.dtype[np.int64]], zone: str) -> list[str]:
    return [str(datetime.fromtimestamp(start, ZoneInfo(zone))) for start in starts_at.tolist()]


@pytest.mark.parametrize(
    ("zone", "around", "expected"),
    [
        pytest.param(
            "Europe/Zurich", ("2026-03-28 00:00+01:00", "2026-03-31 00:00+02:00"), [96, 92, 96],
            id="Zurich, spring",
        ),
        pytest.param(
            "Europe/Zurich", ("2026-10-24 00:00+02:00", "2026-10-27 00:00+01:00"), [96, 100, 96],
            id="Zurich, autumn",
        ),
        pytest.param(
            "Asia/Kolkata", ("2026-03-28 00:00+05:30", "2026-03-30 00:00+05:30"), [96, 96],
            id="Kolkata",
        ),
        pytest.param(
            "Australia/Lord_Howe", ("2026-04-05 00:00+11:00", "2026-04-06 00:00+10:30"), [98],
            id="Lord Howe, autumn",
        ),
        pytest.param(
            "Australia/Lord_Howe", ("2026-10-04 00:00+10:30", "2026-10-05 00:00+11:00"), [94],
            id="Lord Howe, spring",
        ),
        pytest.param(
            "Africa/Cairo", ("2026-04-23 00:00+02:00", "2026-04-25 00:00+03:00"), [96, 92],
            id="Cairo skips midnight",
        ),
        pytest.param(
            "Antarctica/Troll", ("2026-03-29 00:00+00:00", "2026-03-30 00:00+02:00"), [88],
            id="Troll, spring",
        ),
        pytest.param(
            "Antarctica/Troll", ("2026-10-25 00:00+02:00", "2026-10-26 00:00+00:00"), [104],
            id="Troll, autumn",
        ),
        pytest.param(
            "America/St_Johns", ("2010-11-06 00:00-02:30", "2010-11-08 00:00-03:30"), [99, 97],
            id="St John's goes back over midnight",
        ),
        pytest.param(
            "Pacific/Apia", ("2011-12-29 00:00-10:00", "2012-01-01 00:00+14:00"), [96, 96],
            id="Apia left a day out",
        ),
    ],
)  # fmt: skip
def test_length_of_local_days(zone: str, around: tuple[str, str], expected: list[int]) -> None:
    quarters = quarters_between(*around)

    days = buckets(quarters, zone, Sampling.DAY)

    assert days.sum(np.ones(quarters.size, np.int32)).tolist() == expected


def test_going_back_over_midnight_gathers_what_belongs_together() -> None:
    # At 00:01 of the 7th the clock showed 23:01 of the 6th again.
    quarters = quarters_between("2010-11-06 23:30-02:30", "2010-11-07 00:30-03:30")
    day_of_quarter = [6, 6, 7, 6, 6, 6, 7, 7]

    days = buckets(quarters, "America/St_Johns", Sampling.DAY)

    assert days.sum(np.array(day_of_quarter)).tolist() == [6 * 5, 7 * 3]
    assert shown(days.starts_at, "America/St_Johns") == [
        "2010-11-06 00:00:00-02:30",
        "2010-11-07 00:00:00-02:30",
    ]
    assert days.min(np.array([5, 5, 2, 5, 3, 5, 5, 5], np.uint8)).tolist() == [3, 2]
    assert days.any(np.array(day_of_quarter) == 7).tolist() == [False, True]


def test_an_hour_that_happens_twice_makes_two_buckets() -> None:
    quarters = quarters_between("2026-10-25 01:00+02:00", "2026-10-25 04:00+01:00")

    hours = buckets(quarters, "Europe/Zurich", Sampling.HOUR)

    assert shown(hours.starts_at, "Europe/Zurich") == [
        "2026-10-25 01:00:00+02:00",
        "2026-10-25 02:00:00+02:00",
        "2026-10-25 02:00:00+01:00",
        "2026-10-25 03:00:00+01:00",
    ]


def test_an_hour_breaks_where_the_offset_changes_within_it() -> None:
    quarters = quarters_between("2026-04-05 01:00+11:00", "2026-04-05 03:00+10:30")

    hours = buckets(quarters, "Australia/Lord_Howe", Sampling.HOUR)

    assert shown(hours.starts_at, "Australia/Lord_Howe") == [
        "2026-04-05 01:00:00+11:00",
        "2026-04-05 01:30:00+10:30",
        "2026-04-05 02:00:00+10:30",
    ]
    assert hours.sum(np.ones(quarters.size, np.int32)).tolist() == [4, 2, 4]


def test_hours_of_a_half_hour_zone_begin_at_its_own_full_hours() -> None:
    quarters = quarters_between("2026-01-01 00:30+05:30", "2026-01-01 02:15+05:30")

    hours = buckets(quarters, "Asia/Kolkata", Sampling.HOUR)

    assert shown(hours.starts_at, "Asia/Kolkata") == [
        "2026-01-01 00:00:00+05:30",
        "2026-01-01 01:00:00+05:30",
        "2026-01-01 02:00:00+05:30",
    ]
    assert hours.sum(np.ones(quarters.size, np.int32)).tolist() == [2, 4, 1]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling.DAY, "2026-08-19 00:00:00+02:00"),
        (Sampling.MONTH, "2026-08-01 00:00:00+02:00"),
        (Sampling.YEAR, "2026-01-01 00:00:00+01:00"),
    ],
)
def test_the_stamp_is_where_the_period_begins_not_its_first_quarter(
    sampling: Sampling, expected: str
) -> None:
    quarters = quarters_between("2026-08-19 17:15+02:00", "2026-08-19 18:00+02:00")

    periods = buckets(quarters, "Europe/Zurich", sampling)

    assert shown(periods.starts_at, "Europe/Zurich") == [expected]


def test_periods_without_quarters_are_left_out() -> None:
    quarters = np.array([0, 1, 96 * 3, 96 * 40], np.int64)

    days = buckets(quarters, "UTC", Sampling.DAY)

    assert days.starts_at.tolist() == [0, 3 * 86_400, 40 * 86_400]
    assert days.sum(np.array([1, 2, 4, 8])).tolist() == [3, 4, 8]


def test_sums_pass_the_range_of_the_stored_values() -> None:
    quarters = np.arange(96, dtype=np.int64)

    days = buckets(quarters, "UTC", Sampling.DAY)

    assert days.sum(np.full(96, 2_000_000_000, np.int32)).tolist() == [192_000_000_000]


@pytest.mark.parametrize("sampling", list(Sampling))
def test_no_quarters_no_periods(sampling: Sampling) -> None:
    none = buckets(np.empty(0, np.int64), "Europe/Zurich", sampling)

    assert none.starts_at.tolist() == []
    assert none.sum(np.empty(0, np.int32)).tolist() == []
    assert none.min(np.empty(0, np.uint8)).tolist() == []
    assert none.any(np.empty(0, np.bool_)).tolist() == []
