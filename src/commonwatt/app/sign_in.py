"""Sign in: a name and a password for a token of 15 minutes."""

import functools
import logging
import os
from dataclasses import dataclass, field
from typing import Protocol

import anyio.to_thread

from commonwatt.app.account_store import AccountStore
from commonwatt.app.accounts import Account, is_account_name, is_usable_password
from commonwatt.app.authorize import IssuedToken, Tokens
from commonwatt.app.store_errors import StoreError

_log = logging.getLogger(__name__)


class WrongSignIn(Exception):
    """No such account, not its password, or a disabled account: which one is not told."""

    def __init__(self) -> None:
        super().__init__("the user name or the password is wrong")


class TooManySignIns(Exception):
    """Too many failures lately; nothing was verified. Try again after ``retry_after_s`` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many failed sign-ins; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Passwords(Protocol):
    """Hashes and verifies passwords, slowly on purpose."""

    def hash(self, password: str) -> str:
        """The hash, with all that is needed to verify it."""
        ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one; None is refused, at the same cost."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash should be made anew."""
        ...


class SignInThrottle(Protocol):
    """Remembers failed sign-ins for a minute."""

    def wait_s(self, username: str, address: str) -> int | None:
        """None if a sign-in may be tried now, else the seconds to wait."""
        ...

    def count(self, username: str, address: str) -> int | None:
        """Count a failure; the seconds to wait if the tries were used up in the meantime."""
        ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """The use case, with what it needs."""

    accounts: AccountStore
    passwords: Passwords
    throttle: SignInThrottle
    tokens: Tokens
    # A hash takes a whole core: more at a time would only slow each other, and the reads, down.
    # Of several processes on one machine, each is given its part.
    slots: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(os.cpu_count() or 1)
    )

    async def off_loop(
        self, username: str, password: str, address: str, *, now: float
    ) -> IssuedToken:
        """Do it in a thread, at most one a core at a time; the others wait without a thread."""
        call = functools.partial(self.at_once, username, password, address, now=now)
        return await anyio.to_thread.run_sync(call, limiter=self.slots)

    def at_once(self, username: str, password: str, address: str, *, now: float) -> IssuedToken:
        """Verify and issue a token from ``now`` (Unix seconds) on; ``address`` is the sender's.

        Raises TooManySignIns before anything is hashed, else WrongSignIn. An unknown or a disabled
        account takes the time of a wrong password.
        """
        # The throttle is asked here, where at most one try a core is under way: tries sent all at
        # once don't all pass it before the first of them has failed.
        if (wait_s := self.throttle.wait_s(username, address)) is not None:
            raise TooManySignIns(wait_s)
        account = self._enabled_account(username)
        known = None if account is None else account.password_hash
        verified = is_usable_password(password) and self.passwords.verify(password, known)
        if account is None or known is None or not verified:
            if (wait_s := self.throttle.count(username, address)) is not None:
                raise TooManySignIns(wait_s)
            raise WrongSignIn
        if self.passwords.is_outdated(known):
            self._renew_hash(username, password, known)
        return self.tokens.issue(account.name, account.token_version, now)

    def _enabled_account(self, name: str) -> Account | None:
        if not is_account_name(name):
            return None
        with self.accounts.view() as view:
            account = view.account(name)
        return None if account is None or account.disabled else account

    def _renew_hash(self, username: str, password: str, verified: str) -> None:
        password_hash = self.passwords.hash(password)
        try:
            with self.accounts.change() as change:
                account = change.account(username)
                # Not over a password that was set while this one was verified.
                if account is not None and account.password_hash == verified:
                    change.set_password_hash(username, password_hash)
        except StoreError:  # a full disk or a busy store; the next sign-in tries again
            _log.warning("the password hash of %s could not be renewed", username, exc_info=True)
