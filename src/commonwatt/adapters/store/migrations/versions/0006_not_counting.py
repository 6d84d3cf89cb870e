"""How many rows of a delivery did not count when it came."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of earlier deliveries it is not known."""
    op.add_column("deliveries", sa.Column("not_counting", sa.Integer()))
