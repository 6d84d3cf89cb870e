"""Accounts as they are administered, and what can be wrong with a request about them.

What an account may do is decided in :mod:`commonwatt.app.accounts.authorize`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from commonwatt.app.accounts.authorize import Habits, Role, SiteList
from commonwatt.app.errors import CommonwattError

LONGEST_NAME = 100  # characters
SHORTEST_PASSWORD = 12  # characters of a password that is given to an account
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
    habits: Habits
    created_at: int

    @property
    def listing(self) -> SiteList:
        """How sites are listed to it: who reads as in 2022 is told ids, whatever was chosen."""
        return SiteList.IDS if self.habits is Habits.OF_2022 else self.site_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A site that an account may see.

    ``site`` is the site's number, ``history_from`` the first Unix second of its data that the
    account may read (None: all), ``open_meters`` the ids of the meters that it may read (None: all,
    also those to come); it sees the others in lists only. ``least_closed``: with fewer consumers
    closed, but some, it is told no totals of the site.
    """

    site: int
    history_from: int | None = None
    open_meters: frozenset[str] | None = None
    least_closed: int = 0


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


class AccountProblem(CommonwattError):
    """A request about accounts that cannot be done; the message says what would be right."""


class InvalidAccountName(AccountProblem):
    """Not a name for an account."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:LONGEST_NAME]!r} is no account name: 1 to {LONGEST_NAME} Latin letters, digits"
            " and signs without blanks are"
        )


class AccountExists(AccountProblem):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an account {name} already")


class LooksAlike(AccountProblem):
    """The name differs from that of another account in capitals alone."""

    def __init__(self, name: str, other: str) -> None:
        super().__init__(f"{name} looks like {other}, which is an account already")


class UnknownAccount(AccountProblem):
    """No account has that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no account {name}; {_there_are(known)}")


class NoSuchSite(AccountProblem):
    """No site has that id or reference."""

    def __init__(self, site: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no site {site}; {_there_are(known)}")


class NoSuchMeter(AccountProblem):
    """The site has no meter of that name."""

    def __init__(self, wanted: str, site: str) -> None:
        super().__init__(
            f"site {site} has no meter {wanted}; a meter is named by its id, its name,"
            " or its type and prim_ad as electricity:11"
        )


class SeveralMeters(AccountProblem):
    """The name means more than one meter of the site."""

    def __init__(self, wanted: str, site: str, ids: Iterable[str]) -> None:
        super().__init__(
            f"several meters of site {site} are called {wanted}; say which by id: {', '.join(ids)}"
        )


class OpenAndClosed(AccountProblem):
    """A meter is to be opened and closed at once."""

    def __init__(self, meter: str) -> None:
        super().__init__(f"{meter} is to be opened and closed at once; name it once")


class AllMetersOpen(AccountProblem):
    """A meter is to be opened for an account that may read all of the site."""

    def __init__(self, name: str, site: str) -> None:
        super().__init__(
            f"account {name} may read all meters of site {site} already; close others by"
            " --closed-meter, or revoke the site first to grant only some meters of it"
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
    """Too short, too long, or not text."""

    def __init__(self) -> None:
        super().__init__(
            f"a password has at least {SHORTEST_PASSWORD} characters,"
            f" and at most {LONGEST_PASSWORD} bytes of UTF-8"
        )


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
