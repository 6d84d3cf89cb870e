"""Where a client signs in, and as whom.

Arguments go before the environment (CLIMKIT_URL, CLIMKIT_USERNAME, CLIMKIT_PASSWORD), and that
before the keyring of the operating system, where the package `keyring` is installed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import SplitResult, urlsplit

import httpx2

from commonwatt.client.errors import NoCredentials

PUBLISHED_URL = "https://api.climkit.io/api/v1"

# What keyrings show of us: for each address the password by user name, and in a place of its own
# the name itself, since not every keyring can tell which names it knows. So no name, whatever it
# is, can be taken for the other.
_PASSWORDS = "commonwatt {url}"  # the name of a place
_NAMES = "commonwatt {url} (user name)"
_NAME_ENTRY = "username"

# What keyring raises of a backend that somebody chose: not there, none, or lacking something.
UNUSABLE = (ImportError, AttributeError, RuntimeError)

_INSTEAD = "set CLIMKIT_USERNAME and CLIMKIT_PASSWORD"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in where. The password is in no text that this makes."""

    url: str
    username: str
    password: str = field(repr=False)


def find_url(url: str | None = None) -> str:
    """Return the base address: what is given, or CLIMKIT_URL, or the published one.

    Raises ValueError for what is no address. It never shows what follows a user name in one.

    >>> find_url("http://127.0.0.1:8000")
    'http://127.0.0.1:8000/api/v1'
    """
    url = (url or os.environ.get("CLIMKIT_URL") or PUBLISHED_URL).rstrip("/")
    if "@" in url:
        raise ValueError(
            "an address has no user name and no password in it: the one is given apart from it, "
            "the other comes from CLIMKIT_PASSWORD, the keyring or a prompt"
        )
    parts = _parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no address: use one such as {PUBLISHED_URL}")
    return url if parts.path else f"{url}/api/v1"


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an address; None where nothing can be reached at such a one."""
    try:
        parts = urlsplit(url)
        is_reachable = parts.port != 0 and bool((parts.hostname or "").encode("idna"))
        httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):  # such as a bracket that stays open, an empty label
        return None
    return parts if is_reachable and url.isprintable() and " " not in url else None


def find_credentials(
    url: str | None = None, username: str | None = None, password: str | None = None
) -> Credentials:
    """Return what is given, completed by the environment and by the keyring.

    Raises NoCredentials, which says what can be done.
    """
    url = find_url(url)
    named = username or os.environ.get("CLIMKIT_USERNAME") or _kept(_NAMES, url, _NAME_ENTRY)
    if named is None:
        raise NoCredentials(_advice(url, "user name"))
    password = password or os.environ.get("CLIMKIT_PASSWORD") or _kept(_PASSWORDS, url, named)
    if password is None:
        raise NoCredentials(_advice(url, f"password of {named}"))
    if any("\ud800" <= letter <= "\udfff" for letter in named + password):
        raise NoCredentials("the user name or the password is no text: is it UTF-8?")
    return Credentials(url, named, password)


def keep_credentials(credentials: Credentials) -> None:
    """Keep name and password in the keyring.

    Raises KeyringError, also for one that takes them and has them not, such as one that is turned
    off; one of UNUSABLE for a chosen one that cannot be used; ImportError without the package.
    """
    import keyring
    from keyring.errors import PasswordSetError

    url, name = credentials.url, credentials.username
    keyring.set_password(_NAMES.format(url=url), _NAME_ENTRY, name)
    keyring.set_password(_PASSWORDS.format(url=url), name, credentials.password)
    if _kept(_PASSWORDS, url, name) != credentials.password:
        raise PasswordSetError("it keeps nothing")


def _kept(place: str, url: str, entry: str) -> str | None:
    if find_spec("keyring") is None:
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(place.format(url=url), entry)
    except KeyringError:  # locked, or there is none on this machine
        return None
    except UNUSABLE as error:
        raise NoCredentials(f"the keyring cannot be used: {error}; {_INSTEAD}") from error


def _advice(url: str, missing: str) -> str:
    return (
        f"no {missing} for {url}: give username and password, {_INSTEAD}, or keep them with "
        "`commonwatt login`"
    )
