"""The demo's shapes: what was taken over, and how it is laid on other years."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from commonwatt.demo.simulated.profiles import (
    DAYS,
    PROFILES_FILE,
    SCALE,
    SLOTS,
    STANDARD_TIME,
    WALL_TIME,
    Calendar,
    load_profiles,
)
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.domain.metering.zones import local_midnight
from tools.take_simbench_profiles import taken_over

ZURICH = "Europe/Zurich"


def calendar_of(first: date, end: date) -> Calendar:
    return Calendar.of(
        ZURICH,
        local_midnight(ZURICH, first) // QUARTER_S,
        local_midnight(ZURICH, end) // QUARTER_S,
    )


def of_2016(profile: str, day: date) -> NDArray[np.int64]:
    shape = load_profiles()[profile].astype(np.int64)
    row: NDArray[np.int64] = shape[day.timetuple().tm_yday - 1]
    return row


def test_the_file_is_what_the_source_gives(shared_data: Path) -> None:
    source = shared_data / "simbench_de_15min" / "simbench_profiles_2016_15min.csv.gz"
    if not source.exists():
        pytest.skip(f"{source} is not there")

    expected = taken_over(source)

    assert load_profiles().keys() == expected.keys()
    for name, shape in load_profiles().items():
        np.testing.assert_array_equal(shape, expected[name])


def test_the_file_is_small_and_carries_its_notice() -> None:
    notice = PROFILES_FILE.with_name(PROFILES_FILE.stem + ".NOTICE.md").read_text("utf-8")

    assert PROFILES_FILE.stat().st_size < 2_000_000
    assert "Open Database License" in notice
    assert "Database Contents License" in notice
    assert "University of Kassel" in notice


def test_profiles_are_parts_of_the_rated_power() -> None:
    profiles = load_profiles()

    assert set(profiles) == {*WALL_TIME, *STANDARD_TIME}
    for shape in profiles.values():
        assert shape.shape == (DAYS, SLOTS)
        assert int(shape.max()) <= SCALE
    night = profiles["PV4"][:, :12]
    assert not night.any()


def test_a_tuesday_is_lived_like_the_nearest_tuesday_of_2016() -> None:
    tuesday = calendar_of(date(2026, 6, 16), date(2026, 6, 17))

    lived = tuesday.habits("H0-A")

    np.testing.assert_array_equal(lived, of_2016("H0-A", date(2016, 6, 14)))


def test_another_week_of_the_season_keeps_the_weekday() -> None:
    tuesday = calendar_of(date(2026, 6, 16), date(2026, 6, 17))

    lived = tuesday.habits("H0-A", weeks_later=-2)

    np.testing.assert_array_equal(lived, of_2016("H0-A", date(2016, 5, 31)))


@pytest.mark.parametrize(
    ("day", "after", "quarters"),
    [
        (date(2026, 3, 29), date(2026, 3, 30), 92),
        (date(2026, 10, 25), date(2026, 10, 26), 100),
    ],
)
def test_people_keep_to_the_clock_on_switch_days(day: date, after: date, quarters: int) -> None:
    calendar = calendar_of(day, after)

    assert len(calendar.slot) == quarters
    assert calendar.slot[-1] == SLOTS - 1
    # Two in the morning is left out or comes twice.
    assert int((calendar.slot // 4 == 2).sum()) == quarters - 92


def test_the_sun_knows_no_summer_time() -> None:
    before = calendar_of(date(2026, 3, 9), date(2026, 3, 29)).weather("PV4")
    after = calendar_of(date(2026, 3, 30), date(2026, 4, 19)).weather("PV4")

    # By the clock, noon is four quarter-hours later; the weather moves it by less than two.
    moved = noon_slot(after) - noon_slot(before)
    assert 2 < moved < 6


def noon_slot(power: NDArray[np.int64]) -> float:
    usual_day = power.reshape(-1, SLOTS).sum(axis=0)
    return float((usual_day * np.arange(SLOTS)).sum() / usual_day.sum())
