import pytest

from commonwatt.climkit_v1.answers import (
    InstallationInfos,
    address,
    auth_answer,
    installation,
    installation_infos,
    meter_info,
    sensor_info,
)


def infos(
    creation_date: str | None = "2022-05-05", degrees: float | None = 0.0
) -> InstallationInfos:
    return installation_infos(
        site_ref="CH-0012",
        name="Les Tilleuls 12",
        address=address("Rue des Tilleuls", "12", "Renens", "1020"),
        creation_date=creation_date,
        latitude=degrees,
        longitude=degrees,
        timezone="Europe/Zurich",
    )


def test_installation_infos_in_the_documented_order() -> None:
    assert list(infos()) == [
        "site_ref",
        "name",
        "address",
        "creation_date",
        "latitude",
        "longitude",
        "timezone",
    ]
    assert list(infos()["address"]) == ["street_name", "street_number", "city", "postal_code"]
    assert infos()["creation_date"] == "2022-05-05T00:00:00"
    assert infos()["latitude"] == 0.0


def test_what_is_unknown_has_no_key() -> None:
    unknown = infos(creation_date=None, degrees=None)
    assert list(unknown) == ["site_ref", "name", "address", "timezone"]


def test_an_installation_is_its_id_and_its_infos() -> None:
    entry = installation("61dfc9a0eba4e3564021f36a", infos())
    assert list(entry) == ["id", *infos()]
    assert entry["id"] == "61dfc9a0eba4e3564021f36a"


@pytest.mark.parametrize(
    ("declared", "answered"),
    [("1020", 1020), ("EX1 1AA", "EX1 1AA"), ("", ""), ("²", "²"), ("٣", "٣"), ("1020 ", "1020 ")],
)
def test_a_numeric_postal_code_is_a_number(declared: str, answered: int | str) -> None:
    assert address("", "", "", declared)["postal_code"] == answered


def test_a_token_is_valid_until_milliseconds() -> None:
    assert auth_answer("abc", 1) == {"access_token": "abc", "valid_until": {"$date": 1000}}


def test_lists_have_the_documented_keys() -> None:
    meter = meter_info(
        meter_id="61dfcb4beba4e3563fdf3d9f",
        meter_type="electricity",
        name="Grid",
        mode="introduction",
        prim_ad=10,
        is_rule_meter=False,
    )
    assert list(meter) == ["id", "type", "name", "mode", "prim_ad", "is_rule_meter"]
    sensor = sensor_info(
        sensor_id="61", name="Stairs", sensor_type="temperature", unit="°C", model=""
    )
    assert list(sensor.items()) == [
        ("id", "61"),
        ("name", "Stairs"),
        ("type", "temperature"),
        ("unit", "°C"),
        ("model", ""),
    ]
