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
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from commonwatt.adapters.store.engine.stopping import Stop, check_stop, look_for_stop
from commonwatt.app.errors import (
    DamagedDay,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)

BUSY_TIMEOUT_S = 5
_MMAP_BYTES = 1 << 30
_CACHE_KIB = 8 * 1024
_READERS_KEPT = 16
"""Connections that wait for the next read; what a rush needed beyond is given back after it."""
READ_ONLY = "the store can only be read: its disk is full or cannot be written"
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
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNDECODABLE = "Could not decode"
"""What the driver says of a BLOB that a flipped bit made a text of."""
_DISK_FULL = "53100"
_TAKES_TOO_LONG = frozenset({"55P03", "57014"})
"""PostgreSQL's lock_not_available, and query_canceled by a timeout."""
_READ_ONLY = "25006"
_ADMINISTRATION_LOCK = -1
"""The advisory lock of what belongs to no site; sites have numbers from 1."""


class Database:
    """A SQLite file or a PostgreSQL database, named by a SQLAlchemy URL.

    ``read_only`` of a SQLite file: nothing is written beside it either, so nobody else may change
    it meanwhile.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = store_address(url)
        self._read_only = read_only
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite and self.url.get_backend_name() != "postgresql":
            raise StoreUnreachable(
                f"no store of the kind {self.url.get_backend_name()!r}: "
                "sqlite:///FILE or postgresql://USER@HOST/DATABASE"
            )
        self._writing = threading.Lock()
        self._readers: deque[Connection] = deque()
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgresql_engine()
        self._stop = Stop()
        look_for_stop(self.engine, self._stop)

    def _sqlite_engine(self) -> Engine:
        assert self.url.database, "an SQLite URL names its file"
        file = Path(self.url.database)
        if not file.exists():
            # Created by us so that nobody else can read it, not even for a moment.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        url = self.url
        if self._read_only:
            parameters = {"immutable": "1", "uri": "true"}
            url = url.set(database=f"file:{quote(str(file.absolute()))}", query=parameters)
        engine = create_engine(
            url,
            pool_size=8,
            max_overflow=-1,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self) -> Engine:
        url = self.url.set(drivername="postgresql+psycopg")
        return create_engine(
            url,
            pool_size=8,
            # Readers, writers, the settler, and each long answer that is being read.
            max_overflow=24,
            pool_timeout=BUSY_TIMEOUT_S,
            pool_pre_ping=True,
        )

    def has_unread_log(self) -> bool:
        """Whether commits of an embedded store lie in its log, beside the file."""
        assert self.url.database, "an SQLite URL names its file"
        log = Path(f"{self.url.database}-wal")
        return log.exists() and log.stat().st_size > 0

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
        try:
            reader = self._readers.pop()
        except IndexError:  # asked first whether there is one, another thread could take it
            reader = self.engine.connect()
        try:
            yield reader
        finally:
            if len(self._readers) < _READERS_KEPT:
                self._readers.append(reader)
            else:
                reader.close()

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
                # Who asked for it may have been told that it is not done.
                check_stop(connection)

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

    def stop(self) -> None:
        """Let what is under way raise `StoreStopping` at its next statement, and commit nothing."""
        self._stop.requested = True

    def close(self) -> None:
        """Close all connections."""
        while self._readers:
            self._readers.pop().close()
        self.engine.dispose()


def store_address(url: str) -> URL:
    """Return the parts of a store's address. Raises `StoreUnreachable` for what is none."""
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
    except PoolTimeout as error:
        raise StoreBusy("all connections to the store are in use; try again in a moment") from error
    except sqlite3.Error as error:
        raise _store_error(error, isinstance(error, sqlite3.OperationalError)) from error


def _store_error(error: BaseException | None, operational: bool) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    state = getattr(error, "sqlstate", None)
    primary = None if code is None else code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or state in _TAKES_TOO_LONG:
        return StoreBusy("the store is busy writing; try again in a moment")
    if primary == sqlite3.SQLITE_READONLY or state == _READ_ONLY:
        return StoreReadOnly(READ_ONLY)
    if code in _NO_SPACE or state == _DISK_FULL:
        return StoreFull("the store has no space left for writing")
    if primary in _CORRUPT or _UNDECODABLE in str(error):
        return DamagedDay(
            f"the store's file is damaged ({error}); restore it from a backup "
            "(commonwatt verify lists all that is damaged)"
        )
    if primary == sqlite3.SQLITE_CANTOPEN or operational:
        return StoreUnreachable(f"the store cannot be reached: {error}")
    return StoreError(f"the store failed: {error}")
