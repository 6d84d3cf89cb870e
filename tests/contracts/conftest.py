"""A store for each test, on both engines."""

from collections.abc import Iterator

import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a new store; closed at the end, as PostgreSQL wants its connections closed."""
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()
