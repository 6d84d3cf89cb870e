"""Passwords: Argon2id by argon2-cffi."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# RFC 9106's second choice (3 passes over 64 MiB), but in one lane: the work is the same for whoever
# guesses, and a hash then takes one core, not four, from the requests that run beside it.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


class Argon2Passwords:
    """Hashes and verifies passwords; each takes a core for some 100 ms: not on an event loop."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        # Stands in where there is no account, so that it takes the same time; nothing matches it.
        self._nobody = hasher.hash("nobody signs in by this")

    def hash(self, password: str) -> str:
        """The encoded Argon2id hash, salt and parameters included."""
        return self._hasher.hash(password)

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one; None (nobody's) is refused at the same cost."""
        try:
            self._hasher.verify(password_hash or self._nobody, password)
        except VerifyMismatchError:
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)
