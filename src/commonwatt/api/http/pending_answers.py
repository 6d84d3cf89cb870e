"""What answers that are not yet read hold of this process's memory: counted, and limited.

Who asks for much and does not read must not take the memory of all others. An answer that takes a
while waits for its place; what it holds is given back when it was read, or its client hung up.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from commonwatt.api.http.problems import Overloaded, TooMuchPending

WAIT_S = 10.0
"""So long an answer waits for its place."""
_WAITING_OF_ACCOUNT = 16
_WAITING_IN_ALL = 64
_REST_S = 5.0
_PART_OF_ACCOUNT = 3
"""What one account may hold, as a part of all."""


class PendingAnswers:
    """Bytes by account and in all; to be used on the event loop alone."""

    def __init__(self, in_all: int, at_rest: Callable[[], None] = lambda: None) -> None:
        """``at_rest`` is called, in a thread, some time after the last of them was read."""
        self._at_rest = at_rest
        self._resting: asyncio.TimerHandle | None = None
        self._in_all = in_all
        self._of_account = in_all // _PART_OF_ACCOUNT
        self._held: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._given_back = anyio.Event()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """Answers that wait for a place now."""
        return self._waiting.total()

    def hold(self, account: str, size: int) -> None:
        """Hold bytes at once. Raises TooMuchPending and Overloaded."""
        if not self._has_room_of_its_own(account, size):
            raise TooMuchPending
        if not self._has_room(size):
            raise Overloaded
        self._held[account] += size

    def give_back(self, account: str, size: int) -> None:
        """Hold them no more."""
        self._held[account] -= size
        if not self._held[account]:
            del self._held[account]
        self._given_back.set()
        self._given_back = anyio.Event()
        if self._resting is None:
            self._resting = asyncio.get_running_loop().call_later(_REST_S, self._rest)

    def _rest(self) -> None:
        self._resting = None
        if self._held:
            return  # the last of these will see to it
        asyncio.get_running_loop().run_in_executor(None, self._at_rest)

    @asynccontextmanager
    async def place(self, account: str, size: int) -> AsyncIterator[None]:
        """Hold bytes, after waiting for room. Raises TooMuchPending and Overloaded."""
        await self._wait(account, size)
        self.hold(account, size)
        try:
            yield
        finally:
            self.give_back(account, size)

    async def _wait(self, account: str, size: int) -> None:
        if self._fits(account, size):
            return
        if self._waiting[account] >= _WAITING_OF_ACCOUNT:
            raise TooMuchPending
        if self.waiting >= _WAITING_IN_ALL:
            raise Overloaded
        self._waiting[account] += 1
        try:
            with anyio.move_on_after(WAIT_S):
                while not self._fits(account, size):
                    await self._given_back.wait()
        finally:
            self._waiting[account] -= 1

    def _fits(self, account: str, size: int) -> bool:
        return self._has_room_of_its_own(account, size) and self._has_room(size)

    def _has_room_of_its_own(self, account: str, size: int) -> bool:
        # One answer there may always be, however large.
        held = self._held[account]
        return not held or held + size <= self._of_account

    def _has_room(self, size: int) -> bool:
        held = self.held
        return not held or held + size <= self._in_all
