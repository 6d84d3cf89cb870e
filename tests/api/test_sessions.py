"""Tokens and keys: what ends them ends them at once."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import jwt
import pytest

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.tokens import JwtTokens
from commonwatt.app.accounts.administer import (
    make_key,
    revoke_key,
    set_disabled,
    set_password,
)
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.accounts.grants import revoke_sites
from tests.api.building import SITE
from tests.api.conftest import PASSWORD, account, add, populate, token
from tests.api.serving import QUICK, application_of, client_of, served
from tests.api.test_checks import problem

LIST = f"/api/v1/meter_info/{SITE}"


@dataclass(frozen=True)
class Served:
    address: str
    accounts: SqlAccountStore


@pytest.fixture
def here(data: Path) -> Iterator[Served]:
    """Give a server of the test's own, and its accounts as an administrator has them."""
    application = application_of(data)
    populate(application.store)
    with served(application) as address:
        yield Served(address, SqlAccountStore(application.store.database))


def now() -> int:
    return int(time.time())


def ask(here: Served, bearer: str) -> httpx2.Response:
    with client_of(here.address, bearer) as client:
        return client.get(LIST)


def test_an_expired_token_is_told_so(here: Served) -> None:
    issued = JwtTokens(here.accounts.signing_key()).issue("reader", 0, now() - 900)
    answer = ask(here, issued.token)

    assert "expired" in problem(answer, 401, "not-signed-in")["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_forged_token_is_refused(here: Served, algorithm: str) -> None:
    claims = {"sub": "operator", "ver": 0, "exp": now() + 900}
    key = "" if algorithm == "none" else "not the key of the store, 32 bytes"
    forged = jwt.encode(claims, key, algorithm=algorithm)

    problem(ask(here, forged), 401, "not-signed-in")


def test_another_password_ends_tokens_at_once(here: Served) -> None:
    bearer = token(here.address, "reader")
    assert ask(here, bearer).status_code == 200
    set_password(here.accounts, QUICK, "reader", "another pass phrase", at=now(), by="test")

    problem(ask(here, bearer), 401, "not-signed-in")
    wrong = {"username": "reader", "password": PASSWORD}
    problem(httpx2.post(f"{here.address}/api/v1/auth", json=wrong), 401, "wrong-sign-in")


def test_a_disabled_account_is_out_at_once(here: Served) -> None:
    bearer = token(here.address, "reader")
    key = make_key(here.accounts, "reader", at=now(), by="test")
    set_disabled(here.accounts, "reader", disabled=True, at=now(), by="test")

    problem(ask(here, bearer), 401, "not-signed-in")
    problem(ask(here, key), 401, "not-signed-in")
    credentials = {"username": "reader", "password": PASSWORD}
    problem(httpx2.post(f"{here.address}/api/v1/auth", json=credentials), 401, "wrong-sign-in")


def test_a_revoked_grant_hides_the_site_at_once(here: Served) -> None:
    bearer = token(here.address, "reader")
    assert ask(here, bearer).status_code == 200
    revoke_sites(here.accounts, "reader", [SITE], at=now(), by="test")

    problem(ask(here, bearer), 404, "unknown-site")


def test_a_long_lived_key_is_a_bearer_until_revoked(here: Served) -> None:
    key = make_key(here.accounts, "gateway", at=now(), by="test")
    with client_of(here.address, key) as gateway:
        delivered = gateway.put(f"/commonwatt/v1/sites/{SITE}/readings", json=[])
        assert delivered.status_code == 200
        problem(gateway.get(LIST), 403, "role-forbids")
        with here.accounts.view() as view:
            (listed,) = view.keys("gateway")
        revoke_key(here.accounts, "gateway", listed.id, at=now(), by="test")

        problem(gateway.get(LIST), 401, "not-signed-in")


def test_requests_are_counted_by_account(here: Served, data: Path) -> None:
    with application_of(data).store.database.read():
        pass
    for name in ("busy", "other"):
        store = application_of(data).store
        add(store, account(name, Role.DEVELOPER, SITE, rate_limited=True))
        store.database.close()
    busy, other = (token(here.address, name) for name in ("busy", "other"))
    path = f"{here.address}/api/v1/meter_data/{SITE}/{'f' * 24}"
    statuses = [
        httpx2.post(path, headers={"Authorization": f"Bearer {bearer}"}).status_code
        for bearer in (busy, busy, other)
    ]

    assert statuses == [404, 429, 404]
