"""A real server on loopback, in a thread of the test process."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import uvicorn

from commonwatt.api.server.connections import ConnectionLimits
from commonwatt.api.server.http_protocol import http_protocol
from commonwatt.bootstrap import Application, build_application
from commonwatt.settings import Settings

_LIMITS = ConnectionLimits()


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
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
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
    return build_application(settings_of(data, url, **others), clock)


def client_of(address: str, token: str | None = None) -> httpx2.Client:
    """A client of a server, signed in or not."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=30)
