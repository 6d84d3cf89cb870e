"""Copy a commonwatt store into an empty one of the same version, SQLite or PostgreSQL.

python copy_store.py SOURCE_URL TARGET_URL, with nothing else using either of them.
"""

import sys

from sqlalchemy import Connection, Table, func, insert, select, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database

_ROWS = 1_000


def copy_store(source_url: str, target_url: str) -> dict[str, int]:
    """Copy all tables in one transaction; how many rows each has. Refuses a target with rows."""
    source, target = open_database(source_url), open_database(target_url)
    with source.read() as reading, target.write() as writing:
        for table in schema.metadata.sorted_tables:
            if writing.execute(select(func.count()).select_from(table)).scalar_one():
                raise SystemExit(f"the target is not empty: it has rows in {table.name}")
        copied = {
            table.name: _copy_table(reading, writing, table)
            for table in schema.metadata.sorted_tables
        }
        if not target.is_sqlite:
            # The ids of the audit trail go on after the copied ones.
            writing.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence('audit', 'id'), "
                    "(SELECT coalesce(max(id), 0) + 1 FROM audit), false)"
                )
            )
    source.close()
    target.close()
    return copied


def _copy_table(reading: Connection, writing: Connection, table: Table) -> int:
    count = 0
    rows = reading.execution_options(yield_per=_ROWS).execute(select(table))
    for part in rows.mappings().partitions(_ROWS):
        writing.execute(insert(table), [dict(row) for row in part])
        count += len(part)
    return count


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    for name, rows in copy_store(*sys.argv[1:]).items():
        print(f"{name}: {rows} rows")
