"""Who may do what, to which site.

Everything here is decided from one small record, :class:`AccountAccess`, which the store reads in
one query for each request. So a disabled account, a changed password, a revoked key or grant acts
on the next request.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.errors import UNKNOWN_SITE, CommonwattError, ErrorKind
from commonwatt.domain.metering.catalogue import Medium, SiteCatalogue

KEY_PREFIX = "cwk_"
"""What a long-lived key starts with, so that it is told from a token, and found where it leaked."""


class Role(StrEnum):
    """What an account is for."""

    DEVELOPER = "developer"
    GATEWAY = "gateway"
    OPERATOR = "operator"


class SiteList(StrEnum):
    """How the list of sites is answered: objects, or bare ids as clients of 2022 read them."""

    OBJECTS = "objects"
    IDS = "ids"


class Habits(StrEnum):
    """Which clients an account's answers are for: those of today, or those written in 2022."""

    CURRENT = "current"
    OF_2022 = "2022"


class Action(StrEnum):
    """What a request does to a site."""

    READ = "read"
    DELIVER = "deliver readings"
    CHANGE = "change what holds of a site"


ALLOWED: Mapping[Role, frozenset[Action]] = {
    Role.DEVELOPER: frozenset({Action.READ}),
    Role.GATEWAY: frozenset({Action.DELIVER}),
    Role.OPERATOR: frozenset(Action),
}
"""What each role may do on the sites that are granted to it, and on no other."""


class NotSignedIn(CommonwattError):
    """The request carries nothing that proves an account; ``reason`` may be told to the sender."""

    kind = ErrorKind("not-signed-in", 401, "Not signed in")

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RoleForbids(CommonwattError):
    """The account's role does not do such a thing, on any site."""

    kind = ErrorKind("role-forbids", 403, "Not for this role")

    def __init__(self, role: Role, action: Action) -> None:
        super().__init__(f"a {role} account may not {action}")
        self.role = role
        self.action = action


class UnknownSite(CommonwattError):
    """No site of that id is granted to the account. Whether it exists is not told."""

    kind = UNKNOWN_SITE

    def __init__(self, site_id: str) -> None:
        super().__init__(f"no site {site_id}")
        self.site_id = site_id


class ClosedMeter(CommonwattError):
    """The meter is listed for the account, its data is not open to it."""

    kind = ErrorKind("closed-meter", 403, "The meter's data is closed")

    def __init__(self, meter_id: str) -> None:
        super().__init__(f"the data of meter {meter_id} is closed to this account")
        self.meter_id = meter_id


class ClosedHistory(CommonwattError):
    """It concerns what was before the account's history."""

    kind = ErrorKind("closed-history", 403, "What was then is closed")

    def __init__(self) -> None:
        super().__init__("what was before the account's history is closed to it")


class PartOfSite(CommonwattError):
    """It concerns all of a site, of which the account sees a part."""

    kind = ErrorKind("part-of-site", 403, "For accounts that see the whole site")

    def __init__(self) -> None:
        super().__init__(
            "it is of all meters and all times of the site; this account sees a part of them"
        )


class ClosedTotals(CommonwattError):
    """The totals would tell what the few consumers used that are closed to the account."""

    kind = ErrorKind("closed-totals", 403, "The site's totals are closed")

    def __init__(self, medium: Medium) -> None:
        super().__init__(
            f"the site's totals of {medium} are closed to this account: they would tell of the few "
            "consumers that are closed to it"
        )


class InvalidToken(Exception):
    """A bearer that proves nothing."""


class ExpiredToken(InvalidToken):
    """A token of ours whose time is over."""

    def __init__(self) -> None:
        super().__init__("the token has expired; sign in again")


class ForgedToken(InvalidToken):
    """A token that we did not sign, or not in this form."""

    def __init__(self) -> None:
        super().__init__("the token is not one of ours")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: account, version of its password, Unix second at which it ends."""

    account: str
    token_version: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and its end in Unix seconds."""

    token: str
    valid_until_at: int


@dataclass(frozen=True, slots=True)
class GrantedSite:
    """A site, and what of it one account may see."""

    number: int
    id: str
    generation: int
    catalogue_generation: int
    timezone: str
    scope: AccessScope


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """An account at the moment of a request, with the site asked for if that is granted to it."""

    account: str
    role: Role
    disabled: bool
    token_version: int
    rate_limited: bool
    site_list: SiteList
    habits: Habits
    site: GrantedSite | None

    @property
    def reads_as_in_2022(self) -> bool:
        """Whether answers also have the keys and columns that those of 2022 had."""
        return self.habits is Habits.OF_2022

    @property
    def lists_ids(self) -> bool:
        """Whether the sites are listed as bare ids."""
        return self.site_list is SiteList.IDS or self.reads_as_in_2022


class Tokens(Protocol):
    """Signs tokens and reads them back."""

    def issue(self, account: str, token_version: int, now: float) -> IssuedToken:
        """Sign a token that is good from ``now`` (Unix seconds) on."""
        ...

    def read(self, token: str, now: float) -> Claims:
        """What a token of ours says. Raises ExpiredToken or ForgedToken."""
        ...


class AccessReader(Protocol):
    """Reads accounts from one consistent view of the store."""

    def access(self, account: str, site_id: str | None) -> AccountAccess | None:
        """The account, None where there is none, with the site if it is granted."""
        ...

    def access_by_key(self, key_hash: str, site_id: str | None) -> AccountAccess | None:
        """The same by the hash of a long-lived key that is not revoked."""
        ...


def hash_key(key: str) -> str:
    """SHA-256 of a long-lived key, in hex: what is stored of it.

    A key has 256 random bits, so nothing slower is needed, and looking its hash up leaks nothing
    useful.

    >>> hash_key("cwk_example")[:16]
    '3dcc4f523cdadbe0'
    """
    return hashlib.sha256(key.encode()).hexdigest()


def read_bearer(
    bearer: str | None, site_id: str | None, *, tokens: Tokens, accounts: AccessReader, now: float
) -> AccountAccess:
    """The account behind a bearer (a token or a long-lived key), with the site asked for.

    Raises NotSignedIn for no bearer, an expired or forged token, a revoked key, a disabled account,
    and for a token from before the password was changed.
    """
    if not bearer:
        raise NotSignedIn("sign in, and send the token as Authorization: Bearer <token>")
    if bearer.startswith(KEY_PREFIX):
        access = accounts.access_by_key(hash_key(bearer), site_id)
        if access is None or access.disabled:
            raise NotSignedIn("the key is unknown or no longer valid")
        return access
    try:
        claims = tokens.read(bearer, now)
    except InvalidToken as error:
        raise NotSignedIn(str(error)) from error
    access = accounts.access(claims.account, site_id)
    if access is None or access.disabled or access.token_version != claims.token_version:
        raise NotSignedIn("the token is no longer valid; sign in again")
    return access


def require_action(access: AccountAccess, action: Action) -> None:
    """Raise RoleForbids where the role does not do that."""
    if action not in ALLOWED[access.role]:
        raise RoleForbids(access.role, action)


def require_site(access: AccountAccess, site_id: str) -> GrantedSite:
    """The site asked for. Raises UnknownSite, the same for a foreign site as for none."""
    if access.site is None:
        raise UnknownSite(site_id)
    return access.site


def require_open_meter(site: GrantedSite, meter_id: str) -> None:
    """Raise ClosedMeter where the grant closes the meter's data."""
    if site.scope.open_meters is not None and meter_id not in site.scope.open_meters:
        raise ClosedMeter(meter_id)


def require_history(site: GrantedSite, start_at: int) -> None:
    """Raise ClosedHistory for what begins before the grant's history [Unix seconds]."""
    if not site.scope.since(start_at):
        raise ClosedHistory


def require_all_history(site: GrantedSite) -> None:
    """Raise ClosedHistory where the grant's history is limited."""
    if site.scope.history_from is not None:
        raise ClosedHistory


def require_whole_site(site: GrantedSite) -> None:
    """Raise PartOfSite where the grant closes meters or limits the history."""
    if not site.scope.is_whole:
        raise PartOfSite


def require_totals(site: GrantedSite, catalogue: SiteCatalogue, medium: Medium) -> None:
    """Raise ClosedTotals where the site's totals of a medium would tell of too few consumers."""
    if not site.scope.tells_totals(catalogue, medium):
        raise ClosedTotals(medium)
