"""Readings that are held back since they look like something else, and those accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; nothing that is stored is held."""
    op.add_column("meters", sa.Column("held", sa.JSON()))
    op.add_column("meters", sa.Column("accepted", sa.JSON()))
