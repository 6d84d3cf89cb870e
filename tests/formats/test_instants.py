"""Stamps: the columns agree with `datetime`, and everything else is named."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.formats.errors import BadValue
from commonwatt.formats.stamps.instants import parse_instant, parse_instants
from commonwatt.formats.stamps.wall_times import instants_of_wall_times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@st.composite
def stamps(draw: st.DrawFn) -> tuple[str, int, int, bool]:
    """A stamp as senders write it: text, Unix seconds, microseconds, naive."""
    moment = EPOCH.replace(tzinfo=None) + draw(st.integers(-(6 * 10**10), 2 * 10**11)) * SECOND
    moment = moment.replace(microsecond=draw(st.integers(0, 999_999)))
    text = moment.strftime("%m-%d") + draw(st.sampled_from("T ")) + moment.strftime("%H:%M:%S")
    text = f"{moment.year:04}-{text}"
    digits = draw(st.integers(0, 6))
    micros = 0
    if digits:
        fraction = f"{moment.microsecond:06}"[:digits]
        text += "." + fraction
        micros = int(fraction.ljust(6, "0"))
    offset_min = draw(st.none() | st.just("Z") | st.integers(-1439, 1439))
    minutes = offset_min if isinstance(offset_min, int) else 0
    if isinstance(offset_min, int):
        sign = "-" if minutes < 0 else "+"
        text += f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    elif offset_min:
        text += "Z"
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    return text, (zoned - EPOCH) // SECOND, micros, offset_min is None


@given(st.lists(stamps(), max_size=20))
def test_columns_agree_with_datetime(said: list[tuple[str, int, int, bool]]) -> None:
    instants = parse_instants([text for text, *_ in said])
    assert not instants.faults
    assert instants.seconds.tolist() == [seconds for _, seconds, _, _ in said]
    assert instants.micros.tolist() == [micros for _, _, micros, _ in said]
    assert instants.naive.tolist() == [naive for *_, naive in said]


@given(stamps(), st.integers(0, 40), st.characters(codec="utf-8"))
def test_a_damaged_stamp_reads_the_same_in_a_column_and_alone(
    said: tuple[str, int, int, bool], place: int, character: str
) -> None:
    damaged = said[0][:place] + character + said[0][place + 1 :]
    column = parse_instants([said[0], damaged])
    assert column.seconds[0] == said[1]
    if 1 in column.faults:
        with pytest.raises(BadValue) as raised:
            parse_instant(damaged)
        assert str(raised.value) == column.faults[1]
    else:
        alone = parse_instant(damaged)
        assert alone == (column.seconds[1], column.micros[1], column.naive[1])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-01-05", 1_767_571_200),
        ("2400-02-29T00:00:00", 13_574_563_200),
        ("2024-02-29T00:00:00", 1_709_164_800),
        ("2026-01-05T10:15", 1_767_608_100),
        ("2026-01-05 10:15Z", 1_767_608_100),
        ("2026-01-05T10:15:03,25Z", 1_767_608_103),
        ("2026-01-05T10:15:03+0100", 1_767_604_503),
        ("2026-01-05T10:15:03-01", 1_767_611_703),
        ("2026-01-05 10:15:03 +01:00", 1_767_604_503),
        ("2026-01-05T10:15:03z", 1_767_608_103),
        ({"$date": 1_767_608_103_999}, 1_767_608_103),
        ({"$date": -1}, -1),
        ({"$date": "2026-01-05T10:15:03Z"}, 1_767_608_103),
    ],
)
def test_less_usual_forms(value: object, seconds: int) -> None:
    instants = parse_instants([value])
    assert not instants.faults
    assert instants.seconds.tolist() == [seconds]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "None is not a stamp; write it as 2026-01-31T12:15:00Z"),
        (1_767_608_103, "1767608103 is not a stamp"),
        (True, "True is not a stamp"),
        ("", "'' is not a stamp"),
        ("yesterday", "'yesterday' is not a stamp"),
        ("2026-02-29T00:00:00", "does not exist (day is out of range for month)"),
        ("1900-02-29T00:00:00", "does not exist (day is out of range for month)"),
        ("2026-13-01T00:00:00", "does not exist (month must be in 1..12)"),
        ("2026-01-05T24:00:00", "does not exist (hour must be in 0..23)"),
        ("2026-01-05T10:15:60", "does not exist (second must be in 0..59)"),
        ("0000-01-05T10:15:00", "does not exist (year 0 is out of range)"),
        ("2026-01-05T10:15:00+24:00", "the offset of '2026-01-05T10:15:00+24:00' does not exist"),
        ("2026-01-05T10:15:00.", "is not a stamp"),
        ("2026-01-05Z", "is not a stamp"),
        ("２０２６-01-05T10:15:00", "is not a stamp"),
        ({"$date": 1.5}, 'under "$date" must be whole milliseconds'),
        ({"$date": True}, 'under "$date" must be whole milliseconds'),
        ("0001-01-01T00:00:00+23:00", "is outside the years 2 to 9998"),
        ("0001-12-31T23:59:59Z", "is outside the years 2 to 9998"),
        ("0002-01-01 00:00:00+00:01", "is outside the years 2 to 9998"),
        ("0002-01-01 00:00+0001", "is outside the years 2 to 9998"),
        ("9999-01-01", "is outside the years 2 to 9998"),
        ("9999-12-31T23:59:59-23:59", "is outside the years 2 to 9998"),
        ("9998-12-31T23:59:59.5-00:01", "is outside the years 2 to 9998"),
        ({"$date": 10**18}, "outside the years 2 to 9998"),
        ({"$date": "9999-01-01T00:00:00Z"}, "outside the years 2 to 9998"),
        ({"$date": 1, "x": 2}, "is not a stamp"),
    ],
)
def test_what_is_no_stamp_is_named(value: object, says: str) -> None:
    [(position, reason)] = parse_instants([value]).faults.items()
    assert position == 0
    assert says in reason


def test_the_edges_of_the_calendar_that_is_read() -> None:
    read = parse_instants(
        ["0002-01-01T00:00:00Z", "9998-12-31T23:59:59Z", "9999-01-01T00:00:00+01:00"]
    )
    assert not read.faults
    shown = [(EPOCH + int(seconds) * SECOND).year for seconds in read.seconds]
    assert shown == [2, 9998, 9998]


def test_wall_times_across_both_switches() -> None:
    texts = ["2026-03-29 01:59:59", "2026-03-29 02:30:00", "2026-03-29 03:00:00"]
    texts += ["2026-10-25 01:59:59", "2026-10-25 02:30:00", "2026-10-25 03:00:00"]
    walls_s = parse_instants(texts).seconds
    instants, faults = instants_of_wall_times(walls_s, "Europe/Zurich")
    assert faults.keys() == {1, 4}
    assert faults[1].startswith("2026-03-29 02:30:00 does not happen in Europe/Zurich")
    assert faults[4].startswith("2026-10-25 02:30:00 happens twice in Europe/Zurich")
    hours = [1, 0, 2, 2, 0, 1]
    good = [0, 2, 3, 5]
    assert instants[good].tolist() == [int(walls_s[at]) - 3600 * hours[at] for at in good]


@given(
    st.lists(st.integers(86_400 * 3, 4_000_000_000), min_size=1, max_size=10),
    st.sampled_from(["Europe/Zurich", "Australia/Lord_Howe", "Africa/Cairo", "Antarctica/Troll"]),
)
def test_wall_times_show_on_the_clock_of_their_zone(walls: list[int], zone: str) -> None:
    from zoneinfo import ZoneInfo

    instants, faults = instants_of_wall_times(np.array(walls), zone)
    for position, wall_s in enumerate(walls):
        naive = (EPOCH + wall_s * SECOND).replace(tzinfo=None)
        both = {naive.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
        shown = {m for m in both if m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive}
        if len(shown) == 1:
            assert position not in faults
            assert EPOCH + int(instants[position]) * SECOND == shown.pop()
        else:
            assert ("twice" if shown else "does not") in faults[position]


def test_wall_times_of_other_centuries_cost_only_their_own_row() -> None:
    instants, faults = instants_of_wall_times(np.array([-(10**10), 86_400 * 300]), "Europe/Zurich")
    assert faults == {0: "1653-02-10 06:13:20 is outside the years 1970 to 2199"}
    assert instants[1] == 86_400 * 300 - 3600
