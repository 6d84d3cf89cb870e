"""One request a second of each route, in the order of asking, whoever is held up."""

import asyncio
import threading
from collections import Counter
from contextlib import nullcontext
from itertools import pairwise
from time import monotonic

import httpx2
import pytest

from commonwatt.client import AsyncClimkit, Climkit
from commonwatt.client.wire.pacing import Pacing, Route
from commonwatt.client.wire.sync_wire import SyncWire, run
from tests.client.counting import ASKED, counting_server
from tests.client.scripted import METERS, SITE, Reply, ScriptedServer

CALLS = 10_000
RATE = 2_000.0


def route(interval_s: float = 1) -> Route:
    """A route that may be asked once in so many seconds."""
    return Route(interval_s, queue=nullcontext())


def test_the_first_goes_at_once_and_the_next_an_interval_later() -> None:
    once_a_second = route()

    assert once_a_second.wait_s(now_at=100) == 0
    once_a_second.go(now_at=100)
    assert once_a_second.wait_s(now_at=100.25) == 0.75
    assert once_a_second.wait_s(now_at=101) == 0


def test_nothing_is_made_up_for() -> None:
    once_a_second = route()

    for late_at in (100, 200, 300):
        once_a_second.go(now_at=late_at)
        assert once_a_second.wait_s(now_at=late_at) == 1


def test_a_route_that_is_held_waits_for_as_long_as_told() -> None:
    once_a_second = route()

    once_a_second.hold(until_at=103)
    once_a_second.hold(until_at=90)

    assert once_a_second.wait_s(now_at=100) == 3


def test_routes_do_not_wait_for_each_other() -> None:
    pacing = Pacing(requests_per_second=1, new_queue=nullcontext)
    pacing.route("a").go(now_at=100)

    assert pacing.route("a").wait_s(now_at=100) > 1
    assert pacing.route("b").wait_s(now_at=100) == 0


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_zero(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Climkit("http://127.0.0.1:1", "u", "p", requests_per_second=rate)


@pytest.mark.parametrize("rate", [4.0, 20.0])
def test_a_client_asks_no_faster_than_it_may(rate: float) -> None:
    server = ScriptedServer({METERS: Reply([])})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=rate) as climkit:
        for _ in range(4):
            climkit.meters(SITE)

    arrivals = [asked.at for asked in server.asked if asked.path == METERS]
    # Arrivals may be a little closer than departures, which are 5 % apart more than they must.
    assert arrivals[-1] - arrivals[0] >= 3 / rate


@pytest.mark.slow
def test_ten_thousand_calls_at_once_stay_within_the_limit_and_sign_in_once() -> None:
    async def ask(url: str) -> int:
        async with AsyncClimkit(url, "u", "p", requests_per_second=RATE) as climkit:
            answers = await asyncio.gather(*(climkit.meters(SITE) for _ in range(CALLS)))
        return len(answers)

    with counting_server() as url:
        started_at = monotonic()
        assert asyncio.run(ask(url)) == CALLS
        asked = httpx2.get(f"{url}/api/v1{ASKED}").json()

    assert Counter(path for path, _ in asked) == {"/auth": 1, METERS: CALLS, ASKED: 1}
    # What has come until any instant is no more than what may have left until then.
    arrivals = sorted(at for path, at in asked if path == METERS)
    early = [count for count, at in enumerate(arrivals) if count > 1 + (at - started_at) * RATE]
    assert early == []


def test_threads_share_the_limit_and_the_token() -> None:
    server = ScriptedServer({METERS: Reply([])})
    rate, count = 50.0, 40

    with server.running() as url, Climkit(url, "u", "p", requests_per_second=rate) as climkit:
        started_at = monotonic()
        threads = [threading.Thread(target=climkit.meters, args=(SITE,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert Counter(server.paths()) == {"/auth": 1, METERS: count}
    arrivals = sorted(asked.at for asked in server.asked if asked.path == METERS)
    assert all(position <= 1 + (at - started_at) * rate for position, at in enumerate(arrivals))


def test_threads_are_let_in_in_the_order_in_which_they_came() -> None:
    wire = SyncWire("http://127.0.0.1:1", timeout=1, attempts=1)
    lock, order = wire.lock(), list[int]()

    async def enter(position: int) -> None:
        async with lock:
            order.append(position)

    async def hold() -> None:
        async with lock:
            for position, thread in enumerate(threads):
                thread.start()
                while len(lock._waiting) <= position:
                    thread.join(timeout=0.001)

    threads = [threading.Thread(target=run, args=(enter(position),)) for position in range(20)]
    run(hold())
    for thread in threads:
        thread.join()
    wire.close()

    assert order == list(range(20))


def test_a_task_that_is_cancelled_leaves_the_queue() -> None:
    server = ScriptedServer({METERS: Reply([])})

    async def ask(url: str) -> None:
        async with AsyncClimkit(url, "u", "p", requests_per_second=10) as climkit:
            tasks = [asyncio.create_task(climkit.meters(SITE)) for _ in range(5)]
            await tasks[0]
            for task in tasks[1:4]:
                task.cancel()
            await tasks[4]

    with server.running() as url:
        asyncio.run(ask(url))

    assert server.count(METERS) == 2


def test_a_held_route_holds_all_who_wait_for_it() -> None:
    busy = Reply({}, 429, headers={"retry-after": "1"})
    server = ScriptedServer({METERS: [busy, Reply([])]})

    async def ask(url: str) -> None:
        async with AsyncClimkit(url, "u", "p", requests_per_second=4) as climkit:
            await asyncio.gather(*(climkit.meters(SITE) for _ in range(3)))

    with server.running() as url:
        asyncio.run(ask(url))

    arrivals = [asked.at for asked in server.asked if asked.path == METERS]
    assert len(arrivals) == 4
    assert max(later - earlier for earlier, later in pairwise(arrivals)) >= 0.99
