import json

import pytest

from commonwatt.climkit_v1.requests import (
    BadRequestField,
    Period,
    SeriesRequest,
    parse_meter_data_request,
    parse_meter_type,
    parse_raw_request,
    parse_sensor_query,
    parse_site_data_request,
    parse_time,
)
from commonwatt.climkit_v1.words import MeterType, SamplingFrequency

NOW_AT = 1_774_160_000  # 2026-03-22 06:13:20 UTC
DAY_S = 86_400
LAST_DAY = SeriesRequest(Period(NOW_AT - DAY_S, NOW_AT), SamplingFrequency.QUARTER_HOUR)


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("empty", [b"", b" \n", b"null", b"{}", b'{"t_s": null, "t_e": null}'])
def test_without_anything_the_last_day_in_quarter_hours(empty: bytes) -> None:
    assert parse_meter_data_request(empty, NOW_AT) == LAST_DAY
    assert parse_site_data_request(empty, NOW_AT) == LAST_DAY


@pytest.mark.parametrize("empty", [b"", b"null", b"{}", b'{"t_s": null}'])
def test_without_a_period_raw_means_the_latest(empty: bytes) -> None:
    assert parse_raw_request(empty, NOW_AT) is None


@pytest.mark.parametrize("query", [{}, {"t_s": ""}, {"t_s": "", "t_e": ""}, {"other": "x"}])
def test_without_a_period_a_sensor_means_the_latest(query: dict[str, str]) -> None:
    assert parse_sensor_query(query, NOW_AT) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-03-22T05:30:00", 1_774_157_400, id="T"),
        pytest.param("2026-03-22 05:30:00", 1_774_157_400, id="blank"),
        pytest.param("2026-03-22T05:30", 1_774_157_400, id="no seconds"),
        pytest.param("2026-03-22T05:30:00Z", 1_774_157_400, id="Z"),
        pytest.param("2026-03-22T05:30:00.999999", 1_774_157_400, id="microseconds"),
        pytest.param("2026-03-22T05:30:00.123456789Z", 1_774_157_400, id="nanoseconds"),
        pytest.param("2026-03-22 06:30:00+01:00", 1_774_157_400, id="as answered"),
        pytest.param("2026-03-22T11:00:00+0530", 1_774_157_400, id="half hour, no colon"),
        pytest.param("2026-03-22T00:30:00-05:00", 1_774_157_400, id="west"),
        pytest.param("2026-03-22", 1_774_137_600, id="date"),
        pytest.param("1969-12-31T23:59:58.9", -2, id="fraction cut, not rounded to zero"),
        pytest.param("0001-01-01", -62_135_596_800, id="first"),
        pytest.param("9999-12-31T23:59:59", 253_402_300_799, id="last"),
    ],
)
def test_times_that_clients_write(text: str, expected: int) -> None:
    assert parse_time("t_s", text) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-02-29",
        "2026-13-01",
        "2026-03-22T24:00:00",
        "2026-03-22T05:30:60",
        "2026-03-22T05:30:00+24:00",
        "2026-03-22T05:30:00+01:60",
        "2026-03-22T",
        "2026-03-22x05:30:00",
        "20260322",
        "0000-01-01",
        "10000-01-01",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-03-22",
        "2026-03-22\n",
        1_774_157_400,
        1.5,
        True,
        [],
        {},
        {"$date": None},
        {"$date": True},
        {"$date": 1.5},
        {"$date": 10**18},
        {"$date": -(10**18)},
    ],
)
def test_what_is_no_time_is_refused_by_name(value: object) -> None:
    with pytest.raises(
        BadRequestField, match=r"^t_e must be a time such as 2026-03-22T05"
    ) as error:
        parse_meter_data_request(body(t_e=value), NOW_AT)
    assert error.value.field == "t_e"


def test_a_plus_lost_in_a_query_is_explained() -> None:
    with pytest.raises(BadRequestField, match="%2B"):
        parse_sensor_query({"t_s": "2026-03-22T05:30:00 01:00"}, NOW_AT)


def test_mongo_dates_are_cut_to_seconds() -> None:
    period = parse_raw_request(body(t_s={"$date": -1}, t_e={"$date": 1999}), NOW_AT)
    assert period == Period(-1, 1)


def test_without_t_s_a_day_before_t_e() -> None:
    request = parse_meter_data_request(body(t_e="2026-03-01"), NOW_AT)
    assert request.period == Period(1_772_323_200 - DAY_S, 1_772_323_200)
    assert parse_raw_request(body(t_e="2026-03-01"), NOW_AT) == request.period


def test_without_t_e_until_now() -> None:
    request = parse_meter_data_request(body(t_s="2026-03-01", t_e=None), NOW_AT)
    assert request.period == Period(1_772_323_200, NOW_AT)


def test_a_future_t_e_is_fine() -> None:
    request = parse_meter_data_request(body(t_e="2027-01-01"), NOW_AT)
    assert request.period.end_at > NOW_AT


def test_a_period_that_begins_in_the_future_is_empty_not_wrong() -> None:
    period = parse_meter_data_request(body(t_s="2027-01-01"), NOW_AT).period
    assert period.start_at == period.end_at > NOW_AT


def test_t_s_after_t_e_is_refused() -> None:
    with pytest.raises(BadRequestField, match=r"^t_s must not be after t_e"):
        parse_meter_data_request(body(t_s="2026-03-02", t_e="2026-03-01"), NOW_AT)


@pytest.mark.parametrize("word", ["15T", "H", "D", "M", "Y"])
def test_sampling_frequencies(word: str) -> None:
    request = parse_meter_data_request(body(sampling_frequency=word), NOW_AT)
    assert request.sampling_frequency == word


@pytest.mark.parametrize("word", ["15min", "h", "", "W", 15, True, [], {}, 1.5])
def test_other_sampling_frequencies_are_refused_with_the_allowed(word: object) -> None:
    with pytest.raises(
        BadRequestField, match=r"^sampling_frequency must be one of 15T, H, D, M, Y$"
    ):
        parse_meter_data_request(body(sampling_frequency=word), NOW_AT)


def test_only_a_site_has_columns_of_meters() -> None:
    assert parse_site_data_request(body(meters=True), NOW_AT).meters
    assert not parse_site_data_request(body(meters=None), NOW_AT).meters
    assert not parse_meter_data_request(body(meters=True), NOW_AT).meters
    assert not parse_meter_data_request(body(meters="unknown here, so ignored"), NOW_AT).meters
    with pytest.raises(BadRequestField, match=r"^meters must be true or false"):
        parse_site_data_request(body(meters="yes"), NOW_AT)


@pytest.mark.parametrize(
    "wrong", [b"{", b"[]", b"1", b'"2026-03-22"', b'{"t_s": NaN}', b"\xff", b"t_s=2026"]
)
def test_a_body_that_is_no_object_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadRequestField, match=r"^body must be a JSON object"):
        parse_raw_request(wrong, NOW_AT)


def test_meter_types_are_those_of_the_spec() -> None:
    assert parse_meter_type("charge_point") is MeterType.CHARGE_POINT
    with pytest.raises(BadRequestField, match=r"^meter_type must be one of electricity, heating"):
        parse_meter_type("Electricity")
