"""Make, change and disable accounts, their grants and their keys.

``at`` is the moment of the change in Unix seconds, ``by`` who makes it; both are written down with
what was done.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from commonwatt.app.account_store import AccountChange, AccountStore, AccountView
from commonwatt.app.accounts import (
    Account,
    AccountKey,
    Grant,
    InvalidAccountName,
    NoSuchKey,
    NoSuchMeter,
    NoSuchSite,
    NotGranted,
    SiteName,
    UnknownAccount,
    UnusablePassword,
    is_account_name,
    is_usable_password,
)
from commonwatt.app.authorize import KEY_PREFIX, Role, SiteList, hash_key
from commonwatt.domain.zones import local_midnight


class PasswordHasher(Protocol):
    """Makes the hash of a password that is stored."""

    def hash(self, password: str) -> str:
        """The hash, with all that is needed to verify it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What an account is to be. Without ``password`` one is made up.

    ``sites`` are ids or references; ``history_from`` is a local date, of each site's own zone.
    """

    name: str
    role: Role = Role.DEVELOPER
    sites: Sequence[str] = ()
    history_from: dt.date | None = None
    site_list: SiteList = SiteList.OBJECTS
    rate_limited: bool = True
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantListing:
    """A grant, with the site's names."""

    site: SiteName
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountListing:
    """An account with its grants and its keys."""

    account: Account
    grants: Sequence[GrantListing]
    keys: Sequence[AccountKey]


def add_account(
    store: AccountStore, passwords: PasswordHasher, new: NewAccount, *, at: int, by: str
) -> str:
    """Make an account with its grants; its password, to be shown once if it was made up.

    Raises InvalidAccountName, UnusablePassword, AccountExists and NoSuchSite; nothing is stored
    then.
    """
    if not is_account_name(new.name):
        raise InvalidAccountName(new.name)
    password = secrets.token_urlsafe(15) if new.password is None else new.password
    password_hash = _hash(passwords, password)
    with store.change() as change:
        change.add(
            Account(
                name=new.name,
                role=new.role,
                password_hash=password_hash,
                token_version=0,
                disabled=False,
                rate_limited=new.rate_limited,
                site_list=new.site_list,
                created_at=at,
            )
        )
        change.record(by, f"add {new.role} account", new.name, at=at)
        for site in _sites(change, new.sites):
            grant = Grant(site=site.number, history_from=_midnight(new.history_from, site))
            change.put_grant(new.name, grant)
            change.record(by, "grant", new.name, at=at, site=site.number)
    return password


def list_accounts(store: AccountStore) -> list[AccountListing]:
    """All accounts by name, with their grants by site and their keys."""
    with store.view() as view:
        sites = {site.number: site for site in view.sites()}
        return [
            AccountListing(
                account=account,
                grants=[
                    GrantListing(site=sites[grant.site], grant=grant)
                    for grant in view.grants(account.name)
                ],
                keys=view.keys(account.name),
            )
            for account in view.accounts()
        ]


def grant_sites(
    store: AccountStore,
    name: str,
    sites: Sequence[str],
    *,
    history_from: dt.date | None = None,
    closed_meters: Iterable[str] = (),
    at: int,
    by: str,
) -> None:
    """Grant sites to an account; a grant that it has on one of them is replaced.

    ``closed_meters`` are 24-hex ids; every one must be a meter of every site granted.
    Raises UnknownAccount, NoSuchSite and NoSuchMeter; nothing is stored then.
    """
    closed = frozenset(closed_meters)
    with store.change() as change:
        _require_account(change, name)
        for site in _sites(change, sites):
            for stranger in sorted(closed - change.meter_ids(site.number)):
                raise NoSuchMeter(stranger, site.id)
            since = _midnight(history_from, site)
            grant = Grant(site=site.number, history_from=since, closed_meters=closed)
            change.put_grant(name, grant)
            change.record(by, "grant", name, at=at, site=site.number)


def revoke_sites(store: AccountStore, name: str, sites: Sequence[str], *, at: int, by: str) -> None:
    """Take sites from an account. Raises UnknownAccount, NoSuchSite and NotGranted."""
    with store.change() as change:
        _require_account(change, name)
        granted = {grant.site for grant in change.grants(name)}
        for site in _sites(change, sites):
            if site.number not in granted:
                raise NotGranted(name, site.id)
            change.drop_grant(name, site.number)
            change.record(by, "revoke", name, at=at, site=site.number)


def set_password(
    store: AccountStore,
    passwords: PasswordHasher,
    name: str,
    password: str | None,
    *,
    at: int,
    by: str,
) -> str:
    """Give an account another password (None: make one up) and end its tokens; the password.

    Raises UnknownAccount and UnusablePassword.
    """
    password = secrets.token_urlsafe(15) if password is None else password
    password_hash = _hash(passwords, password)
    with store.change() as change:
        _require_account(change, name)
        change.set_password_hash(name, password_hash)
        change.end_tokens(name)
        change.record(by, "set password", name, at=at)
    return password


def set_disabled(store: AccountStore, name: str, *, disabled: bool, at: int, by: str) -> None:
    """Switch an account off or on again. Tokens from before stay useless. Raises UnknownAccount."""
    with store.change() as change:
        _require_account(change, name)
        change.set_disabled(name, disabled=disabled)
        change.end_tokens(name)
        change.record(by, "disable" if disabled else "enable", name, at=at)


def make_key(store: AccountStore, name: str, *, label: str = "", at: int, by: str) -> str:
    """Make a long-lived key for an account: 256 random bits, told now and never again.

    Raises UnknownAccount.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with store.change() as change:
        _require_account(change, name)
        change.add_key(name, hash_key(key), label, at)
        change.record(by, "make key", name, at=at)
    return key


def revoke_key(store: AccountStore, name: str, key_id: str, *, at: int, by: str) -> None:
    """Make a key useless, named by its id in the list. Raises UnknownAccount and NoSuchKey."""
    with store.change() as change:
        _require_account(change, name)
        valid = [key.id for key in change.keys(name)]
        if key_id not in valid:
            raise NoSuchKey(name, key_id, valid)
        change.drop_key(name, key_id)
        change.record(by, f"revoke key {key_id}", name, at=at)


def _hash(passwords: PasswordHasher, password: str) -> str:
    if not is_usable_password(password):
        raise UnusablePassword
    return passwords.hash(password)


def _require_account(change: AccountChange, name: str) -> None:
    if change.account(name) is None:
        raise UnknownAccount(name, (account.name for account in change.accounts()))


def _sites(view: AccountView, wanted: Sequence[str]) -> list[SiteName]:
    """Sites by id, else by reference. Raises NoSuchSite."""
    known = view.sites()
    by_name = {site.site_ref: site for site in known} | {site.id: site for site in known}
    for site in wanted:
        if site not in by_name:
            raise NoSuchSite(site, (each.site_ref or each.id for each in known))
    return [by_name[site] for site in wanted]


def _midnight(date: dt.date | None, site: SiteName) -> int | None:
    """The Unix second at which a local date begins, also where clocks skip midnight."""
    return None if date is None else local_midnight(site.timezone, date)
