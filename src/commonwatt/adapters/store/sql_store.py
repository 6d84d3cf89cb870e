"""The store: snapshots and changes over the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from commonwatt.adapters.store.account_access import (
    read_access,
    read_access_by_key,
    read_granted_sites,
)
from commonwatt.adapters.store.audit_table import write_audit
from commonwatt.adapters.store.catalogue_tables import SqlCatalogueTables
from commonwatt.adapters.store.database import Database
from commonwatt.adapters.store.edit_tables import SqlEditTables
from commonwatt.adapters.store.history_tables import SqlHistoryTables
from commonwatt.adapters.store.lock_tables import SqlLockTables
from commonwatt.adapters.store.reading_tables import SqlReadingTables, SqlSensorTables
from commonwatt.adapters.store.reference_tables import SqlReferenceTables
from commonwatt.adapters.store.result_tables import SqlResultTables
from commonwatt.app.authorize import AccountAccess, GrantedSite
from commonwatt.app.store_errors import StoreError
from commonwatt.domain.catalogue import SiteCatalogue


class SqlSnapshot:
    """`ports.Snapshot` and `ports.Change` on a connection in a transaction."""

    def __init__(
        self, connection: Connection, known: dict[int, SiteCatalogue], writes: bool
    ) -> None:
        self._connection = connection
        self.catalogue = SqlCatalogueTables(connection, known, writes)
        self.readings = SqlReadingTables(connection)
        self.sensors = SqlSensorTables(connection)
        self.results = SqlResultTables(connection)
        self.edits = SqlEditTables(connection)
        self.locks = SqlLockTables(connection)
        self.history = SqlHistoryTables(connection)
        self.reference = SqlReferenceTables(connection)

    def access(self, account: str, site_id: str | None) -> AccountAccess | None:
        """What an account may see of a site, in one query; None for an unknown account."""
        return read_access(self._connection, account, site_id)

    def access_by_key(self, key_hash: str, site_id: str | None) -> AccountAccess | None:
        """The same by the hash of a long-lived key that is not revoked."""
        return read_access_by_key(self._connection, key_hash, site_id)

    def granted_sites(self, account: str) -> list[GrantedSite]:
        """All sites that are granted to an account, ascending by id."""
        return read_granted_sites(self._connection, account)

    def audit(
        self, at: int, account: str, site: int, action: str, subject: str, reason: str
    ) -> None:
        """Record who did what, and why."""
        write_audit(self._connection, at, account, site, action, subject, reason)


class SqlStore:
    """`ports.Store` on a `Database`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known_catalogues: dict[int, SiteCatalogue] = {}

    @property
    def reads_inline(self) -> bool:
        """SQLite answers from this process's own memory; PostgreSQL is waited for."""
        return self.database.is_sqlite

    @contextmanager
    def snapshot(self) -> Iterator[SqlSnapshot]:
        """Open a consistent view."""
        with self.database.read() as connection:
            yield SqlSnapshot(connection, self._known_catalogues, writes=False)

    @contextmanager
    def change(self, site: int) -> Iterator[SqlSnapshot]:
        """Open a transaction that alone writes to a site."""
        with self.database.write(site) as connection:
            yield SqlSnapshot(connection, self._known_catalogues, writes=True)

    @contextmanager
    def new_site(self) -> Iterator[tuple[SqlSnapshot, int]]:
        """Open a transaction for a site that is to be added, with its number."""
        with self.database.write() as connection:
            change = SqlSnapshot(connection, self._known_catalogues, writes=True)
            yield change, change.catalogue.next_site_number()

    def ready(self) -> bool:
        """Whether the store can be reached now."""
        try:
            with self.database.read() as connection:
                connection.execute(select(1))
        except StoreError:
            return False
        return True
