"""Inserting rows that replace those of the same key."""

from functools import lru_cache

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def replacing(connection: Connection, table: Table, keep: str | None = None) -> Insert:
    """Return an insert that replaces the row of the same primary key, save the column ``keep``."""
    return _replacing(table, connection.dialect.name, keep)


@lru_cache(maxsize=16)
def _replacing(table: Table, dialect: str, keep: str | None) -> Insert:
    build = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = build(table)
    key = [column.name for column in table.primary_key]
    replaced = {
        column.name: statement.excluded[column.name]
        for column in table.c
        if column.name not in (*key, keep)
    }
    return statement.on_conflict_do_update(index_elements=key, set_=replaced)
