"""Registers that begin late, expected intervals, accepted estimates, locks despite open tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; nothing that is there changes."""
    op.add_column("meters", sa.Column("register_from", sa.JSON()))
    op.add_column("meters", sa.Column("expected_s", sa.Integer()))
    op.add_column(
        "edits", sa.Column("accepts", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("locks", sa.Column("despite", sa.Text()))
