"""Accounts as they are administered, and what can be wrong with a request about them.

What an account may do is decided in :mod:`commonwatt.app.authorize`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from commonwatt.app.authorize import Role, SiteList

LONGEST_NAME = 100  # characters
LONGEST_PASSWORD = 1024  # bytes in UTF-8; longer ones are refused before anything is hashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; ``created_at`` is Unix seconds. Without ``password_hash`` it has keys only."""

    name: str
    role: Role
    password_hash: str | None
    token_version: int
    disabled: bool
    rate_limited: bool
    site_list: SiteList
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A site that an account may see.

    ``site`` is the site's number, ``history_from`` the first Unix second of its data that the
    account may read (None: all), ``closed_meters`` ids of meters that it sees in lists only.
    """

    site: int
    history_from: int | None = None
    closed_meters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKey:
    """A long-lived key, of which the store has the hash only; ``id`` names it in lists."""

    id: str
    label: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteName:
    """What a site is called, by number, id and reference, and its IANA zone."""

    number: int
    id: str
    site_ref: str | None
    timezone: str


class AccountProblem(Exception):
    """A request about accounts that cannot be done; the message says what would be right."""


class InvalidAccountName(AccountProblem):
    """Not a name for an account."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:LONGEST_NAME]!r} is no account name: 1 to {LONGEST_NAME} printable characters"
            " without blanks are"
        )


class AccountExists(AccountProblem):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an account {name} already")


class UnknownAccount(AccountProblem):
    """No account has that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no account {name}; {_there_are(known)}")


class NoSuchSite(AccountProblem):
    """No site has that id or reference."""

    def __init__(self, site: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no site {site}; {_there_are(known)}")


class NoSuchMeter(AccountProblem):
    """The site has no meter of that id."""

    def __init__(self, meter_id: str, site: str) -> None:
        super().__init__(
            f"site {site} has no meter {meter_id}; meters are closed by their 24-hex id"
        )


class NotGranted(AccountProblem):
    """The account has no grant on that site."""

    def __init__(self, name: str, site: str) -> None:
        super().__init__(f"account {name} has no grant on site {site}")


class NoSuchKey(AccountProblem):
    """The account has no such key in use."""

    def __init__(self, name: str, key_id: str, known: Iterable[str]) -> None:
        super().__init__(f"account {name} has no valid key {key_id}; {_there_are(known)}")


class UnusablePassword(AccountProblem):
    """Empty, too long, or not text."""

    def __init__(self) -> None:
        super().__init__(f"a password has 1 to {LONGEST_PASSWORD} bytes of UTF-8 text")


def is_account_name(name: str) -> bool:
    """Whether a name may be an account's: printable, no blanks, at most 100 characters.

    >>> is_account_name("heidi@example.ch"), is_account_name("two words"), is_account_name("")
    (True, False, False)
    """
    printable = name.isprintable() and not any(character.isspace() for character in name)
    return 1 <= len(name) <= LONGEST_NAME and printable


def is_usable_password(password: str) -> bool:
    """Whether a password may be hashed: 1 to 1024 bytes of UTF-8.

    >>> is_usable_password("pass phrase"), is_usable_password("x" * 1025)
    (True, False)
    """
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return 1 <= len(password.encode()) <= LONGEST_PASSWORD
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        return False


def _there_are(known: Iterable[str]) -> str:
    names = sorted(known)
    if not names:
        return "there is none yet"
    shown = ", ".join(names[:10])
    return f"there are {shown}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
