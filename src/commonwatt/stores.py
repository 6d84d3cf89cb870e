"""Opening the store that the settings name, for the command line and the server alike.

Apart from `bootstrap`, so that a command does not import a web server to read a table.
"""

from pathlib import Path

from commonwatt.adapters.store.engine.postgres_timeouts import PostgresTimeouts, with_timeouts
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.settings import Settings

STORE_FILE = "commonwatt.sqlite"


def store_url(data: Path) -> str:
    """The URL of the embedded store in a data folder; the folder is made where it is missing."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{data / STORE_FILE}"


def open_store(url: str, *, also_read_only: bool = False) -> SqlStore:
    """Open a store, created or migrated as it needs. Raises the errors of a store.

    ``also_read_only``: one whose disk is full or cannot be written, to be looked at.
    """
    return SqlStore(open_database(url, also_read_only=also_read_only))


def open_store_of(settings: Settings, *, also_read_only: bool = False) -> SqlStore:
    """Open the store that the settings name."""
    timeouts = PostgresTimeouts(
        connect_s=settings.postgres_connect_timeout_s,
        statement_s=settings.postgres_statement_timeout_s,
        lock_s=settings.postgres_lock_timeout_s,
    )
    url = with_timeouts(settings.database_url or store_url(settings.data), timeouts)
    return open_store(url, also_read_only=also_read_only)
