"""A keyring in a file, for commands in processes of their own.

Chosen by PYTHON_KEYRING_BACKEND; the file is that of TEST_KEYRING. Without the file it refuses.
"""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import PasswordSetError


class FileKeyring(KeyringBackend):
    """Entries by service and name."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self._file.exists():
            raise PasswordSetError("it is locked")
        kept = {**self._kept(), f"{service}/{username}": password}
        self._file.write_text(json.dumps(kept), encoding="utf-8")

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError

    @property
    def _file(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def _kept(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        kept: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        return kept


class Unsuited(FileKeyring):
    """A keyring that lacks something, and says so as keyrings do."""

    @properties.classproperty
    def priority(self) -> int:
        raise RuntimeError("it lacks a library")
