"""Our own server with the building, over real HTTP, and a way to break its answers."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import httpx2
import pytest
from fastapi import FastAPI

from commonwatt import bootstrap
from commonwatt.adapters.rate_counters import MemoryCounters
from commonwatt.adapters.rate_limits import SignInLimits
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.conformance.run import Target
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.conftest import PASSWORD, account, add, token
from tests.api.serving import application_of, client_of, served
from tests.conformance import building
from tests.conformance.breakable import Breakable
from tests.conformance.clock import CLOCK


@dataclasses.dataclass(frozen=True)
class Server:
    """A served building whose answers can be broken."""

    address: str
    breakable: Breakable
    store: SqlStore

    def target(self, username: str = "reader") -> Target:
        """The server as the kit is told of it."""
        return Target(f"{self.address}/api/v1", username, PASSWORD)


@contextlib.contextmanager
def serving(folder: Path, clock: Callable[[], float]) -> Iterator[Server]:
    """Serve the building without readings, with accounts of every pace."""
    with pytest.MonkeyPatch.context() as patch:
        # Each run signs in twice, once with a wrong password; that tries are counted is tested
        # where it belongs, so here each comes minutes after the one before.
        minutes = itertools.count(clock(), 300)
        tries = SignInLimits(MemoryCounters(lambda: next(minutes)))
        patch.setattr(bootstrap, "SignInLimits", lambda _counters: tries)
        application = application_of(folder, clock=clock)
    for declaration in (building.DECLARATION, building.FOREIGN_DECLARATION):
        wanted = declaration_from_yaml(declaration.encode())
        apply_declaration(application.store, wanted, "tests", int(clock()))
    sites = (building.SITE, building.FOREIGN)
    for new in (
        account("reader", Role.DEVELOPER, building.SITE),
        account("hasty", Role.DEVELOPER, building.SITE, rate_limited=True),
        account("landlord", Role.OPERATOR, *sites),
    ):
        add(application.store, new)
    breakable = Breakable(application.app)
    broken = dataclasses.replace(application, app=cast(FastAPI, breakable))
    with served(broken) as address:
        yield Server(address, breakable, application.store)


@pytest.fixture(scope="package")
def whole_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the building with its readings, at the time of CLOCK."""
    with serving(tmp_path_factory.mktemp("conformance"), CLOCK) as server:
        deliver(server.address, building.readings())
        yield server


def deliver(address: str, readings: Sequence[dict[str, object]]) -> None:
    """Deliver readings of meters, and the sensor's values."""
    with client_of(address, token(address, "landlord")) as gateway:
        base = f"/commonwatt/v1/sites/{building.SITE}"
        for name, rows in (
            ("readings", readings),
            ("sensor_readings", building.sensor_readings()),
        ):
            receipt = gateway.put(f"{base}/{name}", json=rows, timeout=120)
            assert receipt.status_code == httpx2.codes.OK, receipt.text
            assert receipt.json()["rejected"] == []


@pytest.fixture
def server(whole_server: Server) -> Iterator[Server]:
    """Give the server, whole again after each test."""
    yield whole_server
    whole_server.breakable.mend()
