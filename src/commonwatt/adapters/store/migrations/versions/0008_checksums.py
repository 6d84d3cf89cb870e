"""A checksum beside the columns of each stored day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
_TABLES = (
    *("raw_readings", "sensor_readings", "meter_days", "open_meter_days"),
    *("site_days", "open_site_days", "reference_days"),
)


def upgrade() -> None:
    """Add the column; the rows that are there have none and are read as they are."""
    for table in _TABLES:
        op.add_column(table, sa.Column("checksum", sa.BigInteger()))
