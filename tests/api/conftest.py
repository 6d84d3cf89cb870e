"""A served building, signed-in clients of every role."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.administer import NewAccount, add_account
from commonwatt.app.accounts.authorize import Role, SiteList
from commonwatt.app.accounts.grants import GrantChange, grant_sites
from tests.api import building
from tests.api.serving import QUICK, application_of, client_of, served

PASSWORD = "correct horse battery staple"


def add(store: SqlStore, new: NewAccount) -> None:
    """Add an account whose password is PASSWORD."""
    add_account(SqlAccountStore(store.database), QUICK, new, at=int(time.time()), by="test")


def account(name: str, role: Role, *sites: str, **others: object) -> NewAccount:
    """An account that is not rate limited unless asked for."""
    options: dict[str, object] = {"rate_limited": False, **others}
    return NewAccount(name=name, role=role, sites=sites, password=PASSWORD, **options)  # type: ignore[arg-type]  # options by name


def populate(store: SqlStore) -> None:
    """Declare the building and add an account of every kind."""
    building.declare(store)
    both = (building.SITE, building.NEIGHBOUR)
    for new in (
        account("reader", Role.DEVELOPER, building.SITE),
        account("gateway", Role.GATEWAY, building.SITE),
        account("operator", Role.OPERATOR, building.SITE),
        account("landlord", Role.OPERATOR, *both),
        account("old", Role.DEVELOPER, building.SITE, site_list=SiteList.IDS),
        account("late", Role.DEVELOPER, building.SITE, history_from=dt.date(2026, 3, 22)),
        account("recent", Role.DEVELOPER, building.SITE, history_from=dt.date(2026, 4, 1)),
        account("narrow", Role.DEVELOPER),
        account("narrow-operator", Role.OPERATOR),
        account("late-operator", Role.OPERATOR, building.SITE, history_from=dt.date(2026, 3, 22)),
        account("nobody", Role.DEVELOPER),
        account("hasty", Role.DEVELOPER, building.SITE, rate_limited=True),
    ):
        add(store, new)
    for narrow in ("narrow", "narrow-operator"):
        grant_sites(
            SqlAccountStore(store.database),
            narrow,
            [building.SITE],
            GrantChange(closed_meters=["Bert"]),
            at=int(time.time()),
            by="test",
        )


def token(address: str, name: str) -> str:
    """Sign in."""
    credentials = {"username": name, "password": PASSWORD}
    answer = httpx2.post(f"{address}/api/v1/auth", json=credentials)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server with the building and its readings, on SQLite."""
    application = application_of(tmp_path_factory.mktemp("served"))
    populate(application.store)
    with served(application) as url:
        deliver(url)
        yield url


def deliver(address: str) -> None:
    """Deliver all readings and sensor values."""
    with client_of(address, token(address, "gateway")) as gateway:
        base = f"/commonwatt/v1/sites/{building.SITE}"
        receipt = gateway.put(f"{base}/readings", json=building.readings()).json()
        assert receipt["rejected"] == [], receipt
        receipt = gateway.put(f"{base}/sensor_readings", json=building.sensor_readings()).json()
        assert receipt["accepted"] == len(building.SENSOR_VALUES), receipt


Clients = Callable[[str], httpx2.Client]


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Clients]:
    """Give signed-in clients by account name."""
    opened: dict[str, httpx2.Client] = {}

    def of(name: str) -> httpx2.Client:
        if name not in opened:
            opened[name] = client_of(address, token(address, name))
        return opened[name]

    yield of
    for each in opened.values():
        each.close()


@pytest.fixture
def reader(client: Clients) -> httpx2.Client:
    """Give a developer's client."""
    return client("reader")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder of the test's own."""
    return tmp_path / "data"
