"""Local periods and month ends as the server's own arithmetic has them, in odd zones too."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commonwatt.client.series.local_periods import parts, period_end, period_start, period_starts
from commonwatt.client.stamps import instant_of, received_instants
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.metering.resample import Sampling, period_ends

ZONES = [
    "Europe/Zurich",
    "UTC",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "America/Havana",
    "America/Sao_Paulo",
    "Pacific/Apia",
]
SAMPLINGS = {
    SamplingFrequency.QUARTER_HOUR: Sampling.QUARTER_HOUR,
    SamplingFrequency.HOUR: Sampling.HOUR,
    SamplingFrequency.DAY: Sampling.DAY,
    SamplingFrequency.MONTH: Sampling.MONTH,
    SamplingFrequency.YEAR: Sampling.YEAR,
}
# Whole quarter-hours of 1990 to 2037.
instants = st.integers(631_152_000 // 900, 2_145_916_800 // 900).map(lambda quarter: quarter * 900)
zones = st.sampled_from(ZONES).map(ZoneInfo)
samplings = st.sampled_from(list(SamplingFrequency))

FORMS = [
    "%Y-%m-%d %H:%M:%S%:z",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%f%:z",
    "%Y-%m-%dT%H:%M%:z",
    "%Y-%m-%dT%H%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y%m%dT%H%M%S%z",
    "%G-W%V-%uT%H:%M:%S%z",
    "%G-W%V-%H%M%:z",
    "%Y-%m-%d %H:%M:%S%:z and more",
    "%d.%m.%Y %H:%M",
    "%Y-%m-%d",
]


@st.composite
def written_stamps(draw: st.DrawFn) -> str:
    """An instant as a server may write it, or nearly so."""
    offset = dt.timezone(dt.timedelta(minutes=draw(st.integers(-14 * 60, 14 * 60))))
    moment = draw(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 1, 1)))  # noqa: DTZ001
    form = draw(st.sampled_from(FORMS))
    zone_text = dt.datetime.isoformat(moment.replace(tzinfo=offset))[-6:]
    return moment.replace(tzinfo=offset).strftime(form.replace("%:z", zone_text))


stamps = written_stamps()


@given(instants, zones, samplings)
def test_periods_end_where_the_servers_end(
    instant_at: int, zone: ZoneInfo, sampling: SamplingFrequency
) -> None:
    start_at = period_start(instant_at, zone, sampling)
    end_at = period_end(start_at, zone, sampling)

    assert start_at <= instant_at < end_at
    [expected_at] = period_ends(np.array([start_at]), zone.key, SAMPLINGS[sampling])
    assert end_at == expected_at


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("sampling", [SamplingFrequency.HOUR, SamplingFrequency.DAY])
def test_periods_of_two_years_follow_one_another(zone: str, sampling: SamplingFrequency) -> None:
    window = 1_293_840_000, 1_356_998_400  # 2011, when Apia had no 30 December, and 2012
    starts_at = list(period_starts(window, ZoneInfo(zone), sampling))

    ends_at = period_ends(np.array(starts_at), zone, SAMPLINGS[sampling])
    assert starts_at[1:] == ends_at[:-1].tolist()


@given(instants, st.integers(0, 400 * 96), zones, st.sampled_from([None, *SamplingFrequency]))
def test_parts_follow_one_another_and_are_no_longer_than_a_month_or_year(
    start_at: int, quarters: int, zone: ZoneInfo, sampling: SamplingFrequency | None
) -> None:
    window = start_at, start_at + quarters * 900
    found = parts(window, zone, sampling)

    edges = [window[0], *(end_at for _, end_at in found)]
    if quarters:
        assert list(pairwise(edges)) == found
        assert edges[-1] == window[1]
    for _, end_at in found[:-1]:
        assert dt.datetime.fromtimestamp(end_at, zone).day == 1


@given(instants, zones)
def test_a_date_is_the_first_instant_of_its_day(instant_at: int, zone: ZoneInfo) -> None:
    day = dt.datetime.fromtimestamp(instant_at, zone).date()
    start_at = period_start(instant_at, zone, SamplingFrequency.DAY)

    assert instant_of(day, zone) == start_at
    for form in ("%Y-%m-%d", "%Y%m%d", "%G-W%V-%u", "%GW%V%u"):
        assert instant_of(day.strftime(form), zone) == start_at


@given(instants, zones)
def test_an_instant_is_understood_however_it_is_written(instant_at: int, zone: ZoneInfo) -> None:
    moment = dt.datetime.fromtimestamp(instant_at, zone)
    naive_utc = moment.astimezone(dt.UTC).replace(tzinfo=None)

    for written in (moment, moment.isoformat(), str(moment), naive_utc, naive_utc.isoformat()):
        assert instant_of(written, zone) == instant_at
    assert received_instants([str(moment)], zone) == [instant_at]


@example(["2026-W12-1510+01:00"])  # 15:10 of the first day of a week, and no day beside it
@given(st.lists(stamps, min_size=1, max_size=6))
def test_stamps_that_come_again_and_again_mean_what_each_means_alone(texts: list[str]) -> None:
    naive_zone = ZoneInfo("Etc/GMT-5")
    try:
        alone = [received_instants([text], naive_zone)[0] for text in texts]
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # whatever the parser says of it
            received_instants(texts * 8, naive_zone)
    else:
        assert received_instants(texts * 8, naive_zone) == alone * 8


@pytest.mark.parametrize("day", [dt.date(2025, 10, 26), dt.date(2026, 3, 29)], ids=str)
def test_naive_stamps_of_the_site_are_told_apart_by_their_order(day: dt.date) -> None:
    """The doubled hour comes twice, first with the earlier offset."""
    zurich = ZoneInfo("Europe/Zurich")
    first_at = int(dt.datetime.combine(day, dt.time(), zurich).timestamp())
    stamps_at = [first_at + 900 * position for position in range(96)]
    walls = [str(dt.datetime.fromtimestamp(at, zurich).replace(tzinfo=None)) for at in stamps_at]

    assert received_instants(walls, zurich) == stamps_at
