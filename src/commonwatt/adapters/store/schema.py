"""The tables. Whatever holds data leads its key with the site, so that a store shards by it.

Instants are Unix seconds, columns ending in ``_us`` Unix microseconds, days UTC days since 1970.
What is packed into a BLOB is described in `packing`; ``checksum`` is that of a row's key and BLOBs
(`checksums`), NULL in rows of before there was one.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

sites = Table(
    "sites",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("site_ref", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("street_name", Text),
    Column("street_number", Text),
    Column("city", Text),
    Column("postal_code", Text),
    Column("creation_date", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("timezone", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("catalogue_generation", BigInteger, nullable=False),
)

site_facts = Table(
    "site_facts",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_to", BigInteger),
    Column("balance", Text, nullable=False),
    Column("allocation_key", Text, nullable=False),
    Column("battery", Text, nullable=False, server_default="last"),
    Column("connection_w", BigInteger),
    Column("proxy_days", Boolean, nullable=False, server_default=false()),
)

meters = Table(
    "meters",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("prim_ad", Integer, nullable=False),
    Column("interval_s", Integer),
    Column("installed_at", BigInteger),
    Column("installed_index", JSON, nullable=False),
    Column("removed_at", BigInteger),
    Column("devices", JSON),
    Column("resolutions", JSON),
    Column("register_meter", Text),
    Column("register_from", JSON),
    Column("expected_s", Integer),
    Column("register_kind", Text, nullable=False, server_default="counts"),
    Column("held", JSON),
    Column("accepted", JSON),
    UniqueConstraint("site", "type", "prim_ad"),
)

meter_facts = Table(
    "meter_facts",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_to", BigInteger),
    Column("mode", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("balance", Boolean, nullable=False),
    Column("isolated", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("share", Text),
    Column("rule", Text),
    Column("factor", Text, nullable=False),
    Column("registers", JSON, nullable=False),
    Column("producers", JSON),
    Column("max_per_hour", BigInteger),
)

sensors = Table(
    "sensors",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("model", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("superseding", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("first_day", Integer),
    Column("last_day", Integer),
    Column("withdrawn_us", BigInteger),
    Column("withdrawn_reason", Text),
    Column("not_counting", Integer),
)
Index(None, deliveries.c.site, deliveries.c.recorded_us)
Index(
    "ix_deliveries_withdrawn",
    deliveries.c.site,
    sqlite_where=deliveries.c.withdrawn_us.is_not(None),
    postgresql_where=deliveries.c.withdrawn_us.is_not(None),
)

raw_readings = Table(
    "raw_readings",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("delivery", BigInteger, primary_key=True, autoincrement=False),
    Column("readings", LargeBinary, nullable=False),
    Column("checksum", BigInteger),
)

# The days of meters with readings whose stamps were ahead of their delivery, and the first of these
# stamps: once it has come they count.
waiting_readings = Table(
    "waiting_readings",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("first_at", BigInteger, nullable=False),
)

meter_registers = Table(
    "meter_registers",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("register", Text, primary_key=True),
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    Column("first_positive_at", BigInteger),
    Column("believed_from", Integer),
    Column("believed_to", Integer),
    Column("generation", BigInteger),
    Column("highest", JSON(none_as_null=True)),
)

sensor_readings = Table(
    "sensor_readings",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("sensor", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("delivery", BigInteger, primary_key=True, autoincrement=False),
    Column("readings", LargeBinary, nullable=False),
    Column("checksum", BigInteger),
)

# ``since_generation``: of the first mark on the day since it was settled last; of a settled day the
# first one ever. What was never marked has no results.
dirty_marks = Table(
    "dirty_marks",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("since_generation", BigInteger, nullable=False, server_default="0"),
)

settled_days = Table(
    "settled_days",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("since_generation", BigInteger, nullable=False, server_default="0"),
)


def _meter_days(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("site", Integer, primary_key=True, autoincrement=False),
        Column("meter", Integer, primary_key=True, autoincrement=False),
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("im", LargeBinary),
        Column("ex", LargeBinary),
        Column("self", LargeBinary),
        Column("quality_total", LargeBinary, nullable=False),
        Column("quality_self", LargeBinary),
        Column("method", LargeBinary),
        Column("checksum", BigInteger),
    )


def _site_days(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("site", Integer, primary_key=True, autoincrement=False),
        Column("medium", Text, primary_key=True),
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("conso_total", LargeBinary),
        Column("from_ext", LargeBinary),
        Column("self", LargeBinary),
        Column("to_ext", LargeBinary),
        Column("storage_charging", LargeBinary),
        Column("storage_discharging", LargeBinary),
        Column("storage_charging_self", LargeBinary),
        Column("allocated", LargeBinary),
        Column("unmetered", LargeBinary),
        Column("quality", LargeBinary, nullable=False),
        Column("checksum", BigInteger),
    )


# What is answered. Locked quarter-hours stay in it as they were; what would be answered of them
# without the lock is beside it, for the days where it differs.
meter_days = _meter_days("meter_days")
open_meter_days = _meter_days("open_meter_days")
site_days = _site_days("site_days")
open_site_days = _site_days("open_site_days")

# Until when a group is locked, with the hash of what each step of locking froze.
locks = Table(
    "locks",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("content_hash", Text, nullable=False),
    Column("locked_us", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("despite", Text),
)

# By which rules a site's results were computed, and the generation under which an upgrade to them
# marked its days, with the last instant that anything was recorded until then; NULL for the rules
# that the site began with.
rule_versions = Table(
    "rule_versions",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger),
    Column("at_us", BigInteger),
)

# By how much upgrades of the rules alone changed locked quarter-hours, and the qualities that they
# lead to where ``changed`` is 1.
rule_changes = Table(
    "rule_changes",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("im", LargeBinary),
    Column("ex", LargeBinary),
    Column("self", LargeBinary),
    Column("quality_total", LargeBinary),
    Column("quality_self", LargeBinary),
    Column("changed", LargeBinary, nullable=False),
    Column("checksum", BigInteger),
)

edits = Table(
    "edits",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, nullable=False),
    Column("register", Text, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("energy", BigInteger),
    Column("reason", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("undone_us", BigInteger),
    Column("undone_by", Text),
    Column("index", BigInteger),
    Column("delivery", Integer),
    Column("accepts", Boolean, nullable=False, server_default=false()),
)

# The days [first, end) of gaps, which are estimated by the shape of other days of the meter.
estimated_spans = Table(
    "estimated_spans",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("first_day", Integer, primary_key=True, autoincrement=False),
    Column("end_day", Integer, nullable=False),
    Index(None, "site", "end_day"),
)

# What was declared of a site until a change of it, to answer what was known before.
past_catalogues = Table(
    "past_catalogues",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("until_generation", BigInteger, primary_key=True, autoincrement=False),
    Column("until_us", BigInteger, nullable=False),
    Column("catalogue", Text, nullable=False),
)

# Each time that a delivery was withdrawn or reinstated.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("delivery", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("withdrawn", Boolean, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
)

# What another platform says of a UTC day of a meter, beside what is answered: nothing rests on it.
reference_days = Table(
    "reference_days",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("total", LargeBinary),
    Column("self", LargeBinary),
    Column("ext", LargeBinary),
    Column("checksum", BigInteger),
)

# Up to where a series of a meter or sensor (by its id) has been copied from another platform.
copied_series = Table(
    "copied_series",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("item", Text, primary_key=True),
    Column("until_at", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("token_version", Integer, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("rate_limit", Boolean, nullable=False),
    Column("site_list", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("habits", Text, nullable=False, server_default="current"),
)

account_keys = Table(
    "account_keys",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("account", Text, primary_key=True),
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("history_from", BigInteger),
    # Of before `open_meters`, which says it the other way; read no more.
    Column("closed_meters", JSON, nullable=False),
    Column("open_meters", JSON(none_as_null=True)),
    Column("least_closed", Integer, nullable=False, server_default="0"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("site", Integer),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# Counters that several processes share; nothing is lost with them.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", Text, primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("ends_at", Double, nullable=False),
)
