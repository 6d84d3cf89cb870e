"""Tables of zones and sums by local periods against `zoneinfo`, asked for every quarter-hour."""

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.metering.resample import Sampling, buckets
from commonwatt.domain.metering.zones import local_midnight, offset_changes, utc_offsets
from commonwatt.formats.stamps.wall_times import instants_of_wall_times

AWKWARD = [
    "Europe/Zurich",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Europe/Dublin",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "America/Sao_Paulo",
]
FIRST_AT = int(datetime.fromisoformat("1970-01-05T00:00Z").timestamp())
LAST_AT = int(datetime.fromisoformat("2099-12-31T00:00Z").timestamp())

zones = st.one_of(st.sampled_from(AWKWARD), st.sampled_from(sorted(available_timezones())))


@st.composite
def instants_near_changes(draw: st.DrawFn, zone: str) -> int:
    """Return an instant, half of them within two days of a change of offset."""
    instant_at = draw(st.integers(FIRST_AT, LAST_AT))
    changes = offset_changes(zone, instant_at, min(instant_at + 400 * 86_400, LAST_AT))
    upcoming = [at for at in changes.starts_at.tolist() if at >= instant_at]
    near_a_change: bool = draw(st.booleans())
    if upcoming and near_a_change:
        return int(upcoming[0]) + draw(st.integers(-2 * 86_400, 2 * 86_400))
    return instant_at


@given(zone=zones, data=st.data())
def test_offsets_are_those_of_zoneinfo(zone: str, data: st.DataObject) -> None:
    instants_at = data.draw(st.lists(instants_near_changes(zone), min_size=1, max_size=20))
    info = ZoneInfo(zone)

    for asked in (instants_at, sorted(instants_at)):
        offsets = utc_offsets(zone, np.array(asked))

        expected = [datetime.fromtimestamp(at, info).utcoffset() for at in asked]
        assert [timedelta(seconds=offset) for offset in offsets.tolist()] == expected


@given(zone=zones, data=st.data())
def test_local_midnight_is_the_first_instant_of_its_date(zone: str, data: st.DataObject) -> None:
    instant_at = data.draw(instants_near_changes(zone))
    info = ZoneInfo(zone)
    local_date = datetime.fromtimestamp(instant_at, info).date()

    midnight_at = local_midnight(zone, local_date)

    assert datetime.fromtimestamp(midnight_at, info).date() == local_date
    for before_s in (*range(1, 120), *range(120, 90_000, 60)):
        assert datetime.fromtimestamp(midnight_at - before_s, info).date() < local_date


@given(zone=zones, data=st.data())
def test_a_wall_time_leads_back_to_its_instant_unless_it_has_two(
    zone: str, data: st.DataObject
) -> None:
    instant_at = data.draw(instants_near_changes(zone))
    local = datetime.fromtimestamp(instant_at, ZoneInfo(zone))

    wall = np.datetime64(local.replace(tzinfo=None), "s")
    instants, faults = instants_of_wall_times(np.array([wall.astype(np.int64)]), zone)

    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        assert "happens twice" in faults[0]
    else:
        assert (instants.tolist(), faults) == ([instant_at], {})


def label_of(local: datetime, sampling: Sampling) -> tuple[object, ...]:
    """Return what tells the local period of a time from every other."""
    return {
        Sampling.QUARTER_HOUR: (local.utcoffset(), local.timestamp()),
        Sampling.HOUR: (local.utcoffset(), local.year, local.month, local.day, local.hour),
        Sampling.DAY: (local.year, local.month, local.day),
        Sampling.MONTH: (local.year, local.month),
        Sampling.YEAR: (local.year,),
    }[sampling]


@given(
    zone=zones,
    sampling=st.sampled_from(Sampling),
    gaps=st.lists(
        st.one_of(st.just(1), st.integers(1, 9), st.integers(1, 9000)), min_size=1, max_size=150
    ),
    data=st.data(),
)
def test_periods_equal_sums_of_their_quarters(
    zone: str, sampling: Sampling, gaps: list[int], data: st.DataObject
) -> None:
    first = data.draw(instants_near_changes(zone)) // 900
    quarters = first + np.cumsum(gaps)
    values = np.arange(1, quarters.size + 1, dtype=np.int32) * 7919 - 40_000
    qualities = (values % 6).astype(np.uint8)

    periods = buckets(quarters, zone, sampling)

    info = ZoneInfo(zone)
    expected: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for position, quarter in enumerate(quarters.tolist()):
        local = datetime.fromtimestamp(quarter * 900, info)
        expected[label_of(local, sampling)].append(position)
    labels = [
        label_of(datetime.fromtimestamp(start, info), sampling)
        for start in periods.starts_at.tolist()
    ]
    assert np.all(np.diff(periods.starts_at) > 0)
    assert set(labels) == set(expected)
    assert len(labels) == len(expected)
    members = [expected[label] for label in labels]
    assert periods.sum(values).tolist() == [int(values[rows].sum()) for rows in members]
    assert periods.min(qualities).tolist() == [int(qualities[rows].min()) for rows in members]
    flags = qualities == 0
    assert periods.any(flags).tolist() == [bool(flags[rows].any()) for rows in members]
    if sampling is not Sampling.QUARTER_HOUR:
        for start, label in zip(periods.starts_at.tolist(), labels, strict=True):
            assert label_of(datetime.fromtimestamp(start - 1, info), sampling) != label
