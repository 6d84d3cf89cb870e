"""Connections and transactions: one snapshot to read, one lock to write.

SQLite runs in WAL mode with synchronous FULL: a reader sees one snapshot and is never blocked, a
commit is durable before it returns. On PostgreSQL a reader is REPEATABLE READ; a writer takes its
site's advisory lock before it looks at anything.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from commonwatt.app.store_errors import StoreBusy, StoreError, StoreFull, StoreUnreachable

BUSY_TIMEOUT_S = 5
_MMAP_BYTES = 1 << 30
_CACHE_KIB = 8 * 1024
_NO_SPACE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""What SQLite says where a file cannot grow; a read that fails is another matter."""
_DISK_FULL = "53100"
_ADMINISTRATION_LOCK = -1
"""The advisory lock of what belongs to no site; sites have numbers from 1."""


class Database:
    """A SQLite file or a PostgreSQL database, named by a SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite and self.url.get_backend_name() != "postgresql":
            raise StoreUnreachable(
                f"no store of the kind {self.url.get_backend_name()!r}: "
                "sqlite:///FILE or postgresql://USER@HOST/DATABASE"
            )
        self._writing = threading.Lock()
        self._readers: deque[Connection] = deque()
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgresql_engine()

    def _sqlite_engine(self) -> Engine:
        assert self.url.database, "an SQLite URL names its file"
        file = Path(self.url.database)
        if not file.exists():
            # Created by us so that nobody else can read it, not even for a moment.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        engine = create_engine(
            self.url,
            pool_size=8,
            max_overflow=-1,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self) -> Engine:
        url = self.url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one snapshot of the store and cannot write."""
        with _translated(), self._reader() as connection, connection.begin():
            yield connection

    @contextmanager
    def _reader(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                yield connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            return
        # Kept out of the pool: handing one over there costs as much as a short read.
        reader = self._readers.pop() if self._readers else self.engine.connect()
        try:
            yield reader
        finally:
            self._readers.append(reader)

    @contextmanager
    def write(self, site: int | None = None) -> Iterator[Connection]:
        """Give a connection that alone writes to a site (None: to what belongs to none).

        Commits at the end, durably; rolls back on an exception. Raises `StoreBusy` after 5 s,
        `StoreFull`.
        """
        with _translated(), self._one_writer(), self.engine.connect() as connection:
            connection.execution_options(commonwatt_write=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S}s'"))
                    lock = _ADMINISTRATION_LOCK if site is None else site
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
                yield connection

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Queue the writers of this process, for SQLite's own lock is taken by polling."""
        if not self.is_sqlite:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_TIMEOUT_S):
            raise StoreBusy("the store is busy writing; try again in a moment")
        try:
            yield
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close all connections."""
        while self._readers:
            self._readers.pop().close()
        self.engine.dispose()


def _url(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise StoreUnreachable(
            "not the URL of a database: sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        ) from error


def _set_up_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # None: the driver leaves transactions to us.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"mmap_size = {_MMAP_BYTES}",
        f"cache_size = -{_CACHE_KIB}",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("commonwatt_write", False)
    driver = connection.connection.driver_connection
    assert driver is not None, "a transaction begins on a connection"
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN").close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the databases' operating failures into those of the port."""
    try:
        yield
    except DBAPIError as error:
        raise _store_error(error.orig, isinstance(error, OperationalError)) from error
    except sqlite3.Error as error:
        raise _store_error(error, isinstance(error, sqlite3.OperationalError)) from error


def _store_error(error: BaseException | None, operational: bool) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    state = getattr(error, "sqlstate", None)
    primary = None if code is None else code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or state == "55P03":
        return StoreBusy("the store is busy writing; try again in a moment")
    if code in _NO_SPACE or state == _DISK_FULL:
        return StoreFull("the store has no space left for writing")
    if primary == sqlite3.SQLITE_CANTOPEN or operational:
        return StoreUnreachable(f"the store cannot be reached: {error}")
    return StoreError(f"the store failed: {error}")
