"""The record that every request is judged by, in one query."""

from sqlalchemy import Connection, and_, bindparam, select

from commonwatt.adapters.store.engine.hot_query import HotQuery, Row
from commonwatt.adapters.store.schema import account_keys, accounts, grants, sites
from commonwatt.app.accounts.authorize import AccountAccess, GrantedSite, Habits, Role, SiteList
from commonwatt.app.accounts.scope import AccessScope

_SITE = (
    sites.c.no,
    sites.c.id,
    sites.c.generation,
    sites.c.catalogue_generation,
    sites.c.timezone,
    grants.c.account,
    grants.c.history_from,
    grants.c.open_meters,
    grants.c.least_closed,
)
_GRANTED_TO = 5  # the place of the grant's account in _SITE
_ACCOUNT = (
    accounts.c.name,
    accounts.c.role,
    accounts.c.disabled,
    accounts.c.token_version,
    accounts.c.rate_limit,
    accounts.c.site_list,
    accounts.c.habits,
)
_WITH_SITE = (
    select(*_ACCOUNT, *_SITE)
    .select_from(accounts)
    .outerjoin(sites, sites.c.id == bindparam("site_id"))
    .outerjoin(grants, and_(grants.c.account == accounts.c.name, grants.c.site == sites.c.no))
)
_BY_NAME = _WITH_SITE.where(accounts.c.name == bindparam("account"))
_BY_KEY = _WITH_SITE.where(
    accounts.c.name
    == select(account_keys.c.account)
    .where(account_keys.c.key_hash == bindparam("key_hash"))
    .scalar_subquery()
)
_GRANTED = (
    select(*_SITE)
    .join_from(grants, sites, grants.c.site == sites.c.no)
    .where(grants.c.account == bindparam("account"))
    .order_by(sites.c.id)
)
_FIRST_GRANT = (
    select(grants.c.account, sites.c.id)
    .join_from(grants, sites, grants.c.site == sites.c.no)
    .order_by(grants.c.account, grants.c.site)
    .limit(1)
)
_READ_BY_NAME, _READ_BY_KEY = HotQuery(_BY_NAME), HotQuery(_BY_KEY)


def read_access(connection: Connection, account: str, site_id: str | None) -> AccountAccess | None:
    """The account, None where there is none; its ``site`` is None unless it is granted."""
    query = {"account": account, "site_id": site_id}
    return _access(_READ_BY_NAME.rows(connection, query))


def read_access_by_key(
    connection: Connection, key_hash: str, site_id: str | None
) -> AccountAccess | None:
    """The account that a long-lived key is of, by the key's hash; else as :func:`read_access`."""
    query = {"key_hash": key_hash, "site_id": site_id}
    return _access(_READ_BY_KEY.rows(connection, query))


def read_granted_sites(connection: Connection, account: str) -> list[GrantedSite]:
    """All sites that are granted to an account, ascending by id."""
    rows = connection.execute(_GRANTED, {"account": account})
    return [_granted_site(*row) for row in rows]


def read_first_grant(connection: Connection) -> tuple[str, str] | None:
    """An account and the id of a site that is granted to it; None while there is no grant."""
    row = connection.execute(_FIRST_GRANT).first()
    return None if row is None else (row.account, row.id)


def _access(rows: list[Row]) -> AccountAccess | None:
    if not rows:
        return None
    name, role, disabled, token_version, rate_limited, site_list, habits, *site = rows[0]
    # Without a grant the site's own columns may be there, the grant's are not.
    granted = None if site[_GRANTED_TO] is None else _granted_site(*site)
    return AccountAccess(
        name,
        Role(role),
        disabled,
        token_version,
        rate_limited,
        SiteList(site_list),
        Habits(habits),
        granted,
    )


def _granted_site(
    number: int,
    site_id: str,
    generation: int,
    catalogue_generation: int,
    timezone: str,
    _account: str,
    history_from: int | None,
    open_meters: list[str] | None,
    least_closed: int,
) -> GrantedSite:
    return GrantedSite(
        number,
        site_id,
        generation,
        catalogue_generation,
        timezone,
        AccessScope(
            history_from=history_from,
            open_meters=None if open_meters is None else frozenset(open_meters),
            least_closed=least_closed,
        ),
    )
