"""What the use cases on accounts need of a store."""

from contextlib import AbstractContextManager
from typing import Protocol

from commonwatt.app.accounts.accounts import Account, AccountKey, Grant, SiteName
from commonwatt.domain.metering.catalogue import SiteCatalogue


class AccountView(Protocol):
    """One consistent view of the accounts."""

    def account(self, name: str) -> Account | None:
        """The account of that name."""
        ...

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        ...

    def grants(self, name: str) -> list[Grant]:
        """The grants of an account, by site number."""
        ...

    def keys(self, name: str) -> list[AccountKey]:
        """The keys of an account, oldest first."""
        ...

    def sites(self) -> list[SiteName]:
        """All sites, by number."""
        ...

    def catalogue(self, site: int) -> SiteCatalogue:
        """What is declared of a site."""
        ...


class AccountChange(AccountView, Protocol):
    """A change of the accounts: all of it is stored at the end, or nothing."""

    def add(self, account: Account) -> None:
        """Store a new account. Raises AccountExists."""
        ...

    def set_password_hash(self, name: str, password_hash: str) -> None:
        """Store another hash of the password; tokens stay good."""
        ...

    def put_settings(self, account: Account) -> None:
        """Store role, rate limit, list of sites and habits of an account that is there."""
        ...

    def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Switch an account off or on; tokens stay good."""
        ...

    def end_tokens(self, name: str) -> None:
        """Make every token of the account useless."""
        ...

    def put_grant(self, name: str, grant: Grant) -> None:
        """Grant a site, or replace the account's grant on it."""
        ...

    def drop_grant(self, name: str, site: int) -> None:
        """Take the grant on a site away."""
        ...

    def add_key(self, name: str, key_hash: str, label: str, at: int) -> None:
        """Store the hash of a new key, made at Unix second ``at``."""
        ...

    def drop_key(self, name: str, key_id: str) -> None:
        """Forget a key."""
        ...

    def record(
        self, by: str, action: str, subject: str, *, at: int, site: int | None = None
    ) -> None:
        """Write down for good who did what to which account, at Unix second ``at``."""
        ...


class AccountStore(Protocol):
    """Accounts, kept."""

    def view(self) -> AbstractContextManager[AccountView]:
        """Look at the accounts."""
        ...

    def change(self) -> AbstractContextManager[AccountChange]:
        """Change the accounts, in one transaction."""
        ...

    def signing_key(self) -> bytes:
        """The key that tokens are signed with, made by the first process that asks."""
        ...
