"""A real server on loopback, in a thread of the test process."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import uvicorn
from argon2 import PasswordHasher

from commonwatt.adapters.passwords import Argon2Passwords
from commonwatt.api.server.connections import ConnectionLimits
from commonwatt.api.server.http_protocol import http_protocol
from commonwatt.bootstrap import Application, build_application
from commonwatt.settings import Settings

_LIMITS = ConnectionLimits()
QUICK = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Hashes that cost nothing: a right one takes a core for 100 ms, at each start and sign-in."""


class _Server(uvicorn.Server):
    """uvicorn, but told to end, it does so at once.

    Else it looks a few times a second whether to, and gives connections a tenth of one to close
    where none is open.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        count = 0
        while not await self.on_tick(count):
            count += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()

    def end(self) -> None:
        """Let it end; from another thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


@contextlib.contextmanager
def served(application: Application, limits: ConnectionLimits = _LIMITS) -> Iterator[str]:
    """Serve an application on a free port; give its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application.app,
        log_level="critical",
        access_log=False,
        http=http_protocol(limits),
        ws="none",
        loop="commonwatt.api.server.event_loop:EventLoop",
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.end()
        thread.join()
        listening.close()


def settings_of(data: Path, url: str | None = None, **others: object) -> Settings:
    """Settings of a test; nothing of the environment that the tests run in matters."""
    return Settings.model_validate({"data": data, "database_url": url, **others})


def application_of(
    data: Path,
    url: str | None = None,
    *,
    clock: Callable[[], float] = time.time,
    **others: object,
) -> Application:
    """An application on a store of the test's own."""
    return build_application(settings_of(data, url, **others), clock, QUICK)


def client_of(address: str, token: str | None = None) -> httpx2.Client:
    """A client of a server, signed in or not."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=30)
