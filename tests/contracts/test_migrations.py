"""A store that grew by migrations has the tables of a fresh one."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.opening import (
    KNOWN_REVISIONS,
    MIGRATIONS,
    REVISION,
    migrate,
    open_database,
)
from commonwatt.app.errors import StoreTooNew

pytestmark = pytest.mark.both_engines


@pytest.fixture
def database(empty_store_url: str) -> Iterator[Database]:
    """Give an empty database, without any table."""
    database = Database(empty_store_url)
    yield database
    database.close()


def index_of(index: Mapping[str, Any]) -> str:
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def tables_of(connection: Connection) -> dict[str, object]:
    """All that the database itself says of its tables."""
    seen = inspect(connection)
    found: dict[str, object] = {}
    for table in sorted(seen.get_table_names()):
        columns: list[Any] = [
            {**column, "type": repr(column["type"])} for column in seen.get_columns(table)
        ]
        found[table] = (
            columns,
            seen.get_pk_constraint(table),
            sorted(map(str, seen.get_unique_constraints(table))),
            sorted(index_of(found_index) for found_index in seen.get_indexes(table)),
            seen.get_foreign_keys(table),
            seen.get_check_constraints(table),
        )
    return found


def test_the_migrated_tables_equal_the_fresh_ones(empty_store_url: str) -> None:
    fresh = open_database(empty_store_url)
    with fresh.write() as connection:
        seen = tables_of(connection)
        schema.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        assert tables_of(connection) == {}
        migrate(connection, REVISION)
        migrated = tables_of(connection)
    fresh.close()
    assert migrated == seen
    assert set(seen) == {*schema.metadata.tables, "alembic_version"}


@pytest.mark.parametrize("way", ["fresh", "migrated"])
def test_alembic_finds_nothing_to_change(
    database: Database, empty_store_url: str, way: str
) -> None:
    if way == "fresh":
        open_database(empty_store_url).close()
    else:
        with database.write() as connection:
            migrate(connection, REVISION)
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == REVISION


def test_what_was_settled_before_estimates_is_settled_anew(database: Database) -> None:
    with database.write() as connection:
        migrate(connection, "0001")
        connection.execute(
            text(
                "INSERT INTO sites (no, id, name, timezone, generation, catalogue_generation) "
                "VALUES (1, 'a', 'House', 'UTC', 7, 2)"
            )
        )
        for table, day, generation in (
            *(("settled_days", 20_000, 3), ("settled_days", 20_001, 6)),
            *(("dirty_marks", 20_001, 7), ("dirty_marks", 20_002, 7)),
        ):
            connection.execute(
                text(
                    f'INSERT INTO {table} (site, "group", day, generation) '
                    f"VALUES (1, 'electricity', {day}, {generation})"
                )
            )
        migrate(connection, REVISION)
        marks = connection.execute(
            text("SELECT day, generation, since_generation FROM dirty_marks ORDER BY day")
        ).all()
        generation = connection.execute(text("SELECT generation FROM sites")).scalar_one()
    assert generation == 8
    assert [tuple(mark) for mark in marks] == [(20_000, 8, 0), (20_001, 8, 0), (20_002, 7, 0)]


def test_open_to_grants_with_closed_meters_is_what_they_did_not_close(database: Database) -> None:
    with database.write() as connection:
        migrate(connection, "0004")
        for number, meter in enumerate(("a", "b", "c"), 1):
            connection.execute(
                text(
                    "INSERT INTO meters (site, no, id, name, type, prim_ad, installed_index) "
                    f"VALUES (1, {number}, '{meter}', 'M', 'electricity', {number}, '{{}}')"
                )
            )
        for account, closed in (("all", "[]"), ("some", '["b"]')):
            connection.execute(
                text(
                    "INSERT INTO grants (account, site, closed_meters) "
                    f"VALUES ('{account}', 1, '{closed}')"
                )
            )
        migrate(connection, REVISION)
        grants = connection.execute(
            select(
                schema.grants.c.account, schema.grants.c.open_meters, schema.grants.c.least_closed
            )
        ).all()
    assert sorted(map(tuple, grants)) == [("all", None, 0), ("some", ["a", "c"], 0)]


def test_the_known_revisions_are_those_that_there_are() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [REVISION]
    assert {script.revision for script in scripts.walk_revisions()} == set(KNOWN_REVISIONS)


def test_opening_twice_changes_nothing(empty_store_url: str) -> None:
    first = open_database(empty_store_url)
    with first.read() as connection:
        before = tables_of(connection)
    second = open_database(empty_store_url)
    with second.read() as connection:
        assert tables_of(connection) == before
        revisions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert [tuple(row) for row in revisions] == [(REVISION,)]
    first.close()
    second.close()


def test_a_store_of_a_later_version_is_refused_and_left_alone(empty_store_url: str) -> None:
    database = open_database(empty_store_url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="9999"):
        open_database(empty_store_url)
    with database.read() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    database.close()
    assert revision == "9999"
