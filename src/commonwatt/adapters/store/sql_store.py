"""The store: snapshots and changes over the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.integrity import SqlIntegrity
from commonwatt.adapters.store.tables.account_access import (
    read_access,
    read_access_by_key,
    read_first_grant,
    read_granted_sites,
)
from commonwatt.adapters.store.tables.audit import read_audit, write_audit
from commonwatt.adapters.store.tables.catalogue import SqlCatalogueTables
from commonwatt.adapters.store.tables.edits import SqlEditTables
from commonwatt.adapters.store.tables.history import SqlHistoryTables
from commonwatt.adapters.store.tables.locks import SqlLockTables
from commonwatt.adapters.store.tables.readings import SqlReadingTables, SqlSensorTables
from commonwatt.adapters.store.tables.reference import SqlReferenceTables
from commonwatt.adapters.store.tables.results import SqlResultTables
from commonwatt.app.accounts.authorize import AccountAccess, GrantedSite
from commonwatt.app.ports import AuditLine
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue

_TRIED = "tried"
"""The key of a row among the counters, which nobody would miss."""


class SqlSnapshot:
    """`ports.Snapshot` and `ports.Change` on a connection in a transaction."""

    def __init__(
        self,
        connection: Connection,
        known: dict[int, SiteCatalogue],
        damaged: set[tuple[int, Group, int]],
        writes: bool,
    ) -> None:
        self._connection = connection
        self.catalogue = SqlCatalogueTables(connection, known, writes)
        self.readings = SqlReadingTables(connection)
        self.sensors = SqlSensorTables(connection)
        self.results = SqlResultTables(connection, damaged)
        self.edits = SqlEditTables(connection)
        self.locks = SqlLockTables(connection)
        self.history = SqlHistoryTables(connection)
        self.reference = SqlReferenceTables(connection)
        self.integrity = SqlIntegrity(connection)

    def access(self, account: str, site_id: str | None) -> AccountAccess | None:
        """What an account may see of a site, in one query; None for an unknown account."""
        return read_access(self._connection, account, site_id)

    def access_by_key(self, key_hash: str, site_id: str | None) -> AccountAccess | None:
        """The same by the hash of a long-lived key that is not revoked."""
        return read_access_by_key(self._connection, key_hash, site_id)

    def granted_sites(self, account: str) -> list[GrantedSite]:
        """All sites that are granted to an account, ascending by id."""
        return read_granted_sites(self._connection, account)

    def first_grant(self) -> tuple[str, str] | None:
        """An account and the id of a site that is granted to it; None while there is no grant."""
        return read_first_grant(self._connection)

    def audit_trail(self, start_at: int, end_at: int) -> list[AuditLine]:
        """What was recorded in [start, end) [Unix seconds], in the order in which it was done."""
        return read_audit(self._connection, start_at, end_at)

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
        self._damaged: set[tuple[int, Group, int]] = set()

    @property
    def reads_inline(self) -> bool:
        """SQLite answers from this process's own memory; PostgreSQL is waited for."""
        return self.database.is_sqlite

    @contextmanager
    def snapshot(self) -> Iterator[SqlSnapshot]:
        """Open a consistent view."""
        with self.database.read() as connection:
            yield self._on(connection, writes=False)

    @contextmanager
    def change(self, site: int) -> Iterator[SqlSnapshot]:
        """Open a transaction that alone writes to a site."""
        with self.database.write(site) as connection:
            yield self._on(connection, writes=True)

    @contextmanager
    def new_site(self) -> Iterator[tuple[SqlSnapshot, int]]:
        """Open a transaction for a site that is to be added, with its number."""
        with self.database.write() as connection:
            change = self._on(connection, writes=True)
            yield change, change.catalogue.next_site_number()

    def try_write(self, at: float) -> None:
        """Write a row of no meaning, with an instant [Unix seconds]; durable when this returns."""
        row = {"key": _TRIED, "hits": 0, "ends_at": at}
        with self.database.write() as connection:
            connection.execute(replacing(connection, schema.rate_limits), row)

    def _on(self, connection: Connection, writes: bool) -> SqlSnapshot:
        return SqlSnapshot(connection, self._known_catalogues, self._damaged, writes)

    def take_damaged(self) -> list[tuple[int, Group, int]]:
        """The (site, group, day) of damaged results that reads of this process met since."""
        taken = []
        while self._damaged:
            taken.append(self._damaged.pop())
        return taken
