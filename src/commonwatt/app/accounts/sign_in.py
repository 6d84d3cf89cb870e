"""Sign in: a name and a password for a token of 15 minutes."""

import functools
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio.to_thread

from commonwatt.app.accounts.accounts import Account, is_account_name, is_usable_password
from commonwatt.app.accounts.authorize import IssuedToken, Tokens
from commonwatt.app.accounts.networks import networks
from commonwatt.app.accounts.store import AccountStore
from commonwatt.app.errors import CommonwattError, ErrorKind, StoreError

MOST_OF_ACCOUNT, MOST_OF_NETWORK = 4, 8
"""Sign-ins under way at once: one waits for so many others of a sender at most."""

_log = logging.getLogger(__name__)


class WrongSignIn(CommonwattError):
    """No such account, not its password, or a disabled account: which one is not told."""

    kind = ErrorKind("wrong-sign-in", 401, "Sign-in refused")

    def __init__(self, account: str | None = None) -> None:
        """``account`` is the one of that name, for the log alone: an answer tells nothing of it."""
        super().__init__("the user name or the password is wrong")
        self.account = account


class TooManySignIns(CommonwattError):
    """Too many sign-ins lately, or at once: nothing was verified.

    Try again after ``retry_after_s`` seconds.
    """

    kind = ErrorKind("too-many-sign-ins", 429, "Too many sign-ins")

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many sign-ins; try again in {retry_after_s} s")
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
    """Remembers sign-ins for a while."""

    def wait_s(self, username: str, address: str) -> int | None:
        """None if a sign-in may be tried now, else the seconds to wait."""
        ...

    def count(self, username: str, address: str) -> int | None:
        """Count a failure; the seconds to wait if the tries were used up in the meantime."""
        ...

    def count_right(self, username: str, address: str) -> None:
        """Count a sign-in that was right."""
        ...


class Turns:
    """The sign-ins that wait or are verified now: a few of each account and of each network.

    So whoever sends a hundred at once makes others wait for a few of them. For one event loop.
    """

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, username: str, address: str) -> Iterator[None]:
        """Hold a turn until the block ends. Raises TooManySignIns where none is left."""
        turns = (f"user {username}", MOST_OF_ACCOUNT), (networks(address)[0], MOST_OF_NETWORK)
        if any(self._taken[whose] >= most for whose, most in turns):
            raise TooManySignIns(1)
        whose = [each for each, _ in turns]
        self._taken.update(whose)
        try:
            yield
        finally:
            self._taken.subtract(whose)
            for each in whose:
                if not self._taken[each]:
                    del self._taken[each]


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
    turns: Turns = field(default_factory=Turns)

    async def off_loop(
        self, username: str, password: str, address: str, *, now: float
    ) -> IssuedToken:
        """Do it in a thread, at most one a core at a time; the others wait without a thread.

        A few of each account and network wait; more are refused at once with TooManySignIns.
        """
        call = functools.partial(self.at_once, username, password, address, now=now)
        with self.turns.taken(username, address):
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
            raise WrongSignIn(None if account is None else account.name)
        self.throttle.count_right(username, address)
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
