"""Servers that read naive times as UTC, and servers that read them as wall time of the site."""

import datetime as dt
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest

from commonwatt.bootstrap import Application
from commonwatt.client import Climkit, Series
from tests.api import building
from tests.api.conftest import PASSWORD, populate, token
from tests.api.serving import application_of, client_of, served
from tests.client.conftest import FAST
from tests.client.scripted import (
    METER,
    METER_DATA,
    SENSOR,
    SENSOR_DATA,
    SITE,
    Asked,
    Reply,
    Script,
    ScriptedServer,
)

ZURICH = ZoneInfo(building.ZONE)
# The days on which the clock goes back and forward, with a day before and after each.
AUTUMN = (dt.datetime(2025, 10, 25), dt.datetime(2025, 10, 28))  # noqa: DTZ001  # wall times
SPRING = (dt.datetime(2026, 3, 28), dt.datetime(2026, 3, 31))  # noqa: DTZ001
SEASONS = pytest.mark.parametrize("days", [AUTUMN, SPRING], ids=["autumn", "spring"])

Days = tuple[dt.datetime, dt.datetime]
Reading = Literal["utc", "local"]


class ReadsBoth:
    """A server that below /local takes t_s and t_e for wall times of the site.

    As the vendor's own seems to.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").startswith("/local/"):
            await self._app(scope, receive, send)
            return
        scope["path"] = scope["path"].removeprefix("/local")
        query = _in_utc(dict(parse_qsl(scope["query_string"].decode())))
        scope["query_string"] = urlencode(query).encode()
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        body = json.dumps(_in_utc(json.loads(body))).encode() if body else body
        scope["headers"] = [
            (name, str(len(body)).encode() if name == b"content-length" else value)
            for name, value in scope["headers"]
        ]

        rewritten_whole: list[dict[str, object]] = [
            {"type": "http.request", "body": body, "more_body": False}
        ]

        async def rewritten() -> dict[str, object]:
            # After the body the client's end is waited for, as a server does.
            return rewritten_whole.pop() if rewritten_whole else await receive()

        await self._app(scope, rewritten, send)


def _in_utc(fields: dict[str, Any]) -> dict[str, Any]:
    for name in {"t_s", "t_e"} & set(fields):
        wall = dt.datetime.fromisoformat(fields[name])
        assert wall.tzinfo is None, "requests bear no zone"
        moment = wall.replace(tzinfo=ZURICH).astimezone(dt.UTC)
        fields[name] = moment.replace(tzinfo=None).isoformat()
    return fields


def at(wall: dt.datetime) -> int:
    """A wall time's instant."""
    return int(wall.replace(tzinfo=ZURICH).timestamp())


def readings() -> list[dict[str, object]]:
    """An index around both switch days, each quarter-hour of which has its own number of litres."""
    rows: list[dict[str, object]] = []
    for first, end in (AUTUMN, SPRING):
        litre = 0  # a register that begins anew: what lies between is missing
        for stamp in range(at(first) - 2 * 86_400, at(end) + 2 * 86_400 + 1, 900):
            litre += stamp // 900 % 499
            rows.append(
                {
                    "meter": building.WATER,
                    "timestamp": building.utc(stamp),
                    "vol_m3": litre / 1000,
                }
            )
    return rows


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Reading, str]]:
    """Give two addresses of one store, by how they read naive times."""
    application = application_of(tmp_path_factory.mktemp("served"))
    populate(application.store)
    reads_both = cast("Application", SimpleNamespace(app=ReadsBoth(application.app)))
    with served(reads_both) as url:
        with client_of(url, token(url, "gateway")) as gateway:
            path = f"/commonwatt/v1/sites/{building.SITE}/readings"
            receipt = gateway.put(path, json=readings()).json()
            assert receipt["rejected"] == [], receipt
        yield {"utc": f"{url}/api/v1", "local": f"{url}/local/api/v1"}


def client(addresses: dict[Reading, str], reading: Reading, **options: Any) -> Climkit:
    """A client of one of the two."""
    return Climkit(addresses[reading], "reader", PASSWORD, requests_per_second=FAST, **options)


def litres(series: Series, column: str) -> list[int]:
    """Values as whole litres."""
    return [round(value * 1000) for value in series[column] if value is not None]


def expected_quarters(first_at: int, end_at: int) -> tuple[list[int], list[int]]:
    """Starts and litres of the quarter-hours of a window, told by hand."""
    starts_at = list(range(first_at, end_at, 900))
    return starts_at, [(start_at // 900 + 1) % 499 for start_at in starts_at]


@SEASONS
@pytest.mark.parametrize("reading", ["utc", "local"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "found out"])
def test_quarter_hours_are_the_same_either_way(
    addresses: dict[Reading, str], days: Days, reading: Reading, told: bool
) -> None:
    first_at, end_at = at(days[0]), at(days[1])
    with client(addresses, reading, naive_time=reading if told else "auto") as climkit:
        for _ in range(2):  # once not knowing, once perhaps knowing
            series = climkit.meter_data(
                building.SITE, building.WATER, days[0].date(), days[1].date()
            )
            assert (series.starts_at, litres(series, "total")) == expected_quarters(
                first_at, end_at
            )
            assert series.gaps() == []


@SEASONS
@pytest.mark.parametrize("reading", ["utc", "local"])
@pytest.mark.parametrize("naive_time", ["auto", "told"])
def test_windows_within_the_switch_day_lose_nothing(
    addresses: dict[Reading, str], days: Days, reading: Reading, naive_time: str
) -> None:
    """Each hour of the three days by itself, the doubled and the missing one among them."""
    told: Any = reading if naive_time == "told" else "auto"
    joined: list[int] = []
    first_at, end_at = at(days[0]), at(days[1])
    with client(addresses, reading, naive_time=told) as climkit:
        for hour_at in range(first_at, end_at, 3600):
            start, end = (dt.datetime.fromtimestamp(hour_at + s, dt.UTC) for s in (0, 3600))
            series = climkit.meter_data(building.SITE, building.WATER, start, end)
            joined += series.starts_at

    assert joined == expected_quarters(first_at, end_at)[0]


@SEASONS
@pytest.mark.parametrize("reading", ["utc", "local"])
@pytest.mark.parametrize("sampling", ["H", "D", "M", "Y"])
def test_longer_periods_are_whole_and_the_same_either_way(
    addresses: dict[Reading, str], days: Days, reading: Reading, sampling: str
) -> None:
    """Each is the sum of the quarter-hours in it, also the first and the last."""
    end = days[1].date()
    start = days[0].date() if sampling in {"H", "D"} else end.replace(month=1, day=1)
    with client(addresses, reading) as climkit:
        series = climkit.meter_data(building.SITE, building.WATER, start, end, sampling)
        quarters = climkit.meter_data(building.SITE, building.WATER, "2025-10-01", "2026-04-05")

    values = dict(zip(quarters.starts_at, litres(quarters, "total"), strict=True))
    sums = [
        sum(values.get(start_at, 0) for start_at in range(start_at, end_at, 900))
        for start_at, end_at in zip(series.starts_at, series.ends_at, strict=True)
    ]
    hours = 73 if days is AUTUMN else 71
    assert litres(series, "total") == sums
    assert len(series) == {"H": hours, "D": 3, "M": 1, "Y": 1}[sampling]


@SEASONS
@pytest.mark.parametrize("reading", ["utc", "local"])
def test_readings_are_the_same_either_way(
    addresses: dict[Reading, str], days: Days, reading: Reading
) -> None:
    with client(addresses, reading) as climkit:
        series = climkit.meter_data_raw(
            building.SITE, building.WATER, days[0].date(), days[1].date()
        )

    assert series.starts_at == expected_quarters(at(days[0]), at(days[1]))[0]


@pytest.mark.parametrize("reading", ["utc", "local"])
def test_a_client_finds_out_which_it_is(addresses: dict[Reading, str], reading: Reading) -> None:
    with client(addresses, reading) as climkit:
        # Fifteen hours before and after are asked too, and bear data.
        climkit.meter_data(building.SITE, building.WATER, "2026-04-01T00:00", "2026-04-01T01:00")
        assert climkit.naive_time == reading


@pytest.mark.parametrize("reading", ["utc", "local"])
def test_what_proves_nothing_is_not_taken_for_a_proof(
    addresses: dict[Reading, str], reading: Reading
) -> None:
    with client(addresses, reading) as climkit:
        # All there is lies well within both readings.
        climkit.meter_data(building.SITE, building.WATER, "2025-10-15", "2025-10-31")
        assert climkit.naive_time == "auto"


def quarters(reads: dt.tzinfo, answers: dt.tzinfo | None) -> Script:
    """Has every quarter-hour; reads naive times as of a zone, and stamps in one or in seconds."""

    def answer(asked: Asked) -> Reply:
        first_at, last_at = (
            int(dt.datetime.fromisoformat(asked.fields[name]).replace(tzinfo=reads).timestamp())
            for name in ("t_s", "t_e")
        )
        stamps = range(-(-first_at // 900) * 900, last_at + 1, 900)
        return Reply(
            [{"timestamp": _stamp(each, answers), "value": 1, "total": 1} for each in stamps]
        )

    return answer


def _stamp(instant_at: int, zone: dt.tzinfo | None) -> object:
    return instant_at if zone is None else str(dt.datetime.fromtimestamp(instant_at, zone))


def test_what_sensors_show_is_not_taken_for_the_way_of_meters() -> None:
    both = {SENSOR_DATA: quarters(dt.UTC, None), METER_DATA: quarters(ZURICH, ZURICH)}
    with (
        ScriptedServer(both).running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
    ):
        for _ in range(2):  # before and after it is known
            of_sensor = climkit.sensor_data(SITE, SENSOR, "2026-07-01", "2026-07-03")
            of_meter = climkit.meter_data(SITE, METER, "2026-07-01", "2026-07-03")
            assert (len(of_sensor), len(of_meter)) == (192, 192)

        assert climkit.naive_time == "auto"


def test_a_word_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="must be one of utc, local, auto"):
        Climkit("http://127.0.0.1:1", "u", "p", naive_time=cast("Any", "UTC"))
