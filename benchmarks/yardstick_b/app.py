# ruff: noqa: ARG001 (FastAPI calls with what the route names)
"""FastAPI, SQLAlchemy 2, a row a quarter-hour in PostgreSQL (or SQLite), pydantic, JWT.

Settings come from the environment: `B_DATABASE_URL`, `B_SECRET`. Nothing here is tuned, and nothing
is slowed down.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.yardstick_b import queries

SITE_ZONE = ZoneInfo("Europe/Zurich")

engine = create_engine(os.environ["B_DATABASE_URL"], pool_size=20)
new_session = sessionmaker(engine)
app = FastAPI(title="Yardstick B")
bearer = HTTPBearer()


class Period(BaseModel):
    """What a client asks for; instants without zone are UTC."""

    t_s: datetime
    t_e: datetime
    sampling_frequency: Literal["15T", "H", "D", "M", "Y"] = "15T"


class Energy(BaseModel):
    """One row of an answer, kWh."""

    total: float | None
    self: float | None
    ext: float | None
    timestamp: str


class QuarterHourIn(BaseModel):
    """One row of a batch, kWh."""

    meter_id: int
    start_at: datetime
    total: float | None
    self: float | None
    ext: float | None


def signed_in(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The account of a valid token."""
    try:
        claims = jwt.decode(credentials.credentials, os.environ["B_SECRET"], algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(401, "not signed in") from error
    return str(claims["sub"])


def session() -> Iterator[Session]:
    """A database session for one request."""
    with new_session() as opened:
        yield opened


Account = Annotated[str, Depends(signed_in)]
Database = Annotated[Session, Depends(session)]


def as_utc(instant: datetime) -> datetime:
    """An instant of a request, aware."""
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def local_text(instant: datetime, zone: tzinfo = SITE_ZONE) -> str:
    """An instant in the site's zone, with offset."""
    return str(instant.astimezone(zone))


@app.post("/meter_data/{site_id}/{meter_id}", response_model=list[Energy])
def meter_data(
    site_id: str, meter_id: int, period: Period, account: Account, database: Database
) -> list[dict[str, float | str | None]]:
    """The energies of a meter, by quarter-hour or summed per local bucket."""
    start, end = as_utc(period.t_s), as_utc(period.t_e)
    if period.sampling_frequency == "15T":
        rows = queries.quarter_hours(database, meter_id, start, end)
        shift = timedelta(minutes=15)
    else:
        rows = queries.sums(database, meter_id, start, end, period.sampling_frequency, SITE_ZONE)
        shift = timedelta()
    return [
        {
            "total": total,
            "self": own,
            "ext": ext,
            "timestamp": local_text(start_at + shift),
        }
        for start_at, total, own, ext in rows
    ]


@app.post("/ingest")
def ingest(rows: list[QuarterHourIn], account: Account, database: Database) -> dict[str, int]:
    """Store a batch; a quarter-hour that is there already is replaced."""
    queries.upsert(database, [row.model_dump() for row in rows])
    database.commit()
    return {"rows": len(rows)}
