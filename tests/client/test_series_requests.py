"""Whatever a server takes naive times for, the window that it understands has what was meant."""

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.client.series.local_periods import period_end, period_start
from commonwatt.client.series.requests import bounds, shown_reading, widened
from commonwatt.client.stamps import NaiveTime
from commonwatt.climkit_v1.words import SamplingFrequency
from tests.client.test_periods import instants, zones

ZURICH = ZoneInfo("Europe/Zurich")
SUMMER_AT = int(dt.datetime(2026, 7, 1, tzinfo=dt.UTC).timestamp())
WINDOW = SUMMER_AT, SUMMER_AT + 86_400

far_zones = zones | st.sampled_from(["Pacific/Kiritimati", "Pacific/Niue"]).map(ZoneInfo)
tellings: st.SearchStrategy[tuple[NaiveTime, Literal["utc", "local"]]] = st.sampled_from(
    [("auto", "utc"), ("auto", "local"), ("utc", "utc"), ("local", "local")]
)


def understood(text: str, reading: str, zone: ZoneInfo, fold: int) -> int:
    """The instant that a server takes a naive time for."""
    wall = dt.datetime.fromisoformat(text)
    return int(wall.replace(tzinfo=dt.UTC if reading == "utc" else zone, fold=fold).timestamp())


@given(
    instants,
    st.integers(0, 3000),
    far_zones,
    st.sampled_from([None, *SamplingFrequency]),
    tellings,
    st.integers(0, 1),
)
def test_no_row_that_was_meant_is_left_out_or_partly_summed(
    start_at: int,
    quarters: int,
    zone: ZoneInfo,
    sampling: SamplingFrequency | None,
    telling: tuple[NaiveTime, Literal["utc", "local"]],
    fold: int,
) -> None:
    naive_time, reading = telling
    end_at = start_at + quarters * 900

    asked = bounds(widened((start_at, end_at), zone, sampling, naive_time), zone, naive_time)

    first_at, last_at = start_at, end_at
    if sampling not in {None, SamplingFrequency.QUARTER_HOUR}:
        assert sampling is not None
        first_at = period_start(period_start(start_at, zone, sampling) - 1, zone, sampling)
        last_at = period_end(period_end(end_at, zone, sampling), zone, sampling)
    if naive_time != "utc":
        for text in asked.values():
            assert understood(text, "local", zone, 0) == understood(text, "local", zone, 1)
    assert understood(asked["t_s"], reading, zone, fold) <= first_at
    assert understood(asked["t_e"], reading, zone, fold) >= last_at


@pytest.mark.parametrize("naive_time", ["auto", "local"])
@pytest.mark.parametrize(
    "switch_at",
    [dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)],
    ids=["an hour that never is", "an hour that comes twice"],
)
def test_no_bound_is_a_wall_time_that_a_server_cannot_place(
    switch_at: dt.datetime, naive_time: NaiveTime
) -> None:
    """Every quarter-hour of the days around the change, as the end and as the start of a window."""
    around = range(int(switch_at.timestamp()) - 90_000, int(switch_at.timestamp()) + 90_000, 900)
    for bound_at in around:
        for window in ((bound_at - 86_400, bound_at), (bound_at, bound_at + 86_400)):
            wider = widened(window, ZURICH, SamplingFrequency.QUARTER_HOUR, naive_time)
            for text in bounds(wider, ZURICH, naive_time).values():
                assert understood(text, "local", ZURICH, 0) == understood(text, "local", ZURICH, 1)
            assert wider[0] < window[0] < window[1] < wider[1]


@pytest.mark.parametrize(
    ("first_s", "last_s", "shown"),
    [
        (900, 86_400, "utc"),
        (900 - 7200, 86_400 - 7200, "local"),
        (900, 40_000, "auto"),
        (40_000, 86_400, "utc"),
        (900 - 7200, 40_000, "local"),
        (40_000, 50_000, "auto"),
        (-90_000, 190_000, "auto"),
    ],
    ids=[
        "all of UTC",
        "all of local time",
        "the beginning lies in both",
        "the end lies in UTC alone",
        "the beginning lies in local time alone",
        "the middle lies in both",
        "more than was asked",
    ],
)
def test_rows_show_how_a_window_was_read(first_s: int, last_s: int, shown: NaiveTime) -> None:
    stamps_at = [SUMMER_AT + first_s, SUMMER_AT + last_s]

    assert shown_reading(WINDOW, stamps_at, ZURICH) == shown
    assert shown_reading(WINDOW, stamps_at, ZoneInfo("UTC")) == "auto"
    assert shown_reading(WINDOW, [], ZURICH) == "auto"


def test_nothing_is_shown_near_a_change_of_the_offset() -> None:
    switch_at = int(dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC).timestamp())
    window = switch_at - 10 * 86_400, switch_at

    assert shown_reading(window, [window[0] + 900, window[1]], ZURICH) == "auto"
