"""Clients of a real server with the building of the API's tests."""

from collections.abc import Iterator

import pytest
import stamina

from commonwatt.client import Climkit
from tests.api.conftest import PASSWORD
from tests.api.conftest import address as address  # noqa: PLC0414  # a fixture

FAST = 10_000.0
"""Requests a second that a client of a server of our own may send."""


@pytest.fixture(autouse=True)
def no_credentials_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the tests' user has in the environment or a keyring out of the tests."""
    for name in ("CLIMKIT_URL", "CLIMKIT_USERNAME", "CLIMKIT_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def climkit(address: str) -> Iterator[Climkit]:
    """Give a client of the building's server, of an account that is not limited."""
    with Climkit(address, "reader", PASSWORD, requests_per_second=FAST) as client:
        yield client


@pytest.fixture(autouse=True)
def no_backoff() -> Iterator[None]:
    """Take the waits, not the attempts, out of retries."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
