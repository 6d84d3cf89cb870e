"""The frozen demo says the same wherever and whenever it is started, and touches nothing else."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from commonwatt.adapters.passwords import Argon2Passwords
from commonwatt.demo.frozen.facts import (
    FROM,
    KNOWN_HASH,
    PASSWORD,
    UNTIL,
    meter_ids,
    sensor_ids,
)
from commonwatt.demo.simulated.building import SITE_ID
from commonwatt.pytest_plugin import ClimkitServer
from commonwatt.pytest_plugin import climkit_server as climkit_server  # noqa: PLC0414  # a fixture
from tests.demo.running_demo import RunningDemo, running_frozen_demo

METERS = meter_ids()
WHOLE = {"t_s": FROM.isoformat(), "t_e": UNTIL.isoformat()}
QUARTERS = 14 * 96 + 4
Row = Mapping[str, object]

# What others have written in their tests: a change of these is a change that breaks them.
SITE_QUARTERS = {
    "2024-10-23 00:15:00+02:00": (4.096, -0.002, 4.098, -0.002, 0.0, 0.0, 0.0, 0.0),
    "2024-10-23 12:45:00+02:00": (1.13, 1.182, 0.033, 1.13, 0.034, 0.018, 0.051, 0.0),
    "2024-10-27 02:45:00+02:00": (0.418, 0.002, 0.416, 0.002, 0.0, 0.0, 0.0, 0.0),
    "2024-10-27 02:45:00+01:00": (0.413, 0.001, 0.412, 0.001, 0.0, 0.0, 0.0, 0.0),
    "2024-11-06 00:00:00+01:00": (2.339, 0.002, 2.337, 0.002, 0.0, 0.0, 0.0, 0.0),
}
SITE_KEYS = (
    *("conso_total", "prod_total", "from_ext", "self", "to_ext"),
    *("storage_charging_self", "storage_charging_total", "storage_discharging_total"),
)
METER_QUARTERS: dict[tuple[str, str], Row] = {
    ("Grid connection", "2024-10-23 00:15:00+02:00"): {"total": 4.098},
    ("Apartment 1", "2024-10-23 00:15:00+02:00"): {"total": 0.045, "self": 0.0, "ext": 0.045},
    ("Heat pump", "2024-11-06 00:00:00+01:00"): {"total": 1.564, "self": 0.002, "ext": 1.562},
    ("Common parts", "2024-10-23 00:15:00+02:00"): {"total": 0.091, "self": 0.0, "ext": 0.091},
    # In the middle of 90 minutes without readings.
    ("Apartment 9", "2024-10-29 12:45:00+01:00"): {"total": 0.049, "self": 0.049, "ext": 0.0},
    ("Heating east", "2024-10-23 00:15:00+02:00"): {"total": 7.069},
    ("Cold water east", "2024-11-06 00:00:00+01:00"): {"total": 0.018},
}
ALL_READINGS = "98b2ea64c3ca15a12fcd62b952a7cdc704fc6a4748c9bee5a159fdc64642ad88"
"""SHA-256 of the answers with raw readings and sensor values, one after the other."""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder to start in, with one for temporary files."""
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "temporary").mkdir()
    return folder


@pytest.fixture(scope="module")
def frozen(surroundings: Path) -> Iterator[RunningDemo]:
    """Give a frozen demo in an environment that names stores, addresses and keys."""
    with running_frozen_demo(
        surroundings,
        TMPDIR=str(surroundings / "temporary"),
        COMMONWATT_DATA=str(surroundings / "data"),
        COMMONWATT_DATABASE_URL=f"sqlite:///{surroundings / 'real.sqlite'}",
        COMMONWATT_HOST="0.0.0.0",
        COMMONWATT_WORKERS="3",
        COMMONWATT_TRUSTED_PROXY="0.0.0.0/0",
        COMMONWATT_REDIS_URL="redis://127.0.0.1:1",
        COMMONWATT_BODY_LIMIT_MB="no number",
    ) as demo:
        yield demo
    assert list((surroundings / "temporary").iterdir()) == []


def by_stamp(rows: list[dict[str, object]]) -> dict[str, Row]:
    return {str(row.pop("timestamp")): row for row in rows}


def all_answers(demo: RunningDemo) -> Iterator[tuple[str, str]]:
    """Ask for everything that there is; give each question with the answer as it came."""
    paths = [f"site_data/{SITE_ID}/{medium}" for medium in ("electricity", "heating", "hot_water")]
    paths += [f"meter_data/{SITE_ID}/{meter}" for meter in METERS.values()]
    # The common parts follow from a rule: they have no readings.
    read = [meter for name, meter in METERS.items() if name != "Common parts"]
    paths += [f"meter_data_raw/{SITE_ID}/{meter}" for meter in read]
    for path in paths:
        yield path, answered(demo.client.post(f"/api/v1/{path}", json=WHOLE))
    listings = ["all_installations", f"meter_info/{SITE_ID}", f"{SITE_ID}/sensors_list"]
    values = [f"{SITE_ID}/sensor_data/{sensor}" for sensor in sensor_ids().values()]
    for path in [*listings, *values]:
        yield path, answered(demo.client.request("GET", f"/api/v1/{path}", json=WHOLE))


def answered(answer: httpx2.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_site_is_known_to_the_watt_hour(frozen: RunningDemo) -> None:
    rows = by_stamp(frozen.ask(f"site_data/{SITE_ID}/electricity", **WHOLE))

    assert len(rows) == QUARTERS
    for stamp, values in SITE_QUARTERS.items():
        assert rows[stamp] == dict(zip(SITE_KEYS, values, strict=True)), stamp


def test_meters_are_known_to_the_watt_hour(frozen: RunningDemo) -> None:
    for (name, stamp), expected in METER_QUARTERS.items():
        rows = by_stamp(frozen.ask(f"meter_data/{SITE_ID}/{METERS[name]}", **WHOLE))
        assert rows[stamp] == expected, name


@pytest.mark.parametrize("name", METERS)
def test_every_meter_has_every_quarter_hour(frozen: RunningDemo, name: str) -> None:
    rows = frozen.ask(f"meter_data/{SITE_ID}/{METERS[name]}", **WHOLE)

    assert len(rows) == QUARTERS


def test_every_reading_is_as_ever(frozen: RunningDemo) -> None:
    digest = hashlib.sha256()
    for path, text in all_answers(frozen):
        if "raw" in path or "sensor" in path:
            digest.update(text.encode())

    assert digest.hexdigest() == ALL_READINGS


def test_another_start_answers_the_same(frozen: RunningDemo, climkit_server: ClimkitServer) -> None:
    assert frozen.said("account") == climkit_server.username
    assert frozen.said("password") == climkit_server.password
    answers = dict(all_answers(frozen))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frozen.client, "base_url", climkit_server.url)
        credentials = {"username": climkit_server.username, "password": climkit_server.password}
        token = frozen.client.post("/api/v1/auth", json=credentials).json()["access_token"]
        patch.setitem(frozen.client.headers, "Authorization", f"Bearer {token}")
        assert dict(all_answers(frozen)) == answers


def test_the_account_may_ask_as_often_as_it_likes(frozen: RunningDemo) -> None:
    answers = [frozen.client.get("/api/v1/all_installations") for _ in range(10)]

    assert {answer.status_code for answer in answers} == {200}


def test_nothing_outside_is_touched_and_only_loopback_answers(
    frozen: RunningDemo, surroundings: Path
) -> None:
    assert frozen.said("address").startswith("http://127.0.0.1:")
    assert [entry.name for entry in surroundings.iterdir()] == ["temporary"]
    [own] = (surroundings / "temporary").iterdir()
    assert own.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("store", [["--data", "here"], ["--database-url", "sqlite:///here.sqlite"]])
def test_a_store_cannot_be_named(tmp_path: Path, store: list[str]) -> None:
    command = [sys.executable, "-m", "commonwatt", "demo", "--frozen", *store]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert outcome.returncode == 2
    assert "known to everybody" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_ids_are_those_that_the_server_lists(frozen: RunningDemo) -> None:
    listed = json.loads(dict(all_answers(frozen))[f"meter_info/{SITE_ID}"])

    assert {meter["name"]: meter["id"] for meter in listed} == METERS


def test_the_hash_is_the_passwords_and_up_to_date() -> None:
    passwords = Argon2Passwords()

    assert passwords.verify(PASSWORD, KNOWN_HASH)
    assert not passwords.is_outdated(KNOWN_HASH)
