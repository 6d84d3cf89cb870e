"""The hour of a clock change in files on the wall clock: read in one way, or refused as a whole."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.formats.stamps.switch_hours import WallStamps, instants_of_stamps

MINUTE = timedelta(minutes=1)
AUTUMNS = [
    ("Europe/Zurich", datetime(2024, 10, 27, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2025, 10, 26, 1, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
]
SPRINGS = [
    ("Europe/Zurich", datetime(2024, 3, 31, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2025, 3, 30, 1, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
]


def seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read(
    walls: Sequence[datetime],
    zone: str,
    *,
    blank: Sequence[bool] | None = None,
    owners: Sequence[int] | None = None,
    by_order: bool = False,
) -> tuple[list[int | None], dict[int, str]]:
    """Instants of wall times [Unix seconds], None of those that are refused, and why they are."""
    stamps = WallStamps(
        walls_s=np.array([seconds(each.replace(tzinfo=UTC)) for each in walls], np.int64),
        owners=np.array(owners or [0] * len(walls), np.int32),
        blank=np.array(blank or [False] * len(walls), np.bool_),
    )
    instants, faults = instants_of_stamps(stamps, zone, by_order=by_order)
    return [None if n in faults else int(at) for n, at in enumerate(instants.tolist())], faults


def around(change: datetime, step: timedelta) -> list[datetime]:
    """Ends of intervals from hours before a change to hours after it."""
    count = timedelta(hours=5) // step
    return [change + step * number for number in range(-count, count + 1)]


def shown(instant: datetime, zone: str) -> datetime:
    """What the zone's clock shows at an instant."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def label(ends: datetime, step: timedelta, zone: str, style: str) -> datetime:
    """How a file names an interval: by the instant of its end, or by its start plus its length."""
    if style == "instants":
        return shown(ends, zone)
    return shown(ends - step, zone) + step


steps = st.sampled_from([15 * MINUTE, 30 * MINUTE, 10 * MINUTE, 5 * MINUTE])


@given(
    st.sampled_from(AUTUMNS + SPRINGS), steps, st.sampled_from(["instants", "ends"]), st.booleans()
)
def test_a_file_without_holes_is_read_rightly_whatever_its_labels_and_order(
    switch: tuple[str, datetime], step: timedelta, style: str, newest_first: bool
) -> None:
    zone, change = switch
    ends = around(change, step)[:: -1 if newest_first else 1]
    walls = [label(each, step, zone, style) for each in ends]
    found, faults = read(walls, zone)
    assert faults == {}
    assert found == [seconds(each) for each in ends]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("style", ["instants", "ends"])
@pytest.mark.parametrize(("zone", "change"), AUTUMNS[:2])
def test_hours_whose_pass_is_one_label(
    zone: str, change: datetime, style: str, newest_first: bool
) -> None:
    hour = timedelta(hours=1)
    ends = around(change, hour)[:: -1 if newest_first else 1]
    found, faults = read([label(each, hour, zone, style) for each in ends], zone)
    assert (found, faults) == ([seconds(each) for each in ends], {})


@given(
    st.sampled_from(AUTUMNS),
    steps,
    st.sampled_from(["instants", "ends"]),
    st.booleans(),
    st.sets(st.integers(0, 40), min_size=1, max_size=6),
)
def test_with_rows_missing_the_hour_is_read_rightly_or_refused(
    switch: tuple[str, datetime], step: timedelta, style: str, newest_first: bool, holes: set[int]
) -> None:
    zone, change = switch
    near = [each for each in around(change, step) if abs(each - change) <= timedelta(hours=2)]
    ends = [each for number, each in enumerate(near) if number not in holes]
    ends = ends[:: -1 if newest_first else 1]
    found, _ = read([label(each, step, zone, style) for each in ends], zone)
    assert all(at is None or at == seconds(right) for at, right in zip(found, ends, strict=True))


def quarters(first: str, count: int, minutes: int = 15) -> list[datetime]:
    return [wall(first) + number * minutes * MINUTE for number in range(count)]


def test_an_hour_that_is_there_once_is_refused_with_its_end() -> None:
    """A file that always has 96 labels: nobody knows which of two hours it has."""
    walls = quarters("2024-10-27 00:15", 40)
    found, faults = read(walls, "Europe/Zurich")
    refused = [walls[number] for number in faults]
    assert refused == quarters("2024-10-27 02:00", 5)
    assert faults[7] == (
        "2024-10-27 02:00:00 happens twice in Europe/Zurich and is in the file once; "
        "write it in UTC, or its offset"
    )
    assert "2024-10-27 03:00:00 ends an hour of which rows are refused" in faults[11]
    assert found[6] == seconds(datetime(2024, 10, 26, 23, 45, tzinfo=UTC))
    assert found[12] == seconds(datetime(2024, 10, 27, 2, 15, tzinfo=UTC))
    assert read(walls, "Europe/Zurich", by_order=True)[1].keys() == faults.keys()


def test_the_end_of_the_hour_twice_is_one_row_twice_or_the_end_of_both_passes() -> None:
    walls = [wall("2024-10-27 01:30"), *[wall("2024-10-27 03:00")] * 2, wall("2024-10-27 03:30")]
    found, faults = read(walls, "Europe/Zurich")
    assert found[1:3] == [None, None]
    assert set(faults) == {1, 2}
    found, faults = read(walls, "Europe/Zurich", by_order=True)
    assert faults == {}
    assert found[1:3] == [seconds(datetime(2024, 10, 27, hour, tzinfo=UTC)) for hour in (1, 2)]


def test_runs_one_after_the_other_are_no_passes_of_one_hour() -> None:
    """Two registers below each other, each without the doubled hour."""
    once = quarters("2024-10-27 00:15", 40)
    for by_order in (False, True):
        _, faults = read([*once, *once], "Europe/Zurich", by_order=by_order)
        assert len(faults) == 10
        assert "its rows are not told apart by their order" in faults[8]


def test_both_rows_of_a_label_side_by_side_are_read_by_their_order_on_request() -> None:
    hour = [each for each in quarters("2024-10-27 02:00", 4) for _ in range(2)]
    walls = [wall("2024-10-27 01:45"), *hour, *quarters("2024-10-27 03:00", 2)]
    _, faults = read(walls, "Europe/Zurich")
    assert sorted(faults) == list(range(1, 10))
    assert "or import with --repeated-hour by-order" in faults[1]
    found, faults = read(walls, "Europe/Zurich", by_order=True)
    first = seconds(datetime(2024, 10, 27, tzinfo=UTC))
    assert faults == {}
    assert found[1:9] == [first + 900 * n + 3600 * (k == 1) for n in range(4) for k in range(2)]
    assert found[9] == first + 2 * 3600


def test_a_pass_with_a_missing_row_is_read_by_its_order_on_request() -> None:
    first, second = quarters("2024-10-27 02:00", 4), quarters("2024-10-27 02:00", 4)
    walls = [wall("2024-10-27 01:45"), *first, *second[:2], second[3], wall("2024-10-27 03:15")]
    assert len(read(walls, "Europe/Zurich")[1]) == 7
    found, faults = read(walls, "Europe/Zurich", by_order=True)
    start = seconds(datetime(2024, 10, 27, tzinfo=UTC))
    assert faults == {}
    assert found[1:8] == [start + 900 * number for number in (0, 1, 2, 3, 4, 5, 7)]


def test_a_label_three_times_is_refused_also_on_request() -> None:
    walls = [wall("2024-10-27 02:00")] * 3
    assert len(read(walls, "Europe/Zurich", by_order=True)[1]) == 3


def test_a_doubled_row_of_a_day_is_no_doubled_hour() -> None:
    walls = [wall(f"2024-10-{day} 02:30") for day in (25, 26, 27, 27, 28)]
    assert sorted(read(walls, "Europe/Zurich")[1]) == [2, 3]


def test_a_reading_at_the_end_of_the_hour_alone_is_sure() -> None:
    walls = [wall("2024-10-26 03:00"), wall("2024-10-27 03:00"), wall("2024-03-31 03:00")]
    found, faults = read(walls, "Europe/Zurich")
    assert faults == {}
    assert found[1:] == [
        seconds(datetime(2024, 10, 27, 2, tzinfo=UTC)),
        seconds(datetime(2024, 3, 31, 1, tzinfo=UTC)),
    ]


def test_the_rows_of_each_meter_are_a_file_of_their_own() -> None:
    ends = around(datetime(2024, 10, 27, 1, tzinfo=UTC), 15 * MINUTE)
    walls = [shown(each, "Europe/Zurich") for each in ends for _ in range(2)]
    found, faults = read(walls, "Europe/Zurich", owners=[0, 1] * len(ends))
    assert faults == {}
    assert found == [seconds(each) for each in ends for _ in range(2)]
    once = [walls[2 * n] for n in range(len(ends)) if not 20 <= n < 24]
    mixed = [*walls[::2], *once]
    _, faults = read(mixed, "Europe/Zurich", owners=[0] * len(ends) + [1] * len(once))
    assert min(faults) >= len(ends)


def filled(step_minutes: int, first: str, count: int) -> list[datetime]:
    return quarters(first, count, step_minutes)


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("of_ends", [True, False])
def test_fillers_of_a_table_never_count_and_leave_the_row_at_the_change(
    minutes: int, of_ends: bool
) -> None:
    """48 columns also in spring: labels of ends fill (02:00, 03:00], others [02:00, 03:00)."""
    walls = filled(minutes, "2026-03-08 00:00", 24 * 60 // minutes)
    low, high = wall("2026-03-08 02:00"), wall("2026-03-08 03:00")
    blank = [low < each <= high if of_ends else low <= each < high for each in walls]
    found, faults = read(walls, "America/New_York", blank=blank)
    assert [walls[n] for n in faults] == [
        w for w, is_blank in zip(walls, blank, strict=True) if is_blank
    ]
    change = seconds(datetime(2026, 3, 8, 7, tzinfo=UTC))
    assert found[walls.index(low if of_ends else high)] == change
    placed = [each for each in found if each is not None]
    assert placed == sorted(set(placed))


def test_fillers_that_say_something_leave_nothing_of_the_hour() -> None:
    walls = filled(30, "2026-03-08 00:00", 48)
    found, faults = read(walls, "America/New_York")
    assert [walls[n] for n in faults] == filled(30, "2026-03-08 02:00", 3)
    assert faults[4] == (
        "2026-03-08 02:00:00 does not happen in America/New_York; write it in UTC, or its offset"
    )
    assert faults[6].startswith("2026-03-08 03:00:00 ends an hour of which rows are refused")
    assert found[7] == seconds(datetime(2026, 3, 8, 7, 30, tzinfo=UTC))


def test_where_all_of_a_table_is_blank_the_row_at_the_change_is_blank_too() -> None:
    walls = filled(30, "2026-03-08 00:00", 48)
    found, faults = read(walls, "America/New_York", blank=[True] * 48)
    assert sorted(faults) == [4, 5]
    assert found[6] == seconds(datetime(2026, 3, 8, 7, tzinfo=UTC))


def test_days_whose_midnight_does_not_exist_begin_at_the_change() -> None:
    walls = [wall(f"2026-09-{day:02}") for day in (5, 6, 7)]
    found, faults = read(walls, "America/Santiago")
    assert faults == {}
    assert found[1] == seconds(datetime(2026, 9, 6, 4, tzinfo=UTC))


def test_stamps_out_of_all_years_are_refused_alone() -> None:
    walls = [wall("1960-01-01"), wall("2250-01-01"), wall("2026-01-05")]
    assert sorted(read(walls, "Europe/Zurich")[1]) == [0, 1]
