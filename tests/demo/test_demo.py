"""The whole demo: started like a user does, asked over HTTP."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.demo.set_up import set_up, site_number
from commonwatt.demo.simulated.building import DECLARATION_FILE, SITE_ID
from commonwatt.demo.state import CannotRunDemo, DemoState
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.stores import open_store, store_url
from tests.api.serving import QUICK
from tests.demo.running_demo import RunningDemo, kill_while_setting_up, running_demo

GRID = "65920080c0a1e7d4b8f30010"
HISTORY = 13 * 30 * 96
Rows = list[dict[str, object]]
Wh = NDArray[np.int64]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo whose first setting up was cut off in the middle."""
    folder = tmp_path_factory.mktemp("demo")
    kill_while_setting_up(folder)
    assert DemoState.load(folder) is None
    with running_demo(folder) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def first_stamp(demo: RunningDemo) -> str:
    """Note the latest reading of the grid meter before all else."""
    return demo.latest_stamp(GRID)


@pytest.fixture(scope="module")
def site(demo: RunningDemo) -> Rows:
    return demo.ask(f"site_data/{SITE_ID}/electricity", t_s="2000-01-01T00:00:00", meters=True)


def in_silence(done: int, total: int) -> None:
    assert done <= total


def column(rows: Rows, key: str) -> Wh:
    return np.rint(np.array([row.get(key, 0) for row in rows], np.float64) * 1000).astype(np.int64)


def declared_ids(mode: str, *types: str) -> list[str]:
    meters = yaml.safe_load(DECLARATION_FILE.read_text("utf-8"))["meters"]
    return [
        meter["id"]
        for meter in meters
        if meter["mode"] == mode and meter["type"] in types and meter.get("balance", True)
    ]


def test_the_pasted_lines_work(demo: RunningDemo) -> None:
    lines = [line for line in demo.text.splitlines() if line.startswith(("TOKEN=", "curl "))]
    assert len(lines) == 3
    sign_in, listing, day = lines

    script = f"{sign_in}\n{listing}\necho\n{day}\n"
    pasted = subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True)
    sites, rows = (json.loads(line) for line in pasted.stdout.splitlines())

    assert [found["id"] for found in sites] == [SITE_ID]
    assert len(rows) == 96
    assert "storage_charging_total" in rows[0]


def test_thirteen_months_are_there(site: Rows) -> None:
    first = datetime.fromisoformat(str(site[0]["timestamp"]))
    last = datetime.fromisoformat(str(site[-1]["timestamp"]))

    assert len(site) > HISTORY
    # Thirteen months with one February or two of them.
    assert timedelta(days=392) < last - first < timedelta(days=401)
    assert datetime.now(UTC) - last < timedelta(hours=3)


def test_the_books_close_in_every_quarter(site: Rows) -> None:
    conso, prod, own = (column(site, key) for key in ("conso_total", "prod_total", "self"))
    bought, sold = column(site, "from_ext"), column(site, "to_ext")
    charged_own = column(site, "storage_charging_self")
    charged = column(site, "storage_charging_total")
    discharged = column(site, "storage_discharging_total")
    net_charge, net_discharge = (
        np.maximum(charged - discharged, 0),
        np.maximum(discharged - charged, 0),
    )

    np.testing.assert_array_equal(conso + net_charge, own + charged_own + bought)
    np.testing.assert_array_equal(prod, own + charged_own + sold - net_discharge)
    assert bool((own <= conso).all())
    assert int(charged_own.min()) >= 0
    # All of it was there to be seen, at once: sun, battery, both ways over the grid.
    assert int(((sold > 0) & (bought > 0) & (charged_own > 0)).sum()) > 100
    assert int((net_discharge > 0).sum()) > 1000


def test_shares_sum_to_the_pool_in_every_quarter(demo: RunningDemo, site: Rows) -> None:
    conso, own = column(site, "conso_total"), column(site, "self")
    cars = demo.ask(f"site_data/{SITE_ID}/charge_point", t_s="2000-01-01T00:00:00", meters=True)
    members = {str(row["timestamp"]): dict(row) for row in cars}
    for row in site:
        members.setdefault(str(row["timestamp"]), {}).update(row)
    rows = [members[str(row["timestamp"])] for row in site]
    consumers = declared_ids("consumption", "electricity", "charge_point")

    totals = [column(rows, f"total_{meter}") for meter in consumers]
    shares = [column(rows, f"self_{meter}") for meter in consumers]
    rests = [column(rows, f"ext_{meter}") for meter in consumers]

    assert len(consumers) == 15
    np.testing.assert_array_equal(np.sum(totals, axis=0), conso)
    np.testing.assert_array_equal(np.sum(shares, axis=0), np.clip(own, 0, np.maximum(conso, 0)))
    for total, share, rest in zip(totals, shares, rests, strict=True):
        np.testing.assert_array_equal(total, share + rest)
        assert bool(((share >= 0) & (share <= np.maximum(total, 0))).all())


def test_production_agrees_with_the_pv_meters(site: Rows) -> None:
    measured = sum(
        int(column(site, f"total_{pv}").sum()) for pv in declared_ids("production", "electricity")
    )
    derived = int(column(site, "prod_total").sum())

    assert measured > 30_000_000
    assert abs(derived - measured) < measured / 100


@pytest.mark.parametrize("medium", ["heating", "cooling", "cold_water", "hot_water"])
def test_heat_and_water_are_there(demo: RunningDemo, medium: str) -> None:
    months = demo.ask(
        f"site_data/{SITE_ID}/{medium}", t_s="2000-01-01T00:00:00", sampling_frequency="M"
    )

    assert len(months) == 14
    assert sum(float(str(row["conso_total"])) for row in months) > 100


def test_new_readings_come_in(demo: RunningDemo, first_stamp: str) -> None:
    deadline = time.monotonic() + 100
    while demo.latest_stamp(GRID) == first_stamp:
        assert time.monotonic() < deadline, "no reading came in"
        time.sleep(2)


def test_a_second_start_goes_on_with_the_same_store(tmp_path: Path) -> None:
    three_days_ago = int(time.time()) - 3 * DAY_S
    store = open_store(store_url(tmp_path))
    before = set_up(store, SqlAccountStore(store.database), QUICK, three_days_ago, in_silence)
    store.database.close()
    before.save(tmp_path)

    with running_demo(tmp_path) as running:
        deadline = time.monotonic() + 60
        while (reached := DemoState.load(tmp_path)) is None or (
            reached.delivered_until_at < time.time() - QUARTER_S
        ):
            assert time.monotonic() < deadline, "the gateway did not catch up"
            time.sleep(0.5)
        start = datetime.fromtimestamp(three_days_ago - DAY_S, UTC).isoformat()
        rows = running.ask(f"site_data/{SITE_ID}/electricity", t_s=start)
        password = running.said("password")

    assert password == before.password
    assert reached.set_up_at == three_days_ago
    stamps = [datetime.fromisoformat(str(row["timestamp"])).timestamp() for row in rows]
    assert set(np.diff(stamps).tolist()) == {900.0}
    assert stamps[-1] > time.time() - 3 * 3600


def test_another_store_is_left_alone(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path))
    other = b"site: {site_ref: A, name: Somebody's, timezone: UTC}"
    apply_declaration(store, declaration_from_yaml(other), "operator", 1_795_000_000)

    with pytest.raises(CannotRunDemo, match="Somebody's"):
        site_number(store)
    store.database.close()


def test_a_clock_that_is_too_early_is_told(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path))

    with pytest.raises(CannotRunDemo, match="clock"):
        set_up(store, SqlAccountStore(store.database), QUICK, 1_700_000_000, in_silence)
    store.database.close()
