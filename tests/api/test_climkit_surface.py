"""The published surface, endpoint by endpoint, key by key."""

import httpx2
import pytest

from tests.api import building
from tests.api.building import ANNA, BATTERY, CHARGER, GRID, HEAT, PV, SITE, WATER
from tests.api.conftest import PASSWORD, Clients

DAY = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-22T00:00:00"}
Row = dict[str, object]


def rows(answer: httpx2.Response) -> list[Row]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: list[Row] = answer.json()
    return found


def test_sign_in_by_json_and_by_form(address: str) -> None:
    credentials = {"username": "reader", "password": PASSWORD}

    for answer in (
        httpx2.post(f"{address}/api/v1/auth", json=credentials),
        httpx2.post(f"{address}/api/v1/auth", data=credentials),
    ):
        assert answer.status_code == 200
        assert list(answer.json()) == ["access_token", "valid_until"]
        assert list(answer.json()["valid_until"]) == ["$date"]
        assert isinstance(answer.json()["valid_until"]["$date"], int)
        assert answer.headers["cache-control"] == "no-store"


def test_all_installations_lists_the_granted_sites(reader: httpx2.Client) -> None:
    found = rows(reader.get("/api/v1/all_installations"))

    assert [row["id"] for row in found] == [SITE]
    assert list(found[0]) == [
        "id",
        "site_ref",
        "name",
        "address",
        "creation_date",
        "latitude",
        "longitude",
        "timezone",
    ]
    infos = reader.get(f"/api/v1/installation_infos/{SITE}").json()
    assert found[0] == {"id": SITE, **infos}


def test_all_installations_answers_bare_ids_to_an_account_set_so(client: Clients) -> None:
    assert client("old").get("/api/v1/all_installations").json() == [SITE]


def test_installation_infos(reader: httpx2.Client) -> None:
    assert reader.get(f"/api/v1/installation_infos/{SITE}").json() == {
        "site_ref": "CH-0012",
        "name": "Les Tilleuls 12",
        "address": {
            "street_name": "Rue des Tilleuls",
            "street_number": "12",
            "city": "Renens",
            "postal_code": 1020,
        },
        "creation_date": "2026-03-21T00:00:00",
        "latitude": 46.53,
        "longitude": 6.59,
        "timezone": "Europe/Zurich",
    }


def test_meter_info_lists_every_meter(reader: httpx2.Client) -> None:
    found = rows(reader.get(f"/api/v1/meter_info/{SITE}"))

    assert {row["id"] for row in found} == {declared.id for declared in building.METERS}
    assert list(found[0]) == ["id", "type", "name", "mode", "prim_ad", "is_rule_meter"]
    assert {
        "id": building.COMMON,
        "type": "cold_water",
        "name": "Difference",
        "mode": "consumption",
        "prim_ad": 32,
        "is_rule_meter": True,
    } in found


def test_a_consumer_has_total_self_ext_and_timestamp(reader: httpx2.Client) -> None:
    found = rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=DAY))

    assert len(found) == 96
    assert list(found[0]) == ["total", "self", "ext", "timestamp"]
    assert found[0]["timestamp"] == "2026-03-21 01:15:00+01:00"
    assert found[-1]["timestamp"] == "2026-03-22 01:00:00+01:00"
    assert all(row["total"] == 0.04 for row in found)


@pytest.mark.parametrize(
    ("meter", "keys", "total"),
    [
        (CHARGER, ["total", "self", "ext", "timestamp"], 0.03),
        (PV, ["total", "timestamp"], 0.058),
        (GRID, ["total", "timestamp"], 0.045),
        (BATTERY, ["total", "timestamp"], 0.005),
        (WATER, ["total", "timestamp"], 0.007),
        (building.COMMON, ["total", "timestamp"], 0.007),
        (HEAT, ["total", "timestamp"], 0.1),
    ],
    ids=["charge point", "production", "introduction", "battery", "water", "rule", "heat"],
)
def test_keys_of_a_meter_by_mode_and_medium(
    reader: httpx2.Client, meter: str, keys: list[str], total: float
) -> None:
    found = rows(reader.post(f"/api/v1/meter_data/{SITE}/{meter}", json=DAY))

    assert len(found) == 96
    assert all(list(row) == keys and row["total"] == total for row in found)


ELECTRICITY = [
    "conso_total",
    "prod_total",
    "from_ext",
    "self",
    "to_ext",
    "storage_charging_self",
    "storage_charging_total",
    "storage_discharging_total",
    "timestamp",
]


def test_the_books_of_a_site(reader: httpx2.Client) -> None:
    found = rows(reader.post(f"/api/v1/site_data/{SITE}/electricity", json=DAY))

    assert len(found) == 96
    # own = 90 + 3 - 45 = 48 = self, with charging netted of discharging: 5 - 2 = 3.
    assert found[0] == {
        "conso_total": 0.09,
        "prod_total": 0.058,
        "from_ext": 0.045,
        "self": 0.048,
        "to_ext": 0.01,
        "storage_charging_self": 0.0,
        "storage_charging_total": 0.005,
        "storage_discharging_total": 0.002,
        "timestamp": "2026-03-21 01:15:00+01:00",
    }
    assert all(list(row) == ELECTRICITY for row in found)


@pytest.mark.parametrize(
    ("medium", "total"), [("cold_water", 0.014), ("heating", 0.1), ("charge_point", 0.03)]
)
def test_other_media_have_their_total_alone(
    reader: httpx2.Client, medium: str, total: float
) -> None:
    found = rows(reader.post(f"/api/v1/site_data/{SITE}/{medium}", json=DAY))

    assert len(found) == 96
    assert found[0] == {"conso_total": total, "timestamp": "2026-03-21 01:15:00+01:00"}


@pytest.mark.parametrize("medium", ["cooling", "hot_water"])
def test_a_type_that_the_site_lacks_has_no_rows(reader: httpx2.Client, medium: str) -> None:
    assert rows(reader.post(f"/api/v1/site_data/{SITE}/{medium}", json=DAY)) == []


def test_columns_of_meters_add_up_to_the_site(reader: httpx2.Client) -> None:
    asked = DAY | {"meters": True}
    found = rows(reader.post(f"/api/v1/site_data/{SITE}/electricity", json=asked))

    consumers = (ANNA, building.BERT, CHARGER)
    expected = {f"{part}_{meter}" for meter in consumers for part in ("total", "self", "ext")}
    assert set(found[0]) == {*ELECTRICITY, *expected, f"total_{PV}"}
    assert list(found[0])[:8] == ELECTRICITY[:8]
    assert list(found[0])[-1] == "timestamp"
    for row in found:
        sums = {
            part: sum(_wh(row[f"{part}_{meter}"]) for meter in consumers)
            for part in ("total", "self", "ext")
        }
        assert sums["total"] == _wh(row["conso_total"])
        assert sums["self"] == _wh(row["self"])
        # The battery takes 3 Wh of what comes from the grid.
        assert sums["ext"] + 3 == _wh(row["from_ext"])


def _wh(kwh: object) -> int:
    assert isinstance(kwh, float)
    return round(1000 * kwh)


def test_raw_readings_have_their_registers(reader: httpx2.Client) -> None:
    asked = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-21T00:15:00"}
    found = rows(reader.post(f"/api/v1/meter_data_raw/{SITE}/{GRID}", json=asked))

    assert found == [
        {"en_im": 1.0, "en_ex": 1.0, "timestamp": "2026-03-21 01:00:00+01:00"},
        {"en_im": 1.045, "en_ex": 1.01, "timestamp": "2026-03-21 01:15:00+01:00"},
    ]
    assert list(found[0]) == ["en_im", "en_ex", "timestamp"]
    only_import = rows(reader.post(f"/api/v1/meter_data_raw/{SITE}/{ANNA}", json=asked))
    assert list(only_import[0]) == ["en_im", "timestamp"]


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"t_s": null, "t_e": null}'])
def test_raw_without_a_period_is_the_latest_reading(reader: httpx2.Client, body: bytes) -> None:
    found = rows(reader.post(f"/api/v1/meter_data_raw/{SITE}/{WATER}", content=body))

    assert found == [{"vol_m3": 2.344, "timestamp": "2026-03-23 01:00:00+01:00"}]


def test_sensors(reader: httpx2.Client) -> None:
    assert rows(reader.get(f"/api/v1/{SITE}/sensors_list")) == [
        {
            "id": building.SENSOR,
            "name": "Stairwell",
            "type": "temperature",
            "unit": "°C",
            "model": "LoRa T1",
        }
    ]
    path = f"/api/v1/{SITE}/sensor_data/{building.SENSOR}"
    at, value = building.SENSOR_VALUES[-1]
    assert rows(reader.get(path)) == [{"timestamp": at, "value": value}]
    period = {"t_s": "2026-03-21 00:00:00", "t_e": "2026-03-21T01:00:00Z"}
    assert rows(reader.get(path, params=period)) == [
        {"timestamp": at, "value": value} for at, value in building.SENSOR_VALUES[:2]
    ]


@pytest.mark.parametrize(
    ("frequency", "first", "count", "total"),
    [
        ("15T", "2026-03-21 01:15:00+01:00", 96, 0.04),
        ("H", "2026-03-21 01:00:00+01:00", 24, 0.16),
        ("D", "2026-03-21 00:00:00+01:00", 2, 3.68),
        ("M", "2026-03-01 00:00:00+01:00", 1, 3.84),
        ("Y", "2026-01-01 00:00:00+01:00", 1, 3.84),
    ],
)
def test_sums_are_stamped_with_their_start(
    reader: httpx2.Client, frequency: str, first: str, count: int, total: float
) -> None:
    asked = DAY | {"sampling_frequency": frequency}
    found = rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked))

    assert len(found) == count
    assert (found[0]["timestamp"], found[0]["total"]) == (first, total)


def test_the_end_of_a_quarter_hour_decides_whether_it_belongs(reader: httpx2.Client) -> None:
    asked = {"t_s": "2026-03-21T00:15:00", "t_e": "2026-03-21T00:45:00"}
    found = rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked))

    stamps = [row["timestamp"] for row in found]
    assert stamps == ["2026-03-21 01:30:00+01:00", "2026-03-21 01:45:00+01:00"]


@pytest.mark.parametrize(
    "asked",
    [
        {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-21T01:00:00"},
        {"t_s": "2026-03-21 00:00:00", "t_e": "2026-03-21 01:00:00"},
        {"t_s": "2026-03-21T00:00:00Z", "t_e": "2026-03-21T02:00:00+01:00"},
        {"t_s": {"$date": 1774051200000}, "t_e": "2026-03-21T01:00"},
        {"t_s": "2026-03-21", "t_e": "2026-03-21T01:00:00.999", "sampling_frequency": "15T"},
        {"t_s": "2026-03-21", "t_e": "2026-03-21T01:00:00", "nobody": "knows"},
    ],
    ids=["T", "blank", "zones", "$date", "date alone", "unknown key"],
)
def test_times_as_clients_write_them(reader: httpx2.Client, asked: Row) -> None:
    assert len(rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked))) == 4


@pytest.mark.parametrize(
    "asked",
    [
        {"t_s": "2026-03-21T00:00:00"},
        {"t_s": "2026-03-21T00:00:00", "t_e": None},
        {"t_s": "2026-03-21T00:00:00", "t_e": "2999-01-01T00:00:00"},
        {"t_s": "0001-01-01T00:00:00", "t_e": "2999-01-01T00:00:00"},
    ],
    ids=["no end", "null end", "future end", "everything"],
)
def test_an_open_or_future_end_is_until_now(reader: httpx2.Client, asked: Row) -> None:
    found = rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked))

    assert len(found) == building.QUARTERS


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b" \n"])
def test_an_empty_body_asks_for_the_last_day(reader: httpx2.Client, body: bytes) -> None:
    assert rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", content=body)) == []


def test_a_window_in_the_future_is_empty(reader: httpx2.Client) -> None:
    asked = {"t_s": "2998-01-01", "t_e": "2999-01-01"}

    assert rows(reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked)) == []
    assert rows(reader.post(f"/api/v1/site_data/{SITE}/electricity", json=asked)) == []
