"""Every habit of servers of this API since 2019, as an answer of a real server."""

import datetime as dt
from collections.abc import Mapping

import pytest

from commonwatt.client import Address, Climkit, Meter, Series, Site, SurprisingAnswer
from tests.client.conftest import FAST
from tests.client.scripted import (
    INFOS,
    METER,
    METER_DATA,
    METERS,
    RAW,
    SENSOR,
    SENSOR_DATA,
    SITE,
    SITE_DATA,
    Reply,
    Script,
    ScriptedServer,
)

AT = int(dt.datetime(2026, 3, 22, 4, 30, tzinfo=dt.UTC).timestamp())
WINDOW = "2026-03-22T04:00", "2026-03-22T05:00"


def asked_of(scripts: Mapping[str, Script], question: str, *arguments: object) -> object:
    """What a client makes of the answers of a server."""
    with (
        ScriptedServer(scripts).running() as url,
        Climkit(url, "user", "secret", requests_per_second=FAST) as climkit,
    ):
        return getattr(climkit, question)(*arguments)


def series_of(path: str, rows: object, question: str, *arguments: object) -> Series:
    """What a client makes of rows."""
    series = asked_of({path: Reply(rows)}, question, SITE, *arguments, *WINDOW)
    assert isinstance(series, Series)
    return series


@pytest.mark.parametrize(
    ("listed", "site"),
    [
        (SITE, Site(SITE)),
        ({"id": SITE, "name": "Tilleuls"}, Site(SITE, name="Tilleuls")),
        ({"_id": {"$oid": SITE}, "site_ref": "CH-1"}, Site(SITE, site_ref="CH-1")),
        ({"site_id": SITE, "name": "Tilleuls"}, Site(SITE, name="Tilleuls")),
        ({"id": SITE, "timezone": None, "latitude": 46}, Site(SITE, latitude=46.0)),
    ],
    ids=["2022: bare ids", "2026: objects", "ids of MongoDB", "site_id", "nulls"],
)
def test_lists_of_sites(listed: object, site: Site) -> None:
    assert asked_of({"/all_installations": Reply([listed])}, "sites") == [site]


@pytest.mark.parametrize(
    ("wire", "address"),
    [
        ({"city_name": "Renens", "city_ref": 1020}, Address(city="Renens", postal_code=1020)),
        ({"city": "Renens", "postal_code": "1020"}, Address(city="Renens", postal_code=1020)),
        ({"street_name": "Rue", "street_number": 12}, Address("Rue", "12")),
        ({"postal_code": "SW1A 1AA"}, Address(postal_code="SW1A 1AA")),
        (None, Address()),
    ],
    ids=["2022", "2026", "number as number", "letters", "none"],
)
def test_addresses(wire: object, address: Address) -> None:
    assert asked_of({INFOS: Reply({"address": wire})}, "site", SITE) == Site(SITE, address=address)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2022-05-05T00:00:00", dt.date(2022, 5, 5)),
        ("2022-05-04T22:00:00+00:00", dt.date(2022, 5, 5)),
        ("2022-05-04 22:00:00.123Z", dt.date(2022, 5, 5)),
        ("0001-01-01T00:00:00Z", dt.date(1, 1, 1)),
        ("9999-12-31T23:59:59Z", None),
        (None, None),
    ],
)
def test_creation_dates_are_the_sites_days(text: str | None, day: dt.date | None) -> None:
    infos = {"timezone": "Europe/Zurich", "creation_date": text}

    site = asked_of({INFOS: Reply(infos)}, "site", SITE)

    assert site == Site(SITE, timezone="Europe/Zurich", creation_date=day)


@pytest.mark.parametrize(
    ("wire", "meter"),
    [
        (
            {"id": METER, "type": "electricity", "prim_ad": "101", "virtual": True},
            Meter(METER, type="electricity", prim_ad=101, is_rule_meter=True),
        ),
        (
            {
                "id": METER,
                "name": "PV",
                "mode": "production",
                "prim_ad": 101,
                "is_rule_meter": False,
            },
            Meter(METER, name="PV", mode="production", prim_ad=101),
        ),
        (
            {"id": METER, "prim_ad": "A-7", "type": "reactive"},
            Meter(METER, None, "reactive", None, "A-7"),
        ),
        ({"id": METER, "prim_ad": "0"}, Meter(METER, prim_ad=0)),
        ({"id": METER, "prim_ad": "007"}, Meter(METER, prim_ad="007")),
        ({"id": METER}, Meter(METER)),
    ],
    ids=["2022", "2026", "unknown type", "zero", "zeros before", "missing keys"],
)
def test_meters(wire: object, meter: Meter) -> None:
    assert asked_of({METERS: Reply([wire])}, "meters", SITE) == [meter]


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-22 05:30:00+01:00",
        "2026-03-22T05:30:00+01:00",
        "2026-03-22T04:30:00Z",
        "2026-03-22T04:30:00.750+00:00",
        "2026-03-22 04:30:00",
        "2026-03-22T04:30",
        AT,
        AT * 1000,
        AT + 0.75,
        {"$date": AT * 1000},
        {"$date": "2026-03-22T04:30:00Z"},
    ],
    ids=str,
)
def test_stamps(stamp: object) -> None:
    rows = [{"timestamp": stamp, "value": 21}]

    assert series_of(SENSOR_DATA, rows, "sensor_data", SENSOR).starts_at == [AT]
    assert series_of(RAW, rows, "meter_data_raw", METER).starts_at == [AT]
    assert series_of(METER_DATA, rows, "meter_data", METER).starts_at == [AT - 900]


@pytest.mark.parametrize(
    ("more", "columns"),
    [
        ({}, {}),
        (
            {f"total_{METER}": 0.02, f"self_{METER}": 0},
            {f"total_{METER}": [0.02], f"self_{METER}": [0]},
        ),
        ({"storage_charging_self": 0.0}, {"storage_charging_self": [0.0]}),
    ],
    ids=["2026: none", "2022: of each meter", "storage"],
)
def test_columns(more: dict[str, object], columns: dict[str, list[object]]) -> None:
    row = {"conso_total": 0.07000000000000006, "from_ext": None, "self": -0.01}
    rows = [{**row, **more, "timestamp": AT}]

    series = series_of(SITE_DATA, rows, "site_data", "electricity")

    published = {"conso_total": [0.07000000000000006], "prod_total": [None], "from_ext": [None]}
    assert series.columns == {**published, "self": [-0.01], "to_ext": [None], **columns}


@pytest.mark.parametrize(
    ("second", "columns"),
    [
        ({"self": 3, "timestamp": AT + 900, "total": 4}, {"total": [1, 4], "self": [2, 3]}),
        ({"timestamp": AT + 900, "total": 4}, {"total": [1, 4], "self": [2, None]}),
        (
            {"timestamp": AT + 900, "total": 4, "ext": 5},
            {"total": [1, 4], "self": [2, None], "ext": [None, 5]},
        ),
        (
            {"timestamp": AT + 900, "total": 4, "self": 3, "ext": 5},
            {"total": [1, 4], "self": [2, 3], "ext": [None, 5]},
        ),
        ({"timestamp": AT + 900}, {"total": [1, None], "self": [2, None]}),
    ],
    ids=["another order", "one key less", "another key", "one key more", "no value"],
)
def test_rows_need_not_have_the_same_keys(
    second: dict[str, object], columns: dict[str, list[object]]
) -> None:
    rows = [{"timestamp": AT, "total": 1, "self": 2}, second]

    assert series_of(METER_DATA, rows, "meter_data", METER).columns == columns


def test_rows_in_any_order_come_once_and_ascending() -> None:
    rows = [{"timestamp": AT + 900 * position, "total": position} for position in (1, 0, 1, 2, 0)]

    series = series_of(METER_DATA, rows, "meter_data", METER)

    assert (series.starts_at, series["total"]) == ([AT - 900, AT, AT + 900], [0, 1, 2])


def test_an_empty_answer_is_a_series_without_rows() -> None:
    series = series_of(METER_DATA, [], "meter_data", METER)

    assert (len(series), series.columns, len(series.gaps())) == (0, {"total": []}, 1)


def test_a_site_without_a_zone_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="timezone='Europe/Zurich'"):
        asked_of({INFOS: Reply({"name": "Site"})}, "site_data", SITE, "electricity")

    given = Site(SITE, timezone="Europe/Zurich")
    series = asked_of({SITE_DATA: Reply([])}, "site_data", given, "electricity", *WINDOW)
    assert isinstance(series, Series)


@pytest.mark.parametrize("beginning", [b'{"$date": ', b"["], ids=["$date", "list"])
def test_a_stamp_within_hundreds_of_others_is_a_surprise(beginning: bytes) -> None:
    end = b"}" if beginning.startswith(b"{") else b"]"
    rows = b'[{"timestamp": ' + beginning * 900 + b"0" + end * 900 + b"}]"

    with pytest.raises(SurprisingAnswer, match="a time should be a text or a number"):
        asked_of({METER_DATA: Reply(body=rows)}, "meter_data", SITE, METER, *WINDOW)


def test_a_site_given_with_a_zone_that_is_none_is_told() -> None:
    given = Site(SITE, timezone="Mars/Olympus")

    with pytest.raises(ValueError, match="'Mars/Olympus' is no IANA zone"):
        asked_of({}, "site_data", given, "electricity")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_is_none_is_told_without_asking_the_server(name: str) -> None:
    server = ScriptedServer({})
    with (
        server.running() as url,
        Climkit(url, "u", "p") as climkit,
        pytest.raises(ValueError, match="is no id"),
    ):
        climkit.meters(name)

    assert server.paths() == []


def test_a_token_without_an_end_is_kept() -> None:
    """As servers of 2019 sent it."""
    server = ScriptedServer({"/auth": Reply({"access_token": "t"}), METERS: Reply([])})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        climkit.meters(SITE)
        climkit.meters(SITE)

    assert server.paths() == ["/auth", METERS, METERS]


@pytest.mark.parametrize(
    ("path", "content", "question", "arguments", "message"),
    [
        (
            "/all_installations",
            {"sites": []},
            "sites",
            (),
            "a list should have come, not an object",
        ),
        ("/all_installations", [{"name": "x"}], "sites", (), "a site should have an id"),
        ("/all_installations", [[SITE]], "sites", (), "a site should be an object, not a list"),
        (INFOS, [], "site", (SITE,), "a site should be an object, not a list"),
        (INFOS, SITE, "site", (SITE,), "a site should be an object, not text"),
        (INFOS, {"error": "unauthorized"}, "site", (SITE,), "a site should have site_ref"),
        (INFOS, {"timezone": "Mars/Olympus"}, "site", (SITE,), "should be an IANA zone"),
        (INFOS, {"creation_date": "May"}, "site", (SITE,), "creation_date should be a time"),
        (METERS, ["x"], "meters", (SITE,), "a meter should be an object, not text"),
        (SITE_DATA, None, "site_data", (SITE, "electricity"), "a list should have come, not null"),
        (SITE_DATA, [{"self": 1}], "site_data", (SITE, "electricity"), "with a timestamp"),
        (
            SITE_DATA,
            [{"timestamp": "now"}],
            "site_data",
            (SITE, "electricity"),
            "Invalid isoformat",
        ),
        (RAW, [{"timestamp": "9999-12-31T23:00Z"}], "meter_data_raw", (SITE, METER), "year 1 or"),
        (RAW, [{"timestamp": "0001-01-01T00:00"}], "meter_data_raw", (SITE, METER), "year 1 or"),
        (SITE_DATA, [{"timestamp": 1e300}], "site_data", (SITE, "electricity"), "is no time"),
        (
            SITE_DATA,
            [{"timestamp": AT, "self": "0.1"}],
            "site_data",
            (SITE, "electricity", *WINDOW),
            "self should be numbers",
        ),
    ],
)
def test_what_is_no_answer_of_this_api_is_shown(
    path: str, content: object, question: str, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SurprisingAnswer, match=message) as caught:
        asked_of({path: Reply(content)}, question, *arguments)

    received = caught.value.received
    assert (received.status, received.content_type) == (200, "application/json")
    assert received.beginning == Reply(content).bytes[:200]
