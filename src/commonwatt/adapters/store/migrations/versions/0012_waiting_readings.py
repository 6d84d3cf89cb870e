"""Readings whose stamps were ahead of their delivery: they count once the time has come."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table, with those that were set aside for it; settled days tell of them."""
    op.create_table(
        "waiting_readings",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "day", name=op.f("pk_waiting_readings")),
    )
    op.execute(
        "INSERT INTO waiting_readings (site, meter, day, first_at) "
        "SELECT site, meter, start_at / 86400, min(start_at) FROM findings "
        "WHERE rule = 'stamp-ahead' GROUP BY site, meter, start_at / 86400"
    )
