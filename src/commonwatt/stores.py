"""Opening the store that the settings name, for the command line and the server alike.

Apart from `bootstrap`, so that a command does not import a web server to read a table.
"""

from pathlib import Path

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.settings import Settings

STORE_FILE = "commonwatt.sqlite"


def store_url(data: Path) -> str:
    """The URL of the embedded store in a data folder; the folder is made where it is missing."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{data / STORE_FILE}"


def open_store(url: str) -> SqlStore:
    """Open a store, created or migrated as it needs. Raises the errors of `store_errors`."""
    return SqlStore(open_database(url))


def open_store_of(settings: Settings) -> SqlStore:
    """Open the store that the settings name."""
    return open_store(settings.database_url or store_url(settings.data))
