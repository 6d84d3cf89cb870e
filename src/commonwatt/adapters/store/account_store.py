"""Accounts, grants, keys and the signing key in a SQL store."""

import secrets as randomness
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.schema import (
    account_keys,
    accounts,
    grants,
    secrets,
    sites,
)
from commonwatt.adapters.store.tables.audit import write_audit
from commonwatt.adapters.store.tables.catalogue import SqlCatalogueTables
from commonwatt.app.accounts.accounts import Account, AccountExists, AccountKey, Grant, SiteName
from commonwatt.app.accounts.authorize import Habits, Role, SiteList
from commonwatt.domain.metering.catalogue import SiteCatalogue

_SIGNING_KEY = "signing_key"
_KEY_ID_LENGTH = 12  # hex digits of the hash: enough to name a key, of no use to sign in


class SqlAccountStore:
    """The port :class:`commonwatt.app.accounts.store.AccountStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def view(self) -> Iterator["SqlAccountView"]:
        """Look at the accounts in one snapshot."""
        with self._database.read() as connection:
            yield SqlAccountView(connection)

    @contextmanager
    def change(self) -> Iterator["SqlAccountChange"]:
        """Change the accounts in one transaction; those who change them queue."""
        with self._database.write() as connection:
            yield SqlAccountChange(connection)

    def signing_key(self) -> bytes:
        """32 random bytes, made and stored by the first process that asks."""
        stored = select(secrets.c.value).where(secrets.c.name == _SIGNING_KEY)
        with self._database.read() as connection:
            value = connection.execute(stored).scalar_one_or_none()
        if value is None:
            with self._database.write() as connection:
                # Another may have made it between the two.
                value = connection.execute(stored).scalar_one_or_none()
                if value is None:
                    value = randomness.token_hex(32)
                    row = {"name": _SIGNING_KEY, "value": value}
                    connection.execute(insert(secrets), row)
        return bytes.fromhex(value)


class SqlAccountView:
    """Accounts as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def account(self, name: str) -> Account | None:
        """The account of that name."""
        row = self._connection.execute(select(accounts).where(accounts.c.name == name)).first()
        return None if row is None else _account(row)

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        rows = self._connection.execute(select(accounts))
        # Sorted here: the databases have orders of their own.
        return sorted((_account(row) for row in rows), key=lambda account: account.name)

    def grants(self, name: str) -> list[Grant]:
        """The grants of an account, by site number."""
        mine = select(grants).where(grants.c.account == name).order_by(grants.c.site)
        return [
            Grant(
                site=row.site,
                history_from=row.history_from,
                open_meters=None if row.open_meters is None else frozenset(row.open_meters),
                least_closed=row.least_closed,
            )
            for row in self._connection.execute(mine)
        ]

    def keys(self, name: str) -> list[AccountKey]:
        """The keys of an account, oldest first."""
        mine = (
            select(account_keys)
            .where(account_keys.c.account == name)
            .order_by(account_keys.c.created_at, account_keys.c.key_hash)
        )
        return [
            AccountKey(id=row.key_hash[:_KEY_ID_LENGTH], label=row.label, created_at=row.created_at)
            for row in self._connection.execute(mine)
        ]

    def sites(self) -> list[SiteName]:
        """All sites, by number."""
        names = select(sites.c.no, sites.c.id, sites.c.site_ref, sites.c.timezone)
        return [
            SiteName(number=row.no, id=row.id, site_ref=row.site_ref, timezone=row.timezone)
            for row in self._connection.execute(names.order_by(sites.c.no))
        ]

    def catalogue(self, site: int) -> SiteCatalogue:
        """What is declared of a site."""
        return SqlCatalogueTables(self._connection, {}, writes=True).catalogue(site)


class SqlAccountChange(SqlAccountView):
    """A change of the accounts, within one transaction."""

    def add(self, account: Account) -> None:
        """Store a new account. Raises AccountExists."""
        if self.account(account.name) is not None:
            raise AccountExists(account.name)
        row = {
            "name": account.name,
            "role": account.role.value,
            "password_hash": account.password_hash,
            "token_version": account.token_version,
            "disabled": account.disabled,
            "rate_limit": account.rate_limited,
            "site_list": account.site_list.value,
            "habits": account.habits.value,
            "created_at": account.created_at,
        }
        self._connection.execute(insert(accounts), row)

    def set_password_hash(self, name: str, password_hash: str) -> None:
        """Store another hash of the password; tokens stay good."""
        mine = update(accounts).where(accounts.c.name == name)
        self._connection.execute(mine.values(password_hash=password_hash))

    def put_settings(self, account: Account) -> None:
        """Store role, rate limit, list of sites and habits of an account that is there."""
        mine = update(accounts).where(accounts.c.name == account.name)
        settings = {
            "role": account.role.value,
            "rate_limit": account.rate_limited,
            "site_list": account.site_list.value,
            "habits": account.habits.value,
        }
        self._connection.execute(mine.values(settings))

    def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Switch an account off or on; tokens stay good."""
        mine = update(accounts).where(accounts.c.name == name)
        self._connection.execute(mine.values(disabled=disabled))

    def end_tokens(self, name: str) -> None:
        """Make every token of the account useless."""
        mine = update(accounts).where(accounts.c.name == name)
        self._connection.execute(mine.values(token_version=accounts.c.token_version + 1))

    def put_grant(self, name: str, grant: Grant) -> None:
        """Grant a site, or replace the account's grant on it."""
        self.drop_grant(name, grant.site)
        row = {
            "account": name,
            "site": grant.site,
            "history_from": grant.history_from,
            "closed_meters": [],
            "open_meters": None if grant.open_meters is None else sorted(grant.open_meters),
            "least_closed": grant.least_closed,
        }
        self._connection.execute(insert(grants), row)

    def drop_grant(self, name: str, site: int) -> None:
        """Take the grant on a site away."""
        mine = (grants.c.account == name) & (grants.c.site == site)
        self._connection.execute(delete(grants).where(mine))

    def add_key(self, name: str, key_hash: str, label: str, at: int) -> None:
        """Store the hash of a new key, made at Unix second ``at``."""
        row = {"key_hash": key_hash, "account": name, "label": label, "created_at": at}
        self._connection.execute(insert(account_keys), row)

    def drop_key(self, name: str, key_id: str) -> None:
        """Forget a key."""
        named = func.substr(account_keys.c.key_hash, 1, _KEY_ID_LENGTH) == key_id
        self._connection.execute(
            delete(account_keys).where((account_keys.c.account == name) & named)
        )

    def record(
        self, by: str, action: str, subject: str, *, at: int, site: int | None = None
    ) -> None:
        """Write down for good who did what to which account, at Unix second ``at``."""
        write_audit(self._connection, at, by, site, action, subject, reason="")


def _account(row: Row[*tuple[object, ...]]) -> Account:
    return Account(
        name=row.name,
        role=Role(row.role),
        password_hash=row.password_hash,
        token_version=row.token_version,
        disabled=row.disabled,
        rate_limited=row.rate_limit,
        site_list=SiteList(row.site_list),
        habits=Habits(row.habits),
        created_at=row.created_at,
    )
