"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "account_keys",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_account_keys")),
    )
    op.create_index(op.f("ix_account_keys_account"), "account_keys", ["account"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("rate_limit", sa.Boolean(), nullable=False),
        sa.Column("site_list", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("site", sa.Integer(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "deliveries",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("superseding", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=True),
        sa.Column("last_day", sa.Integer(), nullable=True),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site", "number", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_withdrawn",
        "deliveries",
        ["site"],
        unique=False,
        sqlite_where=sa.text("withdrawn_us IS NOT NULL"),
        postgresql_where=sa.text("withdrawn_us IS NOT NULL"),
    )
    op.create_table(
        "dirty_marks",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "group", "day", name=op.f("pk_dirty_marks")),
    )
    op.create_table(
        "findings",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "day", "position", name=op.f("pk_findings")),
    )
    op.create_table(
        "grants",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("history_from", sa.BigInteger(), nullable=True),
        sa.Column("closed_meters", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account", "site", name=op.f("pk_grants")),
    )
    op.create_table(
        "meter_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("im", sa.LargeBinary(), nullable=True),
        sa.Column("ex", sa.LargeBinary(), nullable=True),
        sa.Column("self", sa.LargeBinary(), nullable=True),
        sa.Column("quality_total", sa.LargeBinary(), nullable=False),
        sa.Column("quality_self", sa.LargeBinary(), nullable=True),
        sa.Column("method", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("site", "meter", "day", name=op.f("pk_meter_days")),
    )
    op.create_table(
        "meter_facts",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("balance", sa.Boolean(), nullable=False),
        sa.Column("isolated", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("share", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("registers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "valid_from", name=op.f("pk_meter_facts")),
    )
    op.create_table(
        "meter_registers",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("first_positive_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "meter", "register", name=op.f("pk_meter_registers")),
    )
    op.create_table(
        "meters",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("prim_ad", sa.Integer(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=True),
        sa.Column("installed_at", sa.BigInteger(), nullable=True),
        sa.Column("installed_index", sa.JSON(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "no", name=op.f("pk_meters")),
        sa.UniqueConstraint("id", name=op.f("uq_meters_id")),
        sa.UniqueConstraint("site", "type", "prim_ad", name=op.f("uq_meters_site_type_prim_ad")),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
    )
    op.create_table(
        "raw_readings",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("meter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivery", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("readings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "day", "delivery", name=op.f("pk_raw_readings")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "sensor_readings",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sensor", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivery", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("readings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site", "sensor", "day", "delivery", name=op.f("pk_sensor_readings")
        ),
    )
    op.create_table(
        "sensors",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "no", name=op.f("pk_sensors")),
        sa.UniqueConstraint("id", name=op.f("uq_sensors_id")),
    )
    op.create_table(
        "settled_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "group", "day", name=op.f("pk_settled_days")),
    )
    op.create_table(
        "site_days",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conso_total", sa.LargeBinary(), nullable=True),
        sa.Column("from_ext", sa.LargeBinary(), nullable=True),
        sa.Column("self", sa.LargeBinary(), nullable=True),
        sa.Column("to_ext", sa.LargeBinary(), nullable=True),
        sa.Column("storage_charging", sa.LargeBinary(), nullable=True),
        sa.Column("storage_discharging", sa.LargeBinary(), nullable=True),
        sa.Column("storage_charging_self", sa.LargeBinary(), nullable=True),
        sa.Column("allocated", sa.LargeBinary(), nullable=True),
        sa.Column("unmetered", sa.LargeBinary(), nullable=True),
        sa.Column("quality", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "medium", "day", name=op.f("pk_site_days")),
    )
    op.create_table(
        "site_facts",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("balance", sa.Text(), nullable=False),
        sa.Column("allocation_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "valid_from", name=op.f("pk_site_facts")),
    )
    op.create_table(
        "sites",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site_ref", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street_name", sa.Text(), nullable=True),
        sa.Column("street_number", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("creation_date", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("catalogue_generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_sites")),
        sa.UniqueConstraint("id", name=op.f("uq_sites_id")),
        sa.UniqueConstraint("site_ref", name=op.f("uq_sites_site_ref")),
    )
