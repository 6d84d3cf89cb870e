"""The demo's gateway beside a platform that is there, or not yet."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx2
import pytest
import uvicorn

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.app.accounts.administer import NewAccount, add_account, make_key
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.bootstrap import build_application
from commonwatt.demo.gateway import Gateway, Refused, gateway_client
from commonwatt.demo.simulated.building import DECLARATION_FILE, SITE_ID
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.settings import Settings
from commonwatt.stores import open_store, store_url
from tests.api.serving import QUICK

NOW_AT = int(time.time())
AWAY_S = 2 * DAY_S + 5000


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Declare the building in an empty store, with a gateway's account; return its key."""
    store = open_store(store_url(tmp_path))
    apply_declaration(
        store, declaration_from_yaml(DECLARATION_FILE.read_bytes()), "operator", NOW_AT
    )
    accounts = SqlAccountStore(store.database)
    new = NewAccount(name="gateway", role=Role.GATEWAY, sites=(SITE_ID,), rate_limited=False)
    add_account(accounts, QUICK, new, at=NOW_AT, by="operator")
    made = make_key(accounts, "gateway", at=NOW_AT, by="operator")
    store.database.close()
    return made


@contextmanager
def platform(data: Path, port: int) -> Iterator[None]:
    """Serve a store on a port of loopback."""
    application = build_application(Settings(data=data, port=port), passwords=QUICK)
    server = uvicorn.Server(uvicorn.Config(application.app, port=port, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def stored_deliveries(data: Path) -> list[tuple[str, int, int]]:
    """Return the account, the accepted and the unchanged rows of each delivery."""
    store = open_store(store_url(data))
    with store.snapshot() as snapshot:
        (site,) = snapshot.catalogue.sites()
        deliveries = snapshot.readings.deliveries(site.number)
    store.database.close()
    return [(each.account, each.accepted, each.unchanged) for each in deliveries]


def rows_due() -> int:
    log = ReadingLog(NOW_AT)
    return sum(rows.total for rows in log.due(NOW_AT - AWAY_S, NOW_AT))


def a_gateway(client: httpx2.Client, acknowledged: list[int]) -> Gateway:
    return Gateway(
        ReadingLog(NOW_AT),
        NOW_AT - AWAY_S,
        client,
        now=lambda: NOW_AT,
        acknowledged=acknowledged.append,
        every_s=0.1,
    )


def test_what_could_not_be_sent_is_sent_when_the_platform_is_there(
    tmp_path: Path, port: int, key: str
) -> None:
    acknowledged: list[int] = []
    with gateway_client(f"http://127.0.0.1:{port}", key) as client:
        gateway = a_gateway(client, acknowledged)
        with pytest.raises(httpx2.TransportError):
            gateway.send()
        assert acknowledged == []

        gateway.start()
        with platform(tmp_path, port):
            deadline = time.monotonic() + 60
            while NOW_AT not in acknowledged:
                assert time.monotonic() < deadline, "nothing was sent"
                time.sleep(0.05)
            gateway.stop()

    deliveries = stored_deliveries(tmp_path)
    assert acknowledged == [NOW_AT - AWAY_S + DAY_S, NOW_AT - AWAY_S + 2 * DAY_S, NOW_AT]
    assert {account for account, _, _ in deliveries} == {"gateway"}
    # Readings, three sensors' values a quarter-hour, and possibly what 19 meters and 3 sensors
    # show now.
    history = sum(accepted for _, accepted, _ in deliveries)
    values = 3 * AWAY_S // 900
    assert history - rows_due() - values in range(-3, 3 + 19 + 3 + 1)


def test_what_arrived_twice_changes_nothing(tmp_path: Path, port: int, key: str) -> None:
    with (
        gateway_client(f"http://127.0.0.1:{port}", key) as client,
        platform(tmp_path, port),
    ):
        a_gateway(client, []).send()
        once = stored_deliveries(tmp_path)
        a_gateway(client, []).send()

    assert stored_deliveries(tmp_path) == once


def test_a_key_that_is_not_taken_keeps_everything_to_be_sent(
    tmp_path: Path, port: int, key: str
) -> None:
    acknowledged: list[int] = []

    with (
        gateway_client(f"http://127.0.0.1:{port}", key[:-4] + "0000") as client,
        platform(tmp_path, port),
        pytest.raises(Refused, match="401"),
    ):
        a_gateway(client, acknowledged).send()

    assert acknowledged == []
