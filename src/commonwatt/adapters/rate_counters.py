"""Where rate limits count: in memory, in a file, in the database or in Redis.

All are storages of the ``limits`` library.

A window is a count and its end; it begins with its first hit. All storages end it 0.1 s early: a
client that keeps exactly one second between its requests is then never refused because the network
or a busy core moved one of them by some milliseconds.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from limits.storage import RedisStorage, Storage
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from commonwatt.adapters.store.schema import rate_limits

EARLY_S = 0.1
SWEEP_EVERY = 10_000  # new windows between two sweeps of those that are over


class MemoryCounters(Storage):
    """Counters of one process.

    The library's own memory storage starts a thread for each sweep, which costs more than all the
    rest.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._sweep_above = SWEEP_EVERY

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Nothing fails in memory."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to the window of ``key``, or begin one of ``expiry`` seconds; the count after it."""
        now = self._clock()
        until = now + expiry - EARLY_S
        with self._lock:
            hits, ends_at = self._windows.get(key, (0, 0.0))
            # An end beyond a whole window means that the clock was set back: begin anew, don't wait
            # for it.
            if not now < ends_at <= until:
                hits, ends_at = 0, until
                self._sweep(now)
            self._windows[key] = (hits + amount, ends_at)
        return hits + amount

    def _sweep(self, now: float) -> None:
        if len(self._windows) < self._sweep_above:
            return
        self._windows = {key: each for key, each in self._windows.items() if each[1] > now}
        self._sweep_above = max(SWEEP_EVERY, 2 * len(self._windows))

    def get(self, key: str) -> int:
        """The count of the window of ``key``; 0 without one."""
        hits, ends_at = self._windows.get(key, (0, 0.0))
        return hits if self._clock() < ends_at else 0

    def get_expiry(self, key: str) -> float:
        """The Unix seconds at which the window of ``key`` ends; now without one."""
        return self._windows.get(key, (0, self._clock()))[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all windows; how many there were."""
        with self._lock:
            forgotten = len(self._windows)
            self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forget the window of ``key``."""
        with self._lock:
            self._windows.pop(key, None)


# One statement, so that processes that hit at once count one after the other.
_HIT = sa.text(
    """
    INSERT INTO rate_limits AS w (key, hits, ends_at) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      hits = :amount + CASE WHEN w.ends_at > :now AND w.ends_at <= :until THEN w.hits ELSE 0 END,
      ends_at = CASE WHEN w.ends_at > :now AND w.ends_at <= :until THEN w.ends_at ELSE :until END
    RETURNING hits
    """
)
_READ = sa.text("SELECT hits, ends_at FROM rate_limits WHERE key = :key")
_FORGET = sa.text("DELETE FROM rate_limits WHERE key = :key")
_SWEEP = sa.text("DELETE FROM rate_limits WHERE ends_at <= :now")


class SqlCounters(Storage):
    """Counters in a table ``rate_limits``, shared by all processes that open it.

    Build it by :func:`counters_in_file` or :func:`counters_in_database`.
    """

    STORAGE_SCHEME = None

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        super().__init__(wrap_exceptions=True)
        self._engine = engine
        self._clock = clock
        self._hits_to_sweep = SWEEP_EVERY

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the library reports as its StorageError."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to the window of ``key``, or begin one of ``expiry`` seconds; the count after it."""
        now = self._clock()
        window = {"key": key, "amount": amount, "now": now, "until": now + expiry - EARLY_S}
        with self._engine.connect() as connection:
            hits = int(connection.execute(_HIT, window).scalar_one())
            self._hits_to_sweep -= 1
            if self._hits_to_sweep <= 0:
                self._hits_to_sweep = SWEEP_EVERY
                connection.execute(_SWEEP, {"now": now})
        return hits

    def get(self, key: str) -> int:
        """The count of the window of ``key``; 0 without one."""
        hits, ends_at = self._read(key)
        return hits if self._clock() < ends_at else 0

    def get_expiry(self, key: str) -> float:
        """The Unix seconds at which the window of ``key`` ends; now without one."""
        return self._read(key)[1]

    def _read(self, key: str) -> tuple[int, float]:
        with self._engine.connect() as connection:
            row = connection.execute(_READ, {"key": key}).one_or_none()
        return (0, self._clock()) if row is None else (row.hits, row.ends_at)

    def check(self) -> bool:
        """Whether the table can be read."""
        try:
            self._read("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        """Forget all windows; how many there were."""
        with self._engine.connect() as connection:
            return connection.execute(sa.delete(rate_limits)).rowcount

    def clear(self, key: str) -> None:
        """Forget the window of ``key``."""
        with self._engine.connect() as connection:
            connection.execute(_FORGET, {"key": key})

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def counters_in_file(path: Path, clock: Callable[[], float] = time.time) -> SqlCounters:
    """Counters that the processes of one machine share: a small SQLite file, created where missing.

    It is written without durability, a power cut may damage it; a damaged one is begun anew.
    """
    engine = _file_engine(path)
    try:
        with engine.connect() as connection:
            intact = connection.execute(sa.text("PRAGMA quick_check(1)")).scalar() == "ok"
    except sa.exc.OperationalError:  # a full disk, a busy file: not damaged, RequestLimits copes
        intact = True
    except sa.exc.DatabaseError:
        intact = False
    if not intact:
        engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        engine = _file_engine(path)
    return SqlCounters(engine, clock)


def _file_engine(path: Path) -> sa.Engine:
    path.touch(mode=0o600)
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": 1.0},
        pool_reset_on_return=None,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = OFF",
            str(CreateTable(rate_limits, if_not_exists=True)),
        ):
            connection.execute(statement)

    return engine


def counters_in_database(url: str, clock: Callable[[], float] = time.time) -> SqlCounters:
    """Counters that all processes on one PostgreSQL database share, in its table ``rate_limits``.

    On connections of their own: a hit commits by itself and does not wait for the disk.
    """
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        connect_args={
            "options": "-c synchronous_commit=off -c statement_timeout=1000 -c lock_timeout=1000"
        },
        pool_timeout=1,
        pool_reset_on_return=None,
    )
    return SqlCounters(engine, clock)


class RedisCounters(RedisStorage):
    """Counters in Redis, by the library's own storage, but with windows that end 0.1 s early."""

    SCRIPT_INCR_EXPIRE = f"""
    local hits = redis.call("incrby", KEYS[1], ARGV[2])
    if hits == tonumber(ARGV[2]) then
      redis.call("pexpire", KEYS[1], ARGV[1] * 1000 - {round(EARLY_S * 1000)})
    end
    return hits
    """.encode()


def counters_in_redis(url: str) -> RedisCounters:
    """Counters that all who know a Redis or Valkey server share; ``url`` is as ``redis://HOST:PORT``.

    Raises limits.errors.ConfigurationError where the package ``redis`` is not installed.
    """
    # A server that does not answer may not hold every request up.
    return RedisCounters(url, wrap_exceptions=True, socket_connect_timeout=1, socket_timeout=1)
