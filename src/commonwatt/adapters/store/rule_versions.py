"""By which version of the rules sites are settled."""

from sqlalchemy import Connection, insert

from commonwatt.adapters.store import schema
from commonwatt.domain.rules_version import RULES_VERSION


def begin_with_rules(connection: Connection, site: int) -> None:
    """Record that a new site is settled by the rules of this version from its first day on."""
    connection.execute(insert(schema.rule_versions).values(site=site, version=RULES_VERSION))
