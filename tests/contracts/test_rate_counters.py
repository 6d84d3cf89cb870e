"""Rate limits, the same wherever they are counted."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from limits.storage import Storage

from commonwatt.adapters.rate_counters import (
    MemoryCounters,
    SqlCounters,
    counters_in_database,
    counters_in_file,
    counters_in_redis,
)
from commonwatt.adapters.rate_limits import TRY_AGAIN_S, RequestLimits, SignInLimits

ROUTE = "/api/v1/site_data/{site_id}/{type}"
OTHER_ROUTE = "/api/v1/meter_data/{site_id}/{meter_id}"

OpenCounters = Callable[[], SqlCounters]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", pytest.param("database", marks=pytest.mark.postgres)])
def open_counters(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[OpenCounters]:
    """Open the same shared counters as another process would."""
    opened: list[SqlCounters] = []
    if request.param == "database":
        url: str = request.getfixturevalue("postgres_url")

    def open_() -> SqlCounters:
        if request.param == "database":
            opened.append(counters_in_database(url, clock))
        else:
            opened.append(counters_in_file(tmp_path / "rate-limits.sqlite", clock))
        return opened[-1]

    yield open_
    for counters in opened:
        counters.close()


@pytest.fixture(params=["memory", "file", pytest.param("database", marks=pytest.mark.postgres)])
def counters(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Storage]:
    if request.param == "memory":
        yield MemoryCounters(clock)
        return
    if request.param == "file":
        shared = counters_in_file(tmp_path / "rate-limits.sqlite", clock)
    else:
        url: str = request.getfixturevalue("postgres_url")
        shared = counters_in_database(url, clock)
    yield shared
    shared.close()


def test_one_request_a_second_per_account_and_route(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    assert limits.hit("anna", ROUTE) is None
    assert limits.hit("anna", ROUTE) == 1
    assert limits.hit("anna", OTHER_ROUTE) is None
    assert limits.hit("berta", ROUTE) is None
    clock.now += 1
    assert limits.hit("anna", ROUTE) is None


def test_a_second_with_some_jitter_is_a_second(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    start = clock.now
    for second, late_s in enumerate([0.03, 0.0, 0.05, -0.02, 0.04, -0.04, 0.0]):
        clock.now = start + second + late_s
        assert limits.hit("anna", ROUTE) is None


def test_half_a_second_is_not(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    answers = []
    for _ in range(6):
        answers.append(limits.hit("anna", ROUTE))
        clock.now += 0.5
    assert answers == [None, 1, None, 1, None, 1]


def test_a_refused_request_does_not_lengthen_the_wait(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    start = clock.now
    limits.hit("anna", ROUTE)
    for later_s in (0.3, 0.6, 0.8):
        clock.now = start + later_s
        assert limits.hit("anna", ROUTE) == 1
    clock.now = start + 1
    assert limits.hit("anna", ROUTE) is None


def test_a_clock_that_is_set_back_locks_nobody_out(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    limits.hit("anna", ROUTE)
    clock.now -= 3600
    assert limits.hit("anna", ROUTE) is None
    assert limits.hit("anna", ROUTE) == 1


def test_five_failures_a_minute_then_wait(counters: Storage, clock: Clock) -> None:
    failures = SignInLimits(counters, clock)
    for _ in range(5):
        assert failures.wait_s("anna", "192.0.2.1") is None
        assert failures.count("anna", "192.0.2.1") is None
        clock.now += 1
    assert failures.wait_s("anna", "192.0.2.1") == 55
    assert failures.wait_s("anna", "192.0.2.2") is None
    assert failures.wait_s("berta", "192.0.2.1") is None
    clock.now += 55
    assert failures.wait_s("anna", "192.0.2.1") is None


def test_fifty_failures_from_an_address_whoever_it_says_it_is(
    counters: Storage, clock: Clock
) -> None:
    failures = SignInLimits(counters, clock)
    for number in range(50):
        assert failures.wait_s(f"user{number}", "2001:db8::1") is None
        assert failures.count(f"user{number}", "2001:db8::1") is None
    assert failures.wait_s("anna", "2001:db8::1") == 60
    assert failures.wait_s("anna", "2001:db8::2") == 60, "the same network"
    assert failures.wait_s("anna", "2001:db8:0:1::1") is None


def test_a_customer_with_many_networks_is_one(counters: Storage, clock: Clock) -> None:
    failures = SignInLimits(counters, clock)
    for number in range(200):
        address = f"2001:db8:1:{number:x}::1"
        assert failures.wait_s(f"user{number}", address) is None
        assert failures.count(f"user{number}", address) is None
    assert failures.wait_s("anna", "2001:db8:1:ffff::1") == 60
    assert failures.wait_s("anna", "2001:db8:2::1") is None


def test_an_account_that_is_guessed_at_from_everywhere_is_open_from_where_it_was(
    counters: Storage, clock: Clock
) -> None:
    failures = SignInLimits(counters, clock)
    failures.count_right("anna", "198.51.100.7")
    clock.now += 20 * 86_400
    for number in range(100):
        assert failures.wait_s("anna", f"192.0.2.{number}") is None
        failures.count("anna", f"192.0.2.{number}")
    assert failures.wait_s("anna", "203.0.113.1") == 3600
    assert failures.wait_s("anna", "198.51.100.7") is None, "the owner's address"
    assert failures.wait_s("berta", "203.0.113.1") is None
    clock.now += 3600
    assert failures.wait_s("anna", "203.0.113.1") is None, "for no more than an hour"


@pytest.mark.parametrize("username", ["\0", "\ud800", "x" * 100_000, ""])
def test_any_text_may_be_tried_as_a_user(
    counters: Storage, clock: Clock, caplog: pytest.LogCaptureFixture, username: str
) -> None:
    failures = SignInLimits(counters, clock)
    for _ in range(5):
        assert failures.count(username, "192.0.2.1") is None
    assert failures.wait_s(username, "192.0.2.1") == 60
    assert caplog.records == [], "the shared counters took it"


def test_looking_counts_nothing(counters: Storage, clock: Clock) -> None:
    failures = SignInLimits(counters, clock)
    for _ in range(100):
        assert failures.wait_s("anna", "192.0.2.1") is None


def test_of_many_requests_at_once_one_passes(open_counters: OpenCounters, clock: Clock) -> None:
    answers: list[int | None] = []
    together = threading.Barrier(8)

    def ask() -> None:
        limits = RequestLimits(open_counters(), clock)
        together.wait()
        answers.append(limits.hit("anna", ROUTE))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [1] * 7 + [None]


def test_counters_that_are_over_are_swept(counters: Storage, clock: Clock) -> None:
    limits = RequestLimits(counters, clock)
    limits.hit("anna", ROUTE)
    if isinstance(counters, SqlCounters):
        counters._hits_to_sweep = 1
    else:
        assert isinstance(counters, MemoryCounters)
        counters._sweep_above = 1
    clock.now += 2
    limits.hit("berta", ROUTE)
    assert counters.reset() == 1


def test_shared_counters_that_fail_stop_nobody(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    counters = counters_in_file(tmp_path / "rate-limits.sqlite", clock)
    limits = RequestLimits(counters, clock)
    assert limits.hit("anna", ROUTE) is None
    with counters._engine.connect() as connection:
        connection.execute(sa.text("PRAGMA query_only = ON"))
    assert limits.hit("berta", ROUTE) is None
    assert limits.hit("berta", ROUTE) == 1, "the process counts for itself"
    assert len(caplog.records) == 1, "said once, not at each request"
    with counters._engine.connect() as connection:
        connection.execute(sa.text("PRAGMA query_only = OFF"))
    clock.now += TRY_AGAIN_S
    assert RequestLimits(counters, clock).hit("carl", ROUTE) is None
    assert limits.hit("carl", ROUTE) == 1, "the shared count goes on"
    assert caplog.records[-1].message == "shared rate counters are back"
    counters.close()


def test_redis_counts_and_may_be_away(redis_url: str) -> None:
    counters = counters_in_redis(redis_url)
    limits = RequestLimits(counters)
    assert limits.hit("anna", ROUTE) is None
    assert limits.hit("anna", ROUTE) == 1
    time.sleep(0.95)
    assert limits.hit("anna", ROUTE) is None
    failures = SignInLimits(counters)
    assert [failures.count("anna", "192.0.2.1") for _ in range(6)][:5] == [None] * 5
    assert failures.wait_s("anna", "192.0.2.1") is not None
    assert failures.wait_s("berta", "192.0.2.1") is None
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        away = RequestLimits(counters_in_redis(f"redis://127.0.0.1:{port}"))
        assert [away.hit("anna", ROUTE), away.hit("anna", ROUTE)] == [None, 1]


def test_counters_that_say_nothing_are_asked_now_and_then(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.setblocking(False)

        def connections() -> int:
            taken = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    silent.accept()[0].close()
                    taken += 1
            return taken

        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        limits = RequestLimits(counters_in_redis(url), clock)
        assert [limits.hit("anna", ROUTE), limits.hit("anna", ROUTE)] == [None, 1]
        assert connections() == 1
        assert [limits.hit(f"anna-{number}", ROUTE) for number in range(100)] == [None] * 100
        assert connections() == 0, "nobody waited for it"
        clock.now += TRY_AGAIN_S
        limits.hit("berta", ROUTE)
        limits.hit("carl", ROUTE)
        assert connections() == 1
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("damage", [b"no database at all", b"SQLite format 3\0" + bytes(4096)])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, clock: Clock, damage: bytes) -> None:
    path = tmp_path / "rate-limits.sqlite"
    path.write_bytes(damage)
    counters = counters_in_file(path, clock)
    assert RequestLimits(counters, clock).hit("anna", ROUTE) is None
    assert counters.get_expiry("none") == clock.now
    assert counters.check()
    counters.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    counters = counters_in_file(tmp_path / "rate-limits.sqlite")
    RequestLimits(counters).hit("anna", ROUTE)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes, "the counters are there"
    assert set(modes.values()) == {0o600}
    counters.close()
