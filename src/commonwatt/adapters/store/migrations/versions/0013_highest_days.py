"""The days with the highest powers of each register."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Of registers that are there they are found out in the background."""
    op.add_column("meter_registers", sa.Column("highest", sa.JSON()))
