"""By which rules a site is settled, and what upgrades of them change of locked quarter-hours."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add both tables. The days to settle anew are marked by who opens the store (`opening`)."""
    op.create_table(
        "rule_versions",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("at_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("site", "version", name=op.f("pk_rule_versions")),
    )
    op.create_table(
        "rule_changes",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.LargeBinary())
            for name in ("im", "ex", "self", "quality_total", "quality_self")
        ),
        sa.Column("changed", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger()),
        sa.PrimaryKeyConstraint("site", "meter", "day", name=op.f("pk_rule_changes")),
    )
