"""The commands that ask a Climkit server, and the server of the API's tests for them to ask."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.conftest import PASSWORD
from tests.api.conftest import address as address  # noqa: PLC0414  # a fixture
from tests.cli.command import Ended, run

ROOT = Path(__file__).resolve().parents[3]
KEYRING = "tests.cli.climkit.file_keyring.FileKeyring"


@dataclass(frozen=True)
class Asking:
    """Commands in a folder, with a keyring of the test's own."""

    address: str
    folder: Path

    @property
    def keyring(self) -> Path:
        return self.folder / "keyring.json"

    @property
    def nobody(self) -> dict[str, str]:
        """The environment of somebody who has told it nothing."""
        return {
            **dict.fromkeys(("CLIMKIT_URL", "CLIMKIT_USERNAME", "CLIMKIT_PASSWORD"), ""),
            "PYTHON_KEYRING_BACKEND": KEYRING,
            "TEST_KEYRING": str(self.keyring),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        }

    def signed_in(self, account: str = "reader") -> dict[str, str]:
        """The environment that says who asks."""
        return {
            **self.nobody,
            "CLIMKIT_URL": self.address,
            "CLIMKIT_USERNAME": account,
            "CLIMKIT_PASSWORD": PASSWORD,
        }

    def __call__(self, *words: str, account: str = "reader") -> Ended:
        """Run a command for an account."""
        return run(*words, folder=self.folder, more=self.signed_in(account))

    def as_nobody(self, *words: str, stdin: str = "") -> Ended:
        """Run a command that has to find out who asks."""
        return run(*words, folder=self.folder, stdin=stdin, more=self.nobody)


@pytest.fixture
def asking(address: str, tmp_path: Path) -> Asking:
    """Give commands that ask the building's server."""
    return Asking(address, tmp_path)
