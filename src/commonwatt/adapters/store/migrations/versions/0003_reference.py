"""What another platform says of meters, and how far it has been copied."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both tables; nothing that is there changes."""
    op.create_table(
        "reference_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.LargeBinary()) for name in ("total", "self", "ext")),
        sa.PrimaryKeyConstraint("site", "meter", "day", name=op.f("pk_reference_days")),
    )
    op.create_table(
        "copied_series",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "item", name=op.f("pk_copied_series")),
    )
