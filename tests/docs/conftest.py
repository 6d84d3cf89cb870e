"""The building of `docs/examples`, served, with the accounts that the pages speak of."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.app.accounts.administer import NewAccount, add_account, make_key
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.serving import QUICK, application_of, served
from tests.docs.markdown import DOCS

EXAMPLES = DOCS / "examples"
_PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class ServedBuilding:
    """Where the building is served, and the variables that the pages' commands need."""

    address: str
    variables: dict[str, str]


@pytest.fixture
def building(tmp_path: Path) -> Iterator[ServedBuilding]:
    """Serve the building without readings: anna reads, the gateway delivers, otto operates."""
    application = application_of(tmp_path / "data")
    now_at = int(time.time())
    declaration = declaration_from_yaml((EXAMPLES / "building.yaml").read_bytes())
    apply_declaration(application.store, declaration, "tests", now_at)
    accounts = SqlAccountStore(application.store.database)
    for name, role in (
        ("anna", Role.DEVELOPER),
        ("gateway", Role.GATEWAY),
        ("otto", Role.OPERATOR),
    ):
        new = NewAccount(
            name=name, role=role, sites=["CH-0012"], rate_limited=False, password=_PASSWORD
        )
        add_account(accounts, QUICK, new, at=now_at, by="tests")
    key = make_key(accounts, "gateway", at=now_at, by="tests")
    with served(application) as address:
        yield ServedBuilding(address, {"PASSWORD": _PASSWORD, "KEY": key})
