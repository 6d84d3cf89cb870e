"""Which meters are open to an account: meters that are added later are closed with the others."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_GRANTS = sa.table(
    "grants",
    sa.column("account", sa.Text()),
    sa.column("site", sa.Integer()),
    sa.column("closed_meters", sa.JSON()),
    sa.column("open_meters", sa.JSON()),
)


def upgrade() -> None:
    """Open to a grant that closes meters are those of its site that it does not close."""
    op.add_column("grants", sa.Column("open_meters", sa.JSON(), nullable=True))
    op.add_column(
        "grants", sa.Column("least_closed", sa.Integer(), nullable=False, server_default="0")
    )
    connection = op.get_bind()
    grants = connection.execute(
        sa.select(_GRANTS.c.account, _GRANTS.c.site, _GRANTS.c.closed_meters)
    ).all()
    for account, site, closed in grants:
        if not closed:
            continue
        ids = connection.execute(
            sa.text("SELECT id FROM meters WHERE site = :site ORDER BY id"), {"site": site}
        ).scalars()
        mine = (_GRANTS.c.account == account) & (_GRANTS.c.site == site)
        still_open = [each for each in ids if each not in closed]
        connection.execute(_GRANTS.update().where(mine).values(open_meters=still_open))
