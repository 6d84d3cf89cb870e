"""A database that says nothing, or waits for a lock: a 503 after a while, and then it goes on."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from commonwatt.adapters.store.engine.postgres_timeouts import PostgresTimeouts, with_timeouts
from commonwatt.api.endpoint import health as health_routes
from tests.api.building import ANNA, SITE
from tests.api.conftest import populate, token
from tests.api.serving import application_of, client_of, served
from tests.api.test_checks import problem
from tests.cli.command import eventually

pytestmark = pytest.mark.postgres
SERIES = f"/api/v1/meter_data/{SITE}/{ANNA}"


class Line:
    """Forwards connections to a server, as long as it is not cut; what comes meanwhile is late."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open = threading.Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def _begin(self, work: Callable[..., None], *ends: socket.socket) -> None:
        thread = threading.Thread(target=work, args=ends, daemon=True)
        self._threads.append(thread)
        thread.start()

    def cut(self) -> None:
        """Let nothing through."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._open.set()

    def close(self) -> None:
        """End all connections."""
        self._open.set()
        for each in (self._listening, *self._ends):
            with contextlib.suppress(OSError):  # ended by the other side, or before
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listening, *self._ends):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._to)
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    self._begin(self._forward, source, target)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := source.recv(65536):
                self._open.wait()
                target.sendall(said)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(postgres_url: str) -> Iterator[Line]:
    """Give a line to the database."""
    url = make_url(postgres_url)
    assert url.host
    made = Line(url.host, url.port or 5432)
    yield made
    made.close()


def test_a_database_that_says_nothing_is_a_503_and_then_it_goes_on(
    tmp_path: Path, postgres_url: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_routes, "_WAIT_FOR_READING_S", 0.5)
    url = make_url(postgres_url).set(host="127.0.0.1", port=line.port)
    application = application_of(
        tmp_path,
        url.render_as_string(hide_password=False),
        postgres_statement_timeout_s=1,
        postgres_connect_timeout_s=2,
    )
    populate(application.store)
    with (
        served(application) as address,
        client_of(address, token(address, "reader")) as reader,
    ):
        assert reader.post(SERIES).status_code == 200
        line.cut()
        for answer in (reader.get("/ready"), reader.post(SERIES), reader.get("/ready")):
            problem(answer, 503, "store-busy")
            assert int(answer.headers["retry-after"]) > 0
        line.mend()
        for _ in eventually():
            if reader.post(SERIES).status_code == 200 and reader.get("/ready").status_code == 200:
                break
        line.close()


def test_a_lock_that_another_holds_is_a_503(tmp_path: Path, postgres_url: str) -> None:
    application = application_of(tmp_path, postgres_url, postgres_lock_timeout_s=1)
    populate(application.store)
    other = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with (
        served(application) as address,
        client_of(address, token(address, "reader")) as reader,
        other.connect() as holding,
    ):
        holding.execute(text("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"))
        for answer in (reader.post(SERIES), reader.get("/ready")):
            problem(answer, 503, "store-busy")
        holding.rollback()
        assert reader.post(SERIES).status_code == 200
    other.dispose()


def test_what_an_address_says_itself_is_kept() -> None:
    given = "postgresql://anna:secret@db/store?connect_timeout=9&options=-c%20work_mem%3D64MB"

    query = make_url(with_timeouts(given, PostgresTimeouts(statement_s=7))).query

    assert query["connect_timeout"] == "9"
    assert str(query["options"]).endswith("-c work_mem=64MB")
    assert "statement_timeout=7000" in query["options"]
