"""Devices, keys, estimates, edits, locks and what was known before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what billing needs; a withdrawal that stands is the first event of its delivery."""
    _add_columns()
    _create_locks()
    _create_edits()
    _create_history()
    op.create_index(op.f("ix_deliveries_site_recorded_us"), "deliveries", ["site", "recorded_us"])
    op.execute(
        "INSERT INTO withdrawals (site, delivery, at_us, withdrawn) "
        "SELECT site, number, withdrawn_us, true FROM deliveries WHERE withdrawn_us IS NOT NULL"
    )
    _mark_all_days()


def _mark_all_days() -> None:
    """Let all results be settled anew: what they were settled by knew no methods and estimates."""
    op.execute("UPDATE sites SET generation = generation + 1")
    op.execute(
        'INSERT INTO dirty_marks (site, "group", day, generation, since_generation) '
        'SELECT settled_days.site, settled_days."group", settled_days.day, sites.generation, 0 '
        "FROM settled_days JOIN sites ON sites.no = settled_days.site WHERE true "
        'ON CONFLICT (site, "group", day) DO UPDATE SET generation = excluded.generation'
    )


def _add_columns() -> None:
    for table, column in (
        ("site_facts", sa.Column("battery", sa.Text(), nullable=False, server_default="last")),
        ("site_facts", sa.Column("connection_w", sa.BigInteger())),
        (
            "site_facts",
            sa.Column("proxy_days", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        ("meters", sa.Column("devices", sa.JSON())),
        ("meters", sa.Column("resolutions", sa.JSON())),
        ("meters", sa.Column("register_meter", sa.Text())),
        ("meter_facts", sa.Column("producers", sa.JSON())),
        ("meter_facts", sa.Column("max_per_hour", sa.BigInteger())),
    ):
        op.add_column(table, column)
    for table in ("dirty_marks", "settled_days"):
        since = sa.Column("since_generation", sa.BigInteger(), nullable=False, server_default="0")
        op.add_column(table, since)


def _create_locks() -> None:
    op.create_table(
        "open_meter_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.LargeBinary()) for name in ("im", "ex", "self")),
        sa.Column("quality_total", sa.LargeBinary(), nullable=False),
        sa.Column("quality_self", sa.LargeBinary()),
        sa.Column("method", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("site", "meter", "day", name=op.f("pk_open_meter_days")),
    )
    amounts = (
        *("conso_total", "from_ext", "self", "to_ext", "storage_charging", "storage_discharging"),
        *("storage_charging_self", "allocated", "unmetered"),
    )
    op.create_table(
        "open_site_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.LargeBinary()) for name in amounts),
        sa.Column("quality", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "medium", "day", name=op.f("pk_open_site_days")),
    )
    op.create_table(
        "locks",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("locked_us", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "group", "until", name=op.f("pk_locks")),
    )


def _create_edits() -> None:
    op.create_table(
        "edits",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("energy", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("undone_us", sa.BigInteger()),
        sa.Column("undone_by", sa.Text()),
        sa.Column("index", sa.BigInteger()),
        sa.Column("delivery", sa.Integer()),
        sa.PrimaryKeyConstraint("site", "number", name=op.f("pk_edits")),
    )
    op.create_table(
        "estimated_spans",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "first_day", name=op.f("pk_estimated_spans")),
    )
    op.create_index(op.f("ix_estimated_spans_site_end_day"), "estimated_spans", ["site", "end_day"])


def _create_history() -> None:
    op.create_table(
        "past_catalogues",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until_generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "until_generation", name=op.f("pk_past_catalogues")),
    )
    op.create_table(
        "withdrawals",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivery", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site", "delivery", "at_us", name=op.f("pk_withdrawals")),
    )
