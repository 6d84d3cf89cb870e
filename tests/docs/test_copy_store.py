"""The script of the operation page moves a whole store from SQLite to PostgreSQL."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.administer import NewAccount, add_account, make_key, set_disabled
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import Group
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.formats.readings.bodies import readings_from_body
from commonwatt.stores import open_store
from tests.api.serving import QUICK
from tests.docs.markdown import DOCS

EXAMPLES = DOCS / "examples"


def filled_store(url: str) -> SqlStore:
    """Make a store with something in every kind of table."""
    store, now_at = open_store(url), int(time.time())
    declaration = declaration_from_yaml((EXAMPLES / "building.yaml").read_bytes())
    apply_declaration(store, declaration, "tests", now_at)
    rows = readings_from_body((EXAMPLES / "readings.csv").read_bytes(), "text/csv")
    ingest_readings(store, 1, rows, "tests", "http", now_at * 1_000_000)
    settle_site(store, 1, Group.ELECTRICITY)
    accounts = SqlAccountStore(store.database)
    new = NewAccount(name="anna", sites=["CH-0012"])
    add_account(accounts, QUICK, new, at=now_at, by="tests")
    make_key(accounts, "anna", at=now_at, by="tests")
    accounts.signing_key()
    return store


def contents(store: SqlStore) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with store.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }


def copy(source: str, target: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "copy_store.py"), source, target]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.postgres
def test_a_copied_store_is_the_same_and_lives_on(sqlite_url: str, empty_postgres_url: str) -> None:
    store = filled_store(sqlite_url)

    done = copy(sqlite_url, empty_postgres_url)

    assert done.returncode == 0, done.stderr
    moved = open_store(empty_postgres_url)
    before, after = contents(store), contents(moved)
    assert after == before
    told = dict(line.removesuffix(" rows").split(": ") for line in done.stdout.splitlines())
    assert told == {name: str(len(rows)) for name, rows in before.items()}
    assert {name for name, rows in after.items() if rows} >= {
        *("sites", "meters", "raw_readings", "meter_days", "site_days", "deliveries"),
        *("accounts", "account_keys", "grants", "secrets", "audit"),
    }
    set_disabled(SqlAccountStore(moved.database), "anna", disabled=True, at=1, by="tests")
    moved.database.close()
    store.database.close()


def test_a_target_that_is_not_empty_is_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    filled_store(sqlite_url).database.close()
    other_url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    assert copy(sqlite_url, other_url).returncode == 0

    again = copy(sqlite_url, other_url)

    assert again.returncode == 1
    assert "the target is not empty" in again.stderr
