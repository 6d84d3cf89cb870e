"""Make, change and disable accounts, their grants and their keys.

``at`` is the moment of the change in Unix seconds, ``by`` who makes it; both are written down with
what was done.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from commonwatt.app.accounts.accounts import (
    SHORTEST_PASSWORD,
    Account,
    AccountKey,
    InvalidAccountName,
    LooksAlike,
    NoSuchKey,
    UnusablePassword,
    is_account_name,
    is_usable_password,
)
from commonwatt.app.accounts.authorize import KEY_PREFIX, Habits, Role, SiteList, hash_key
from commonwatt.app.accounts.grants import (
    GrantChange,
    GrantListing,
    list_grants,
    named,
    put_grant,
    require_account,
)
from commonwatt.app.accounts.store import AccountStore, AccountView
from commonwatt.domain.look_alikes import is_plain_latin


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
    habits: Habits = Habits.CURRENT
    rate_limited: bool = True
    password: str | None = None


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

    Raises InvalidAccountName, LooksAlike, UnusablePassword, AccountExists and NoSuchSite; nothing
    is stored then.
    """
    # Others of before still sign in.
    if not is_account_name(new.name) or not is_plain_latin(new.name):
        raise InvalidAccountName(new.name)
    password = secrets.token_urlsafe(15) if new.password is None else new.password
    password_hash = _hash(passwords, password)
    with store.change() as change:
        for other in change.accounts():
            if other.name != new.name and other.name.casefold() == new.name.casefold():
                raise LooksAlike(new.name, other.name)
        change.add(
            Account(
                name=new.name,
                role=new.role,
                password_hash=password_hash,
                token_version=0,
                disabled=False,
                rate_limited=new.rate_limited,
                site_list=new.site_list,
                habits=new.habits,
                created_at=at,
            )
        )
        change.record(by, f"add {new.role} account", new.name, at=at)
        first = GrantChange(history_from=new.history_from)
        for site in named(change, new.sites):
            put_grant(change, new.name, site, first, at, by)
    return password


def list_accounts(store: AccountStore) -> list[AccountListing]:
    """All accounts by name, with their grants by site and their keys."""
    with store.view() as view:
        return [_listing(view, account) for account in view.accounts()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What is to change of an account; None stays as it is.

    ``history_from`` and ``all_history`` are of all its grants.
    """

    role: Role | None = None
    site_list: SiteList | None = None
    habits: Habits | None = None
    rate_limited: bool | None = None
    history_from: dt.date | None = None
    all_history: bool = False


def set_account(
    store: AccountStore, name: str, wanted: AccountSettings, *, at: int, by: str
) -> AccountListing:
    """Change an account; the account as it is then. Raises UnknownAccount."""
    with store.change() as change:
        account = require_account(change, name)
        changed = replace(
            account,
            role=account.role if wanted.role is None else wanted.role,
            site_list=account.site_list if wanted.site_list is None else wanted.site_list,
            habits=account.habits if wanted.habits is None else wanted.habits,
            rate_limited=account.rate_limited
            if wanted.rate_limited is None
            else wanted.rate_limited,
        )
        if changed != account:
            change.put_settings(changed)
            change.record(by, _told(changed), name, at=at)
        if wanted.history_from is not None or wanted.all_history:
            limit = GrantChange(history_from=wanted.history_from, all_history=wanted.all_history)
            sites = {site.number: site for site in change.sites()}
            for grant in change.grants(name):
                put_grant(change, name, sites[grant.site], limit, at, by)
        return _listing(change, changed)


def _told(account: Account) -> str:
    limit = "on" if account.rate_limited else "off"
    return (
        f"set role {account.role}, rate limit {limit}, site list {account.listing},"
        f" habits {account.habits}"
    )


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
        require_account(change, name)
        change.set_password_hash(name, password_hash)
        change.end_tokens(name)
        change.record(by, "set password", name, at=at)
    return password


def set_disabled(store: AccountStore, name: str, *, disabled: bool, at: int, by: str) -> None:
    """Switch an account off or on again. Tokens from before stay useless. Raises UnknownAccount."""
    with store.change() as change:
        require_account(change, name)
        change.set_disabled(name, disabled=disabled)
        change.end_tokens(name)
        change.record(by, "disable" if disabled else "enable", name, at=at)


def make_key(store: AccountStore, name: str, *, label: str = "", at: int, by: str) -> str:
    """Make a long-lived key for an account: 256 random bits, told now and never again.

    Raises UnknownAccount.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with store.change() as change:
        require_account(change, name)
        change.add_key(name, hash_key(key), label, at)
        change.record(by, "make key", name, at=at)
    return key


def revoke_key(store: AccountStore, name: str, key_id: str, *, at: int, by: str) -> None:
    """Make a key useless, named by its id in the list. Raises UnknownAccount and NoSuchKey."""
    with store.change() as change:
        require_account(change, name)
        valid = [key.id for key in change.keys(name)]
        if key_id not in valid:
            raise NoSuchKey(name, key_id, valid)
        change.drop_key(name, key_id)
        change.record(by, f"revoke key {key_id}", name, at=at)


def _hash(passwords: PasswordHasher, password: str) -> str:
    # Shorter ones of before still sign in.
    if len(password) < SHORTEST_PASSWORD or not is_usable_password(password):
        raise UnusablePassword
    return passwords.hash(password)


def _listing(view: AccountView, account: Account) -> AccountListing:
    return AccountListing(
        account=account,
        grants=list_grants(view, account.name),
        keys=view.keys(account.name),
    )
