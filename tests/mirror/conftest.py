"""Stores to copy into, and a building to copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from tests.api.conftest import deliver, populate
from tests.api.serving import application_of
from tests.client.conftest import no_backoff as no_backoff  # noqa: PLC0414  # a fixture
from tests.client.conftest import (
    no_credentials_around as no_credentials_around,  # noqa: PLC0414  # a fixture
)
from tests.mirror.recording import Recorder


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SqlStore]:
    """Give an empty store to copy into."""
    database = open_database(sqlite_url)
    yield SqlStore(database)
    database.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[tuple[str, Recorder]]:
    """Serve the building of the API's tests; give its address and what it is asked."""
    application = application_of(tmp_path / "source")
    populate(application.store)
    recorder = Recorder(application)
    with recorder.running() as address:
        deliver(address)
        recorder.asked.clear()
        yield address, recorder
