"""Whether a meter's counters begin again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """The counters of meters that are there count on, as before."""
    op.add_column(
        "meters", sa.Column("register_kind", sa.Text(), nullable=False, server_default="counts")
    )
