"""What a failure of the database becomes at the port."""

import sqlite3
from pathlib import Path

import pytest

from commonwatt.adapters.store.engine.database import Database
from commonwatt.app.errors import StoreError, StoreFull, StoreUnreachable


def failure_of(tmp_path: Path, code: int) -> StoreError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    try:
        with pytest.raises(StoreError) as raised, database.read():
            raise error
    finally:
        database.close()
    return raised.value


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    ],
)
def test_a_file_that_cannot_grow_is_a_full_store(tmp_path: Path, code: int) -> None:
    assert isinstance(failure_of(tmp_path, code), StoreFull)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_LOCK])
def test_a_file_that_cannot_be_read_is_not_a_full_store(tmp_path: Path, code: int) -> None:
    assert isinstance(failure_of(tmp_path, code), StoreUnreachable)
