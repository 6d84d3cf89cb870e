"""Wiring: settings become a store, services, the application, and a running server.

Besides the command line, the only place that knows everyone.
"""

import ctypes
import gc
import ipaddress
import logging
import os
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import anyio.to_thread
import uvicorn
from fastapi import FastAPI
from limits.storage import Storage
from uvicorn.supervisors import Multiprocess

from commonwatt.adapters.ending import end_at_the_latest, end_with_parent
from commonwatt.adapters.log_lines import log_to_stderr
from commonwatt.adapters.passwords import Argon2Passwords
from commonwatt.adapters.rate_counters import (
    MemoryCounters,
    counters_in_database,
    counters_in_file,
    counters_in_redis,
)
from commonwatt.adapters.rate_limits import RequestLimits, SignInLimits
from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.adapters.tokens import JwtTokens
from commonwatt.api.app import create_app
from commonwatt.api.http.pending_answers import PendingAnswers
from commonwatt.api.server.connections import ConnectionLimits
from commonwatt.api.server.http_protocol import http_protocol
from commonwatt.api.services import Services
from commonwatt.app.accounts.sign_in import Passwords, SignIn
from commonwatt.app.operation.check import WritingCheck
from commonwatt.app.readings.waiting import end_waiting
from commonwatt.app.settling.settler import Settler
from commonwatt.settings import Settings
from commonwatt.stores import open_store_of

_COUNTERS_FILE = "rate-limits.sqlite"
_FINISH_REQUESTS_S = 2
_FINISH_SETTLING_S = 1.0
_OTHER_FILES = 200
"""Open files of a process that are no connections: of the store, of the workers, of the log."""
_FEWEST_CONNECTIONS = 10
_MEGABYTE = 1_000_000
_FACTORY = "commonwatt.bootstrap:app_from_environment"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Application:
    """The HTTP application of a store, with what has to be closed after it."""

    app: FastAPI
    store: SqlStore


def build_application(
    settings: Settings,
    clock: Callable[[], float] = time.time,
    passwords: Passwords | None = None,
) -> Application:
    """Open the store and put everything together; the settler runs as long as the application.

    ``clock`` gives Unix seconds: what is now to whoever asks or delivers. ``passwords`` says what a
    hash costs; without it, what `Argon2Passwords` thinks right.
    """
    store = open_store_of(settings)
    settler = Settler(store, clock, end_waiting)
    services = _services(settings, store, settler, clock, passwords or Argon2Passwords())
    return Application(create_app(services, _lifespan(store, settler)), store)


def app_from_environment() -> FastAPI:
    """The application by the environment's settings, for each of several processes."""
    log_to_stderr()
    end_with_parent()
    return build_application(Settings()).app


def _services(
    settings: Settings,
    store: SqlStore,
    settler: Settler,
    clock: Callable[[], float],
    passwords: Passwords,
) -> Services:
    accounts = SqlAccountStore(store.database)
    given_key = settings.signing_key
    tokens = JwtTokens(
        accounts.signing_key() if given_key is None else given_key.get_secret_value().encode()
    )
    counters = _counters(settings, store.database)
    return Services(
        store=store,
        sign_in=SignIn(accounts, passwords, SignInLimits(counters), tokens),
        tokens=tokens,
        limits=RequestLimits(counters),
        clock=clock,
        written=settler.notify,
        body_limit=settings.body_limit_mb * _MEGABYTE,
        writing_check=WritingCheck(store),
        patience_s=settings.postgres_statement_timeout_s + settings.postgres_connect_timeout_s,
        pending=PendingAnswers(settings.answers_mb * _MEGABYTE, _give_memory_back),
    )


def _counters(settings: Settings, database: Database) -> Storage:
    """Where requests are counted: with all who serve the same store."""
    if settings.redis_url:
        return counters_in_redis(settings.redis_url)
    if not database.is_sqlite:
        return counters_in_database(database.url.render_as_string(hide_password=False))
    if settings.workers > 1:
        assert database.url.database
        return counters_in_file(Path(database.url.database).parent / _COUNTERS_FILE)
    return MemoryCounters()


def _lifespan(
    store: SqlStore, settler: Settler
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(_app: FastAPI) -> AsyncIterator[None]:
        settler.start()
        # What lives here lives as long as the process: the collector need not look at it again
        # and again, and long answers do not stutter.
        gc.collect()
        gc.freeze()
        end_at_the_latest()
        yield
        # Requests had their time: what is under way ends at its next statement.
        store.database.stop()
        await anyio.to_thread.run_sync(settler.stop, _FINISH_SETTLING_S)
        store.database.close()

    return live


class _AnnouncingServer(uvicorn.Server):
    """A server that tells its address once it answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            host = f"[{host}]" if ":" in host else host
            self._announce(f"{scheme}://{host}:{port}")


def run_server(settings: Settings, announce: Callable[[str], None] = lambda _address: None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get 2 s to end, settling as much.

    With one worker ``announce`` is called with the address as soon as it answers. Beyond loopback
    without TLS and without a known proxy it serves, with a warning. Raises the errors of
    a store.
    """
    _raise_limit_of_files(settings.connections + _OTHER_FILES)
    if settings.is_exposed:
        _log.warning(
            "listening on %s without TLS: passwords and data travel readable; "
            "give --tls-cert and --tls-key, or --trusted-proxy",
            settings.host,
        )
    if settings.workers == 1:
        application = build_application(settings)
        _AnnouncingServer(_server_config(application.app, settings), announce).run()
        return
    # Made or migrated once, before several processes open it.
    open_store_of(settings).database.close()
    os.environ.update(settings.environment())
    config = _server_config(_FACTORY, settings)
    _Workers(config, sockets=[config.bind_socket()]).run()


class _Workers(Multiprocess):
    """Processes that serve; one that died is replaced, and told of."""

    def keep_subprocess_alive(self) -> None:
        """Replace those that died."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=False):
            if old is not new:
                _log.warning(
                    "worker %s ended with %s, worker %s replaces it", old.pid, old.exitcode, new.pid
                )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """The limits of connections that the settings and the limit of open files allow."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = settings.connections if files < 0 else max(_FEWEST_CONNECTIONS, files - _OTHER_FILES)
    return ConnectionLimits(
        head_s=settings.head_timeout_s,
        body_s=settings.body_timeout_s,
        idle_s=settings.idle_timeout_s,
        write_s=settings.write_timeout_s,
        in_all=min(settings.connections, room),
        per_address=settings.connections_per_address,
        proxies=tuple(
            ipaddress.ip_network(each.strip())
            for each in (settings.trusted_proxy or "").split(",")
            if each.strip()
        ),
    )


def _raise_limit_of_files(wanted: int) -> None:
    """Open as many files as are needed, if the system allows it: the usual limit is 1024."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if files != unlimited and files < wanted:
        raised = wanted if most == unlimited else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, raised), most))


def _server_config(app: FastAPI | str, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="commonwatt.api.server.event_loop:EventLoop",
        http=http_protocol(connection_limits(settings)),
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=settings.trusted_proxy is not None,
        forwarded_allow_ips=settings.trusted_proxy or "",
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_keep_alive=settings.idle_timeout_s,
        timeout_graceful_shutdown=_FINISH_REQUESTS_S,
    )


def _give_memory_back() -> None:
    """Let the C library return the free pages of its heaps, where it can be told to (glibc).

    It keeps them by itself: what a rush of long answers took would be the process's for ever. What
    waits for Python's own collector, as connections do, is collected first.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return
    trim(0)
