"""Whatever is sent, a request is understood or refused by naming a field."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from commonwatt.climkit_v1.requests import (
    BadRequestField,
    Period,
    SeriesRequest,
    parse_meter_data_request,
    parse_raw_request,
    parse_sensor_query,
    parse_site_data_request,
    parse_time,
)

NOW_AT = 1_790_000_000
KEYS = ["t_s", "t_e", "sampling_frequency", "meters", "$date", "other"]

almost_times = st.one_of(
    st.datetimes(timezones=st.none() | st.just(UTC)).map(str),
    st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,9})?)?"
        r"(Z|[+-][0-9]{2}:?[0-9]{2})?\Z"
    ),
    st.text(max_size=30),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), almost_times, st.sampled_from(KEYS)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=6,
)
bodies = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(str.encode),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(KEYS), values).map(lambda value: json.dumps(value).encode()),
    st.integers(1, 3000).map(lambda depth: b"[" * depth),
    st.integers(300, 5000).map(lambda count: b'{"t_s": {"$date": ' + b"9" * count + b"}}"),
)


def outcome(parse: Callable[[], SeriesRequest | Period | None]) -> object:
    """Return what was understood, or the error that refused it."""
    try:
        understood = parse()
    except BadRequestField as error:
        return error
    return understood.period if isinstance(understood, SeriesRequest) else understood


@given(bodies)
def test_any_body_is_understood_or_refused_by_field(body: bytes) -> None:
    for parse in (parse_meter_data_request, parse_site_data_request, parse_raw_request):
        found = outcome(partial(parse, body, NOW_AT))

        if isinstance(found, BadRequestField):
            assert found.field in {"body", "t_s", "t_e", "sampling_frequency", "meters"}
            assert str(found).startswith(f"{found.field} must ")
        else:
            assert found is None or (isinstance(found, Period) and found.start_at <= found.end_at)


@given(st.dictionaries(st.sampled_from(KEYS), almost_times))
def test_any_query_is_understood_or_refused_by_field(query: dict[str, str]) -> None:
    found = outcome(partial(parse_sensor_query, query, NOW_AT))

    if isinstance(found, BadRequestField):
        assert found.field in {"t_s", "t_e"}
    else:
        assert (found is None) == (not query.get("t_s") and not query.get("t_e"))


@given(
    time=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001
    separator=st.sampled_from("T t"),
    offset_minutes=st.none() | st.integers(-1439, 1439),
)
def test_written_times_are_read_to_the_second(
    time: datetime, separator: str, offset_minutes: int | None
) -> None:
    zone = UTC if offset_minutes is None else timezone(timedelta(minutes=offset_minutes))
    text = time.isoformat(sep=separator)
    if offset_minutes is not None:
        text += str(time.replace(tzinfo=zone))[-6:]

    instant_at = parse_time("t_s", text)

    whole_second = time.replace(tzinfo=zone, microsecond=0)
    assert datetime.fromtimestamp(instant_at, UTC) == whole_second
