"""Connections that break and answers that are none: which exception, after how many attempts."""

import asyncio
import pickle
import re
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import formatdate

import pytest

from commonwatt.client import (
    AsyncClimkit,
    BadRequest,
    Climkit,
    ClimkitError,
    NoCredentials,
    NotFound,
    Received,
    SignInRefused,
    SurprisingAnswer,
    TooManyRequests,
    Unreachable,
)
from tests.api import building
from tests.api.conftest import PASSWORD
from tests.client import fault_proxy
from tests.client.conftest import FAST
from tests.client.fault_proxy import Fault, FaultProxy
from tests.client.scripted import METERS, SITE, Asked, Reply, ScriptedServer, token

GOOD = Reply([])
SILENCE_S = 2.0
"""How long a client waits for a silent server: longer than a busy machine takes to sign it in."""
PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
HTML = {"content-type": "text/html"}


def meters_of(server: ScriptedServer, attempts: int = 3) -> object:
    """Ask for the meters of a site, once."""
    with (
        server.running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST, attempts=attempts) as climkit,
    ):
        return climkit.meters(SITE)


@pytest.mark.parametrize(
    "fault",
    [
        fault_proxy.reset,
        fault_proxy.drop,
        fault_proxy.cut,
        fault_proxy.gibberish,
        fault_proxy.stall,
    ],
)
def test_a_broken_connection_is_tried_again(address: str, fault: Fault) -> None:
    proxy = FaultProxy(address, [None, fault, fault])

    with (
        proxy.running() as url,
        Climkit(url, "reader", PASSWORD, requests_per_second=FAST, timeout=SILENCE_S) as climkit,
    ):
        assert len(climkit.meters(building.SITE)) == len(building.METERS)

    assert proxy.connections == 3


@pytest.mark.parametrize(
    "fault",
    [
        fault_proxy.reset,
        fault_proxy.drop,
        fault_proxy.cut,
        fault_proxy.gibberish,
        fault_proxy.stall,
    ],
)
def test_a_connection_that_goes_on_breaking_is_unreachable(address: str, fault: Fault) -> None:
    proxy = FaultProxy(address, [None, *[fault] * 9])

    with (
        proxy.running() as url,
        Climkit(
            url, "reader", PASSWORD, requests_per_second=FAST, timeout=SILENCE_S, attempts=2
        ) as climkit,
        pytest.raises(Unreachable, match="cannot be reached"),
    ):
        climkit.meters(building.SITE)

    assert proxy.connections == 2


def test_tasks_try_again_too(address: str) -> None:
    proxy = FaultProxy(address, [fault_proxy.drop, None, fault_proxy.cut])

    async def ask(url: str) -> int:
        async with AsyncClimkit(url, "reader", PASSWORD, requests_per_second=FAST) as climkit:
            return len(await climkit.meters(building.SITE))

    with proxy.running() as url:
        assert asyncio.run(ask(url)) == len(building.METERS)


def test_a_slow_answer_is_waited_for(address: str) -> None:
    proxy = FaultProxy(address, [fault_proxy.drip])

    with proxy.running() as url, Climkit(url, "reader", PASSWORD, timeout=SILENCE_S) as climkit:
        assert len(climkit.sites()) == 1


def test_an_answer_that_does_not_end_is_not_waited_for_forever() -> None:
    long = Reply([{"id": "x" * 24}] * 50)
    with ScriptedServer({METERS: long}).running() as upstream:
        proxy = FaultProxy(upstream, [None, fault_proxy.drip])
        with (
            proxy.running() as url,
            Climkit(url, "u", "p", timeout=0.25, attempts=1) as climkit,
            pytest.raises(Unreachable, match="does not come to its end"),
        ):
            climkit.meters(SITE)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with FaultProxy("http://127.0.0.1:1", []).running() as url:
        pass

    with Climkit(url, "u", "p") as climkit, pytest.raises(Unreachable, match="cannot be reached"):
        climkit.sites()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_tried_again(status: int) -> None:
    page = Reply(status=status, body=PROXY_PAGE, headers=HTML)
    server = ScriptedServer({METERS: [page, page, GOOD]})

    assert meters_of(server) == []

    assert server.paths() == ["/auth", METERS, METERS, METERS]


def test_a_server_that_goes_on_failing_is_unreachable() -> None:
    server = ScriptedServer({METERS: Reply(status=502, body=PROXY_PAGE, headers=HTML)})

    with pytest.raises(Unreachable, match="bad gateway"):
        meters_of(server)

    assert server.count(METERS) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, SignInRefused),
        (403, NotFound),
        (404, NotFound),
        (409, BadRequest),
        (418, BadRequest),
        (422, BadRequest),
    ],
)
def test_other_refusals_are_not_tried_again(status: int, error: type[ClimkitError]) -> None:
    problem = {"title": "No", "detail": "because", "status": status}
    server = ScriptedServer({METERS: Reply(problem, status)})

    with pytest.raises(error, match="because") as caught:
        meters_of(server)

    assert type(caught.value) is error
    assert server.count(METERS) == (2 if status == 401 else 1)
    if isinstance(caught.value, BadRequest):
        assert (caught.value.status, caught.value.problem) == (status, problem)


@pytest.mark.parametrize(
    "body",
    [b'{"msg": "Missing data"', b"[]", b"", PROXY_PAGE, b"\xff\xfe"],
    ids=["cut", "list", "empty", "page", "bytes"],
)
def test_a_refusal_without_a_problem_document_has_none(body: bytes) -> None:
    server = ScriptedServer({METERS: Reply(status=400, body=body)})

    with pytest.raises(BadRequest, match="bad request") as caught:
        meters_of(server)

    assert caught.value.problem == {}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=PROXY_PAGE, headers=HTML),
        Reply(body=b'[{"id": "61dfcb4b'),
        Reply(body=b""),
        Reply({"status_code": 401, "error": "Unauthorized", "description": "expired"}),
        Reply({"error": "too many requests"}),
        Reply(status=204, body=b""),
        Reply(status=302, headers={"location": "https://elsewhere.example/"}),
        Reply(body=b"no gzip", headers={"content-encoding": "gzip"}),
    ],
    ids=["HTML", "cut JSON", "empty", "flask error", "error", "204", "redirect", "no gzip"],
)
def test_a_surprise_is_shown_and_not_tried_again(reply: Reply) -> None:
    server = ScriptedServer({METERS: reply})

    with pytest.raises(SurprisingAnswer) as caught:
        meters_of(server)

    assert server.count(METERS) == 1
    received = caught.value.received
    if "content-encoding" not in reply.headers:
        assert (received.status, received.beginning) == (reply.status, reply.bytes)


def test_what_cannot_be_unpacked_is_shown_with_its_head() -> None:
    broken = Reply(body=b"no gzip", headers={"content-encoding": "gzip"})

    with pytest.raises(SurprisingAnswer, match="cannot be unpacked") as caught:
        meters_of(ScriptedServer({METERS: broken}))

    assert (caught.value.received.status, caught.value.received.content_type) == (
        200,
        "application/json",
    )


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (502, Unreachable)])
def test_a_refusal_that_cannot_be_unpacked_is_a_refusal(
    status: int, error: type[ClimkitError]
) -> None:
    broken = Reply(status=status, body=b"no gzip", headers={"content-encoding": "gzip"})

    with pytest.raises(error):
        meters_of(ScriptedServer({METERS: broken}))


@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_unpacks_to_more_than_any_is_not_kept(status: int) -> None:
    packing = zlib.compressobj(level=1, wbits=31)
    blank = b" " * 2**20
    packed = b"".join(packing.compress(blank) for _ in range(257)) + packing.flush()
    bomb = Reply(status=status, body=packed, headers={"content-encoding": "gzip"})
    server = ScriptedServer({METERS: bomb})

    with pytest.raises(SurprisingAnswer, match="no answer of this API is longer than 256 MiB"):
        meters_of(server)

    assert server.count(METERS) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "socksio"),
        ("HTTP_PROXY", "ftp://127.0.0.1:1", "scheme"),
        ("HTTP_PROXY", "http://[::1", "[Ii]nvalid"),
        ("SSL_CERT_FILE", "/there/is/none.pem", "No such file"),
    ],
)
@pytest.mark.parametrize("kind", [Climkit, AsyncClimkit])
def test_an_environment_without_a_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Climkit | AsyncClimkit],
    name: str,
    value: str,
    reason: str,
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Unreachable, match=rf"{name}.*{reason}"):
        kind("http://127.0.0.1:1", "u", "p")


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ScriptedServer({METERS: GOOD})
    with server.running() as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        with Climkit("http://far.example", "u", "p", requests_per_second=FAST) as climkit:
            assert climkit.meters(SITE) == []

    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attempts": 0}, "attempts must be 1 or more"),
        ({"timeout": 0.0}, "timeout must be above 0"),
        ({"timeout": -1.0}, "timeout must be above 0"),
        ({"requests_per_second": 0.0}, "requests_per_second must be above 0"),
    ],
)
@pytest.mark.parametrize("kind", [Climkit, AsyncClimkit])
def test_what_would_never_end_is_told_at_once(
    kind: Callable[..., Climkit | AsyncClimkit], arguments: Mapping[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind("http://127.0.0.1:1", "u", "p", **arguments)


def test_a_client_of_another_event_loop_says_so() -> None:
    with (
        ScriptedServer({METERS: GOOD}).running() as url,
        asyncio.Runner() as its_own,
        asyncio.Runner() as another,
    ):
        climkit = AsyncClimkit(url, "u", "p", requests_per_second=FAST)
        assert its_own.run(climkit.meters(SITE)) == []
        for question in (climkit.meters(SITE), climkit.meters(SITE), climkit.aclose()):
            with pytest.raises(RuntimeError, match="first used in another event loop"):
                another.run(question)
        its_own.run(climkit.aclose())


def test_retry_after_is_waited_for() -> None:
    busy = Reply({"detail": "slow down"}, 429, headers={"retry-after": "1"})
    server = ScriptedServer({METERS: [busy, GOOD]})

    assert meters_of(server) == []

    refused, answered = [asked.at for asked in server.asked if asked.path == METERS]
    assert answered - refused >= 1


def test_retry_after_may_be_a_date() -> None:
    then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    busy = Reply(status=503, body=b"", headers={"retry-after": then})
    server = ScriptedServer({METERS: [busy, GOOD]})

    assert meters_of(server) == []

    refused, answered = [asked.at for asked in server.asked if asked.path == METERS]
    assert answered - refused >= 0.9


@pytest.mark.parametrize("hours", [-3, 3], ids=["behind", "ahead"])
def test_a_date_of_retry_after_is_meant_by_the_clock_of_the_server(hours: int) -> None:
    def date(after_s: float) -> str:
        return formatdate(time.time() + 3600 * hours + after_s, usegmt=True)

    def by_another_clock(client: socket.socket, answer: bytes) -> bool:
        client.sendall(re.sub(rb"(?i)\r\ndate: [^\r]*", f"\r\ndate: {date(0)}".encode(), answer))
        return True

    def busy(_: Asked) -> Reply:
        return Reply({}, 429, headers={"retry-after": date(2)}) if first.pop() else GOOD

    first = [False, True]
    server = ScriptedServer({METERS: busy})
    with (
        server.running() as upstream,
        FaultProxy(upstream, [by_another_clock] * 9).running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
    ):
        assert climkit.meters(SITE) == []

    refused, answered = [asked.at for asked in server.asked if asked.path == METERS]
    assert answered - refused >= 0.9


@pytest.mark.parametrize(
    "text", ["-5", "1.5", "1e3", "inf", "soon", "Sat, 21 Nov 99999 10:00:00 GMT", "\xb2"]
)
def test_a_retry_after_that_says_nothing_costs_nothing(text: str) -> None:
    busy = Reply({}, 429, headers={"retry-after": text})
    server = ScriptedServer({METERS: [busy, GOOD]})

    assert meters_of(server) == []


def test_where_a_redirect_points_is_told() -> None:
    moved = Reply(status=301, body=b"", headers={"location": "https://elsewhere.example/"})

    with pytest.raises(SurprisingAnswer, match="points to https://elsewhere"):
        meters_of(ScriptedServer({METERS: moved}))


@pytest.mark.parametrize(
    "error",
    [
        SignInRefused("no"),
        NoCredentials("nobody"),
        NotFound("nothing"),
        TooManyRequests("later", 5.0),
        BadRequest("what", 422, {"title": "What"}),
        Unreachable("nowhere", None),
        SurprisingAnswer("this", Received(200, "text/html", b"<p>")),
    ],
)
def test_an_error_can_be_sent_from_one_process_to_another(error: ClimkitError) -> None:
    again = pickle.loads(pickle.dumps(error))  # our own

    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_too_many_requests_again_and_again_is_told() -> None:
    server = ScriptedServer({METERS: Reply({"detail": "slow down"}, 429)})

    with pytest.raises(TooManyRequests, match="slow down") as caught:
        meters_of(server)

    assert (server.count(METERS), caught.value.retry_after_s) == (3, None)


def test_nobody_waits_for_an_hour() -> None:
    busy = Reply(status=429, body=b"", headers={"retry-after": "3600"})
    server = ScriptedServer({METERS: busy})

    with pytest.raises(TooManyRequests) as caught:
        meters_of(server)

    assert (server.count(METERS), caught.value.retry_after_s) == (1, 3600)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply({"detail": "wrong password"}, 401), SignInRefused),
        (Reply({"detail": "no body"}, 422), BadRequest),
        (Reply(body=PROXY_PAGE, headers=HTML), SurprisingAnswer),
        (Reply({"token": "x"}), SurprisingAnswer),
        (Reply([]), SurprisingAnswer),
    ],
    ids=["wrong", "not understood", "HTML", "no token", "list"],
)
def test_signing_in_can_fail(reply: Reply, error: type[ClimkitError]) -> None:
    server = ScriptedServer({"/auth": reply})

    with pytest.raises(error):
        meters_of(server)

    assert server.paths() == ["/auth"]


def test_signing_in_is_tried_again_where_it_may_help() -> None:
    server = ScriptedServer(
        {"/auth": [Reply(status=502, body=b""), Reply({}, 429), token()], METERS: GOOD}
    )

    assert meters_of(server) == []

    assert server.paths() == ["/auth", "/auth", "/auth", METERS]
