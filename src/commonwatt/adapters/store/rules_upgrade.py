"""Opening a store by other rules than it was settled by: all of its days are marked."""

from sqlalchemy import Connection, exists, func, insert, literal, select, text, union_all, update

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.adapters.store.sql_store import SqlSnapshot
from commonwatt.app.errors import StoreTooNew
from commonwatt.app.settling.registers import learn_at_upgrade
from commonwatt.domain.rules_version import RULES_VERSION

_versions = schema.rule_versions


def mark_where_rules_changed(connection: Connection) -> None:
    """Mark all days with results of the sites that other rules have settled.

    Each under a generation of its own, which is remembered. Raises `StoreTooNew` where the rules
    were of a later version.
    """
    newest = connection.execute(select(func.max(_versions.c.version))).scalar()
    if newest is not None and newest > RULES_VERSION:
        raise StoreTooNew(
            f"the store is settled by version {newest} of the rules, this version of commonwatt "
            f"knows {RULES_VERSION}: install the newer version again"
        )
    sites = schema.sites
    of_site = _versions.c.site == sites.c.no
    is_current = exists().where(of_site, _versions.c.version == RULES_VERSION)
    for site in connection.execute(select(sites.c.no).where(~is_current)).scalars().all():
        _mark(connection, site)


def _mark(connection: Connection, site: int) -> None:
    if connection.dialect.name == "postgresql":
        # Other processes may go on writing to the site until they are ended.
        connection.execute(text("SELECT pg_advisory_xact_lock(:site)"), {"site": site})
    sites, settled = schema.sites, schema.settled_days
    mask = sites.c.no == site
    connection.execute(update(sites).where(mask).values(generation=sites.c.generation + 1))
    generation = connection.execute(select(sites.c.generation).where(mask)).scalar_one()
    drawn = literal(generation)
    days = select(settled.c.site, settled.c.group, settled.c.day, drawn, drawn).where(
        settled.c.site == site
    )
    columns = ("site", "group", "day", "generation", "since_generation")
    marks = replacing(connection, schema.dirty_marks, keep="since_generation")
    connection.execute(marks.from_select(columns, days))
    change = SqlSnapshot(connection, {}, set(), writes=True)
    learn_at_upgrade(change, site, generation)
    at_us = _last_recorded(connection, site)
    connection.execute(
        insert(_versions).values(
            site=site, version=RULES_VERSION, generation=generation, at_us=at_us
        )
    )


def _last_recorded(connection: Connection, site: int) -> int:
    """The last instant at which anything was recorded of a site [Unix microseconds]."""
    found = union_all(
        *(
            select(func.max(column).label("at_us")).where(column.table.c.site == site)
            for column in (
                schema.deliveries.c.recorded_us,
                schema.withdrawals.c.at_us,
                schema.past_catalogues.c.until_us,
                schema.edits.c.made_us,
                schema.edits.c.undone_us,
            )
        )
    ).subquery()
    return connection.execute(select(func.max(found.c.at_us))).scalar() or 0
