"""`commonwatt sites | meters | sensors`."""

import csv
import json

import pytest

from tests.api import building
from tests.cli.climkit.conftest import Asking


def test_sites_as_a_table(asking: Asking) -> None:
    ended = asking("sites")
    assert (ended.code, ended.err) == (0, "")
    header, row = ended.lines
    assert header.split() == ["id", "site_ref", "name", "city", "timezone", "creation_date"]
    assert row.split("  ")[0] == building.SITE
    assert "CH-0012" in row
    assert "Les Tilleuls 12" in row


def test_sites_of_an_account_that_is_told_ids(asking: Asking) -> None:
    ended = asking("sites", account="old")
    assert ended.lines[1].split() == [building.SITE, "-", "-", "-", "-", "-"]


@pytest.mark.parametrize("account", ["reader", "old"])
@pytest.mark.parametrize("site", [building.SITE, "CH-0012", "Les Tilleuls 12"])
def test_meters_as_json(asking: Asking, site: str, account: str) -> None:
    ended = asking("meters", site, "--json", account=account)

    assert ended.code == 0, ended.err
    meters = {meter["name"]: meter for meter in json.loads(ended.out)}
    assert len(meters) == len(building.METERS)
    assert meters["Anna"] == {
        "id": building.ANNA,
        "type": "electricity",
        "mode": "consumption",
        "prim_ad": 11,
        "name": "Anna",
        "unit": "kWh",
        "is_rule_meter": False,
    }
    assert meters["Difference"]["is_rule_meter"]


def test_meters_as_csv_and_as_a_table(asking: Asking) -> None:
    rows = list(csv.DictReader(asking("meters", "CH-0012", "--csv").lines))
    table = asking("meters", "CH-0012").lines

    assert {row["name"] for row in rows} == {declared.name for declared in building.METERS}
    assert [line.split()[0] for line in table[1:]] == [row["id"] for row in rows]
    by_name = {row["name"]: row["is_rule_meter"] for row in rows}
    assert (by_name["Anna"], by_name["Difference"]) == ("False", "True")
    assert {line.split()[-1] for line in table[1:]} == {"no", "yes"}


def test_sensors(asking: Asking) -> None:
    [sensor] = json.loads(asking("sensors", "CH-0012", "--json").out)
    assert sensor == {
        "id": building.SENSOR,
        "type": "temperature",
        "name": "Stairwell",
        "unit": "°C",
        "model": "LoRa T1",
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("meters", "nowhere"), 1, "no site nowhere; there are CH-0012"),
        (("meters", building.UNKNOWN_ID), 1, "installation_infos"),
        (("meters", building.NEIGHBOUR), 1, "installation_infos"),
        (("sites", "--json", "--csv"), 2, "give one of --json and --csv"),
        (("sites", "--quiet", "--verbose"), 2, "give either --quiet or --verbose"),
        (("sites", "--url", "garbage"), 2, "is no address"),
        # It tries again for seconds, as the client's own tests show in less.
        pytest.param(
            ("sites", "--url", "http://127.0.0.1:1", "--username", "reader"),
            1,
            "cannot be reached",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_users_get_wrong_is_one_line(
    asking: Asking, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = asking(*words)
    assert (ended.code, ended.out) == (code, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("commonwatt: ")
    assert said in last
    assert "Traceback" not in ended.err
