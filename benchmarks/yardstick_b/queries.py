# ruff: noqa: ARG002 (SQLAlchemy passes the dialect)
"""The table of B and its three statements, for PostgreSQL and (where that is missing) SQLite."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Dialect, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

TRUNCATE = {"H": "hour", "D": "day", "M": "month", "Y": "year"}


class NaiveUtc(TypeDecorator[datetime]):
    """SQLite keeps no zone: UTC goes in, UTC comes out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Drop the zone after going to UTC."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """The tables of B."""


class QuarterHour(Base):
    """The energies of a meter in one quarter-hour, kWh."""

    __tablename__ = "quarter_hours"

    meter_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True).with_variant(NaiveUtc(), "sqlite"), primary_key=True
    )
    total: Mapped[float | None]
    self: Mapped[float | None]
    ext: Mapped[float | None]


EnergyRow = tuple[datetime, float | None, float | None, float | None]


def quarter_hours(
    database: Session, meter_id: int, start: datetime, end: datetime
) -> Sequence[EnergyRow]:
    """(start, total, self, ext) of the quarter-hours that start in [start, end)."""
    row = QuarterHour
    statement = (
        select(row.start_at, row.total, row.self, row.ext)
        .where(row.meter_id == meter_id, row.start_at >= start, row.start_at < end)
        .order_by(row.start_at)
    )
    return database.execute(statement).tuples().all()


def sums(
    database: Session, meter_id: int, start: datetime, end: datetime, sampling: str, zone: ZoneInfo
) -> Sequence[EnergyRow]:
    """(start of the local bucket, sums); in SQL where the database knows zones."""
    if database.get_bind().dialect.name == "sqlite":
        return _sums_in_python(quarter_hours(database, meter_id, start, end), sampling, zone)
    row = QuarterHour
    local = func.timezone(zone.key, row.start_at)
    bucket = func.timezone(zone.key, func.date_trunc(TRUNCATE[sampling], local)).label("bucket")
    statement = (
        select(bucket, func.sum(row.total), func.sum(row.self), func.sum(row.ext))
        .where(row.meter_id == meter_id, row.start_at >= start, row.start_at < end)
        .group_by(bucket)
        .order_by(bucket)
    )
    return database.execute(statement).tuples().all()


def _sums_in_python(
    rows: Sequence[EnergyRow], sampling: str, zone: ZoneInfo
) -> Sequence[EnergyRow]:
    def bucket(row: EnergyRow) -> datetime:
        local = row[0].astimezone(zone).replace(minute=0)
        if sampling == "H":
            return local
        day = local.replace(hour=0, fold=0)
        return {"D": day, "M": day.replace(day=1), "Y": day.replace(month=1, day=1)}[sampling]

    def add(column: Sequence[float | None]) -> float | None:
        known = [value for value in column if value is not None]
        return sum(known) if known else None

    answer: list[EnergyRow] = []
    for start_at, group in groupby(rows, key=bucket):
        columns = list(zip(*group, strict=True))
        answer.append((start_at, add(columns[1]), add(columns[2]), add(columns[3])))
    return answer


def upsert(database: Session, rows: Sequence[dict[str, object]]) -> None:
    """Insert rows keyed by wire names; an existing quarter-hour takes the new values."""
    insert = sqlite.insert if database.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(QuarterHour)
    values = {name: statement.excluded[name] for name in ("total", "self", "ext")}
    statement = statement.on_conflict_do_update(
        index_elements=["meter_id", "start_at"], set_=values
    )
    database.execute(statement, list(rows))
