"""Which clients an account's answers are for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Accounts that are there are answered as before."""
    op.add_column(
        "accounts", sa.Column("habits", sa.Text(), nullable=False, server_default="current")
    )
