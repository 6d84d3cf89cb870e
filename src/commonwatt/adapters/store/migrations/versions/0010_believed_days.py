"""Which days of a meter hang together, and the change from which that is known."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Of meters that are there it is found out with the next reading."""
    for name, kind in (
        ("believed_from", sa.Integer()),
        ("believed_to", sa.Integer()),
        ("generation", sa.BigInteger()),
    ):
        op.add_column("meter_registers", sa.Column(name, kind))
