"""Opening a store: a new one gets today's tables, an older one is migrated, a newer one refused."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.database import Database
from commonwatt.app.store_errors import StoreError, StoreTooNew

REVISION = "0003"
"""The migration that leads to the tables of `schema`."""
KNOWN_REVISIONS = ("0001", "0002", "0003")
MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str) -> Database:
    """Open a store, created or migrated as it needs.

    Raises `StoreTooNew` for a store of a later version, and the other errors of `store_errors`.
    """
    database = Database(url)
    try:
        with database.write() as connection:
            _create_or_migrate(connection)
    except StoreError:
        database.close()
        raise
    return database


def _create_or_migrate(connection: Connection) -> None:
    revision = _revision(connection)
    if revision is None:
        schema.metadata.create_all(connection)
        _stamp(connection)
    elif revision not in KNOWN_REVISIONS:
        raise StoreTooNew(
            f"the store has revision {revision}, this version of commonwatt knows "
            f"up to {REVISION}: install the newer version again"
        )
    elif revision != REVISION:
        migrate(connection, REVISION)


def migrate(connection: Connection, revision: str) -> None:
    """Bring the tables to a revision, within the transaction of the connection."""
    # Alembic is slow to import and needed once an upgrade.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _stamp(connection: Connection) -> None:
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        text("INSERT INTO alembic_version (version_num) VALUES (:revision)"),
        {"revision": REVISION},
    )
