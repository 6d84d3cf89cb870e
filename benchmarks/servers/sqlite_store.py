"""The SQLite file of a commonwatt store from outside: its size, copies of it, more sites in it.

Only what cannot be had in reasonable time through the product's own surface is done here.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def store_file(data: Path) -> Path:
    """The SQLite file with the settled days of a data folder."""
    for file in sorted(data.iterdir()):
        if file.is_file() and file.open("rb").read(15) == b"SQLite format 3":
            with closing(sqlite3.connect(file)) as connection:
                if connection.execute(
                    "select 1 from sqlite_master where name = 'meter_days'"
                ).fetchone():
                    return file
    raise FileNotFoundError(f"no store in {data}")


@contextmanager
def opened(data: Path) -> Iterator[sqlite3.Connection]:
    """The store, in a transaction that is committed at the end."""
    with closing(sqlite3.connect(store_file(data), timeout=30)) as connection, connection:
        yield connection


def copy_store(source: Path, target: Path) -> None:
    """Copy a data folder, also while a server has it open."""
    file = store_file(source)
    target.mkdir()
    for other in source.iterdir():
        if other.is_file() and not other.name.startswith(file.name):
            shutil.copy2(other, target)
    with (
        closing(sqlite3.connect(file)) as original,
        closing(sqlite3.connect(target / file.name)) as copied,
    ):
        original.backup(copied)
    (target / file.name).chmod(0o600)


def table_bytes(data: Path, *tables: str) -> int:
    """Bytes of the pages that tables and their keys take."""
    marks = ", ".join("?" * len(tables))
    statement = f"""select sum(pgsize) from dbstat where name in
        (select name from sqlite_master where tbl_name in ({marks}))"""
    with opened(data) as connection:
        return int(connection.execute(statement, tables).fetchone()[0])


def meter_days(data: Path) -> int:
    """How many settled days of a meter the store has."""
    with opened(data) as connection:
        return int(connection.execute("select count(*) from meter_days").fetchone()[0])


def multiply_site(data: Path, site_id: str, copies: int, from_day: int) -> None:
    """Add copies of a site under new numbers and ids, with what it has from a UTC day on."""
    with opened(data) as connection:
        connection.execute("pragma cache_size = -262144")
        (number,) = connection.execute("select no from sites where id = ?", [site_id]).fetchone()
        (last,) = connection.execute("select max(no) from sites").fetchone()
        connection.execute("create temp table copies (new_no integer primary key)")
        connection.executemany(
            "insert into copies values (?)", [(last + 1 + position,) for position in range(copies)]
        )
        for table in _tables(connection):
            _copy_rows(connection, table, number, from_day)


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    names = [name for (name,) in rows]
    return [
        name
        for name in names
        if name == "sites" or ("site" in _columns(connection, name) and name not in NOT_COPIED)
    ]


NOT_COPIED = ("grants", "audit", "dirty_marks")


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"pragma table_info({table})")]


def _copy_rows(connection: sqlite3.Connection, table: str, number: int, from_day: int) -> None:
    """Copy a site's rows of one table; ids of 24 hex digits are made of the new numbers."""
    columns = _columns(connection, table)
    key = "no" if table == "sites" else "site"
    new = {key: "new_no"}
    if "id" in columns:
        own = "0" if table == "sites" else "no"
        new["id"] = f"printf('%016x%08x', new_no, {own})"
    if "site_ref" in columns:
        new["site_ref"] = "null"
    selected = ", ".join(new.get(column, f'source."{column}"') for column in columns)
    days = f" and source.day >= {from_day}" if "day" in columns else ""
    connection.execute(
        f"""insert into {table} select {selected}
        from copies cross join {table} source where source.{key} = {number}{days}
        order by new_no"""
    )


def unsettle(data: Path, site_id: str) -> None:
    """Forget a site's settled days and mark all days with readings for settling."""
    with opened(data) as connection:
        (number,) = connection.execute("select no from sites where id = ?", [site_id]).fetchone()
        connection.execute("update sites set generation = generation + 1 where no = ?", [number])
        for table in ("meter_days", "site_days", "settled_days", "findings", "dirty_marks"):
            connection.execute(f"delete from {table} where site = ?", [number])
        connection.execute(
            """insert into dirty_marks (site, "group", day, generation)
            select distinct sites.no, 'electricity', raw_readings.day, sites.generation
            from sites join raw_readings on raw_readings.site = sites.no where sites.no = ?""",
            [number],
        )
