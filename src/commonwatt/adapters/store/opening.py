"""Opening a store: a new one gets today's tables, an older one is migrated, a newer one refused."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.database import READ_ONLY, Database
from commonwatt.adapters.store.rules_upgrade import mark_where_rules_changed
from commonwatt.app.errors import (
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreTooNew,
    StoreUnreachable,
)

REVISION = "0014"
"""The migration that leads to the tables of `schema`."""
KNOWN_REVISIONS = tuple(f"{number:04d}" for number in range(1, int(REVISION) + 1))
MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str, *, also_read_only: bool = False) -> Database:
    """Open a store, created or migrated as it needs.

    ``also_read_only``: an embedded store of today's version whose disk is full or cannot be written
    is opened all the same, to be looked at; a write to it raises `StoreReadOnly`. Raises
    `StoreTooNew` for a store of a later version, and the other errors of `app.errors`.
    """
    database = Database(url)
    try:
        with database.write() as connection:
            _create_or_migrate(connection)
            mark_where_rules_changed(connection)
    except (StoreFull, StoreUnreachable, StoreReadOnly) as error:
        database.close()
        looked_at = _to_be_looked_at(database, error)
        if also_read_only:
            return looked_at
        looked_at.close()
        if isinstance(error, StoreUnreachable):
            raise StoreReadOnly(READ_ONLY) from error  # the file can be opened, but not for writing
        raise
    except StoreError:
        database.close()
        raise
    return database


def _to_be_looked_at(database: Database, error: StoreError) -> Database:
    """Open the file of a store that could not be opened for writing. Raises ``error`` else.

    Whoever has it open in WAL mode keeps files beside it, with which opening would have gone well.
    """
    if not database.is_sqlite or database.has_unread_log():
        raise error
    looked_at = Database(str(database.url), read_only=True)
    try:
        with looked_at.read() as connection:
            revision = _revision(connection)
    except StoreError:
        looked_at.close()
        raise error from None
    if revision != REVISION:
        looked_at.close()
        raise error
    return looked_at


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

    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes its time
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
