"""Fill B's table: `python -m benchmarks.yardstick_b.fill`.

Settings: `B_DATABASE_URL`, `B_FIRST_DAY` (UTC day), `B_DAYS`, `B_BUILDINGS` (of 20 meters).
"""

import io
import os
from collections.abc import Iterator

import numpy as np
import psycopg
from sqlalchemy import Engine, create_engine, text

from benchmarks.site.building import METERS_A_BUILDING, QUARTER_S, Building, Column, make_building
from benchmarks.yardstick_b.queries import Base

Columns = tuple[int, Column, Column | None, Column | None]


def meters_of(building: Building, number: int) -> Iterator[Columns]:
    """(meter id, total, self, ext) of a building's meters: consumers first, then sun and grid."""
    first = 1 + number * METERS_A_BUILDING
    for position, (total, share) in enumerate(zip(building.totals, building.shares, strict=True)):
        yield first + position, total, share, total - share
    yield first + len(building.totals), building.sun, None, None
    yield first + len(building.totals) + 1, building.grid_import, None, None


def _copy_text(starts: list[str], meter: Columns) -> str:
    number, *columns = meter
    texts = [
        ["\\N"] * len(starts) if column is None else [f"{wh / 1000}" for wh in column.tolist()]
        for column in columns
    ]
    return "".join(
        f"{number}\t{start}\t{total}\t{own}\t{ext}\n"
        for start, total, own, ext in zip(starts, *texts, strict=True)
    )


def _fill_postgres(engine: Engine, building: Building, number: int, starts: list[str]) -> None:
    statement = "copy quarter_hours (meter_id, start_at, total, self, ext) from stdin"
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        for meter in meters_of(building, number):
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(_copy_text(starts, meter))


def _fill_sqlite(engine: Engine, building: Building, number: int, starts: list[str]) -> None:
    with engine.begin() as connection:
        for meter in meters_of(building, number):
            lines = io.StringIO(_copy_text(starts, meter))
            connection.exec_driver_sql(
                "insert into quarter_hours (meter_id, start_at, total, self, ext)"
                " values (?, ?, ?, ?, ?)",
                [
                    tuple(None if cell == "\\N" else cell for cell in line[:-1].split("\t"))
                    for line in lines
                ],
            )


def bytes_a_row(url: str) -> float:
    """Bytes on disk of a row with its key."""
    statements = {
        "postgresql": "select pg_total_relation_size('quarter_hours')",
        "sqlite": "select page_count * page_size from pragma_page_count, pragma_page_size",
    }
    engine = create_engine(url)
    with engine.connect() as connection:
        size = connection.execute(text(statements[engine.dialect.name])).scalar_one()
        rows = connection.execute(text("select count(*) from quarter_hours")).scalar_one()
    return float(size) / float(rows)


def main() -> None:
    """Create the table and fill it; PostgreSQL by COPY, then vacuumed and analysed."""
    engine = create_engine(os.environ["B_DATABASE_URL"])
    first_day, days = int(os.environ["B_FIRST_DAY"]), int(os.environ["B_DAYS"])
    on_sqlite = engine.dialect.name == "sqlite"
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    if on_sqlite:
        with engine.begin() as connection:
            connection.exec_driver_sql("pragma journal_mode = wal")
    for number in range(int(os.environ["B_BUILDINGS"])):
        building = make_building(number, METERS_A_BUILDING - 2, first_day, days)
        quarters = np.arange(building.quarters, dtype=np.int64) + building.first_quarter
        instants = (quarters * QUARTER_S).astype("datetime64[s]")
        suffix = ".000000" if on_sqlite else "+00"
        starts = [f"{text_}{suffix}".replace("T", " ") for text_ in instants.astype(str).tolist()]
        (_fill_sqlite if on_sqlite else _fill_postgres)(engine, building, number, starts)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze" if on_sqlite else "vacuum analyze quarter_hours"))


if __name__ == "__main__":
    main()
