"""Where a client signs in, and as whom.

Arguments go before the environment (CLIMKIT_URL, CLIMKIT_USERNAME, CLIMKIT_PASSWORD), and that
before the keyring of the operating system, where the package `keyring` is installed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from commonwatt.client.errors import NoCredentials

PUBLISHED_URL = "https://api.climkit.io/api/v1"

# The keyring has one entry for the name and one for the password, since not every keyring can
# tell which names it knows.
_NAME_ENTRY = "username"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in where. The password is in no text that this makes."""

    url: str
    username: str
    password: str = field(repr=False)


def find_url(url: str | None = None) -> str:
    """Return the base address: what is given, or CLIMKIT_URL, or the published one.

    Raises ValueError for what is no address.

    >>> find_url("http://127.0.0.1:8000")
    'http://127.0.0.1:8000/api/v1'
    """
    url = (url or os.environ.get("CLIMKIT_URL") or PUBLISHED_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no address: use one such as {PUBLISHED_URL}")
    return url if parts.path else f"{url}/api/v1"


def find_credentials(
    url: str | None = None, username: str | None = None, password: str | None = None
) -> Credentials:
    """Return what is given, completed by the environment and by the keyring.

    Raises NoCredentials, which says what can be done.
    """
    url = find_url(url)
    named = username or os.environ.get("CLIMKIT_USERNAME") or _kept(url, _NAME_ENTRY)
    if named is None:
        raise NoCredentials(_advice(url, "user name"))
    password = password or os.environ.get("CLIMKIT_PASSWORD") or _kept(url, named)
    if password is None:
        raise NoCredentials(_advice(url, f"password of {named}"))
    return Credentials(url, named, password)


def keep_credentials(credentials: Credentials) -> None:
    """Keep name and password in the keyring. Raises what the keyring raises, or ImportError."""
    import keyring

    service = _service(credentials.url)
    keyring.set_password(service, _NAME_ENTRY, credentials.username)
    keyring.set_password(service, credentials.username, credentials.password)


def _kept(url: str, entry: str) -> str | None:
    if find_spec("keyring") is None:
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(_service(url), entry)
    except KeyringError:  # locked, or there is none on this machine
        return None


def _service(url: str) -> str:
    return f"commonwatt {url}"


def _advice(url: str, missing: str) -> str:
    return (
        f"no {missing} for {url}: give username and password, set CLIMKIT_USERNAME and "
        "CLIMKIT_PASSWORD, or keep them with `commonwatt login`"
    )
