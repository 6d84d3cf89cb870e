"""What all tests share: real data, stores of both kinds, a guard against the network."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from commonwatt.adapters.store.opening import open_database
from tests.network_guard import keep_on_loopback
from tests.postgres_server import PostgresUnavailable, running_server
from tests.redis_server import RedisUnavailable, running_redis

# Real metering data, kept beside the repository and never in it.
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

keep_on_loopback()
# Nobody is met beyond loopback, so no authority is trusted: this folder has no certificates, and to
# load those of the system takes each client 20 ms.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)

# No deadline and no complaint about slowness: how fast an example runs says how busy the machine
# is. With CI=1 the examples are the same every time, so that a red run can be repeated. What `deep`
# and `nightly` change beside this, tests/depth.py says.
_DEPTH = os.environ.get("HYPOTHESIS_PROFILE", "fast")
_REPEATABLE = bool(os.environ.get("CI")) and _DEPTH != "nightly"
settings.register_profile(
    "fast",
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=_REPEATABLE,
    print_blob=_REPEATABLE,
)
settings.register_profile("deep", settings.get_profile("fast"))
settings.register_profile("nightly", settings.get_profile("fast"), max_examples=5_000)
settings.load_profile(_DEPTH)


# Long tests have half a core, or less, where other programs run beside them.
_SLOW_TIMEOUT_S = 3600


def _is_postgres_variant(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "postgresql" in callspec.params.values()


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests are slow, and give these more time.

    What the store promises is tried on both engines by every run. A use case reaches PostgreSQL
    through these promises alone: one test or two of it show that, the others are slow tests there.
    The limit of time is for what hangs, not for a busy machine.
    """
    for item in items:
        if _is_postgres_variant(item) and not item.get_closest_marker("both_engines"):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_TIMEOUT_S))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real metering data; skip where it is not beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real metering data: ../shared/data is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server whose user may create databases; skip without one.

    It is COMMONWATT_TEST_POSTGRES_URL where that is set, else a server started for this run.
    """
    given = os.environ.get("COMMONWATT_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    try:
        with running_server() as url:
            yield url
    except PostgresUnavailable as missing:
        pytest.skip(f"{missing}; COMMONWATT_TEST_POSTGRES_URL can name a server")


@contextmanager
def _postgres_database(server: str, template: str = "template1") -> Iterator[str]:
    """Make a database on a server and give its URL; drop it at the end."""
    name = f"commonwatt_test_{uuid.uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server, autocommit=True) as administration:
        administration.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        administration.execute(drop.format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Give the name of a database with the tables of a new store, to make others of."""
    with _postgres_database(postgres_server) as url:
        open_database(url).close()
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database of this test's own, with the tables of a new store."""
    with _postgres_database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database of this test's own, without any table."""
    with _postgres_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file with the tables of a new store, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.sqlite"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def new_sqlite_url(sqlite_url: str, sqlite_template: Path) -> str:
    """Give the URL of an SQLite file of this test's own, with the tables of a new store."""
    copy2(sqlite_template, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


def _url_of(request: pytest.FixtureRequest, on_sqlite: str, on_postgres: str) -> str:
    url: str = request.getfixturevalue(on_sqlite if request.param == "sqlite" else on_postgres)
    return url


_BOTH_ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=_BOTH_ENGINES)
def store_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a new store, once for each engine: the contract holds on both."""
    return _url_of(request, "new_sqlite_url", "postgres_url")


@pytest.fixture(params=_BOTH_ENGINES)
def empty_store_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a database without any table, once for each engine."""
    return _url_of(request, "sqlite_url", "empty_postgres_url")


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of an empty Redis server of this test's own; skip without one."""
    try:
        with running_redis(tmp_path_factory.mktemp("redis")) as url:
            yield url
    except RedisUnavailable as missing:
        pytest.skip(str(missing))
