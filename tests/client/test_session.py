"""Tokens: kept, renewed before they end, once for all who wait; refusals are shared too."""

import asyncio
import json
import re
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from commonwatt.client import (
    AsyncClimkit,
    Climkit,
    ClimkitError,
    NotFound,
    SignInRefused,
    SurprisingAnswer,
)
from commonwatt.client.wire.wire import Request
from tests.client.conftest import FAST
from tests.client.fault_proxy import FaultProxy
from tests.client.scripted import (
    INFOS,
    METER,
    METER_DATA,
    METERS,
    SITE,
    Asked,
    Reply,
    Script,
    ScriptedServer,
    token,
)


def ask(server: ScriptedServer, times: int) -> None:
    """Ask for meters, one time after another."""
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        for _ in range(times):
            climkit.meters(SITE)


def test_a_token_is_kept() -> None:
    server = ScriptedServer({"/auth": token(name="one"), METERS: Reply([])})

    ask(server, times=3)

    assert server.paths() == ["/auth", METERS, METERS, METERS]
    assert {asked.authorization for asked in server.asked[1:]} == {"Bearer one"}
    assert server.asked[0].fields == {"username": "u", "password": "p"}
    assert server.asked[0].authorization == ""


def test_a_token_is_renewed_before_it_ends() -> None:
    """A life of 2 s, by a clock that shows whole seconds, less a fifth."""
    server = ScriptedServer({"/auth": lambda _: token(life_s=2), METERS: Reply([])})

    with server.running() as url, Climkit(url, "u", "p", requests_per_second=3) as climkit:
        for _ in range(8):
            climkit.meters(SITE)

    signed_in_at = 0.0
    for asked in server.asked:
        if asked.path == "/auth":
            signed_in_at = asked.at
        else:
            assert asked.at - signed_in_at < 3
    assert server.count("/auth") >= 2


def test_a_token_that_the_server_refuses_is_renewed_at_once() -> None:
    server = ScriptedServer(
        {
            "/auth": [token(name="one"), token(name="two")],
            METERS: [Reply([]), Reply({}, 401), Reply([])],
        }
    )

    ask(server, times=3)

    assert server.paths() == ["/auth", METERS, METERS, "/auth", METERS, METERS]
    assert [asked.authorization[-3:] for asked in server.asked if asked.path == METERS] == [
        "one",
        "one",
        "two",
        "two",
    ]


def test_many_whose_token_is_refused_renew_it_once() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply([]) if asked.authorization == "Bearer two" else Reply({}, 401)

    server = ScriptedServer({"/auth": [token(name="one"), token(name="two")], METERS: answer})

    async def ask_all(url: str) -> None:
        async with AsyncClimkit(url, "u", "p", requests_per_second=FAST) as climkit:
            await asyncio.gather(*(climkit.meters(SITE) for _ in range(200)))

    with server.running() as url:
        asyncio.run(ask_all(url))

    assert server.count("/auth") == 2


def asked_through_a_wrong_clock(hours: int, life_s: float, pace: float) -> ScriptedServer:
    """Ask eight times, so many a second, of a server whose clock is so many hours ahead."""

    def signed_in(_: Asked) -> Reply:
        return token(life_s + 3600 * hours)

    def date(client: socket.socket, answer: bytes) -> bool:
        then = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        client.sendall(re.sub(rb"(?i)\r\ndate: [^\r]*", f"\r\ndate: {then}".encode(), answer))
        return True

    server = ScriptedServer({"/auth": signed_in, METERS: Reply([])})
    with (
        server.running() as upstream,
        FaultProxy(upstream, [date] * 99).running() as url,
        Climkit(url, "u", "p", requests_per_second=pace) as climkit,
    ):
        for _ in range(8):
            climkit.meters(SITE)
    return server


@pytest.mark.parametrize("hours", [-3, 0, 3], ids=["behind", "right", "ahead"])
def test_a_clock_that_is_wrong_costs_nothing(hours: int) -> None:
    """The server's clock tells how long a token lives; ours only how much of it has passed."""
    assert asked_through_a_wrong_clock(hours, life_s=900, pace=FAST).count("/auth") == 1


@pytest.mark.parametrize("hours", [0, 3], ids=["right", "ahead"])
def test_a_clock_that_is_wrong_makes_no_token_old(hours: int) -> None:
    assert asked_through_a_wrong_clock(hours, life_s=2, pace=3).count("/auth") >= 2


@pytest.mark.parametrize("valid_until", [None, "soon", {"$date": 0}, {"$date": None}, {}], ids=str)
def test_an_end_that_says_nothing_is_the_usual_one(valid_until: object) -> None:
    reply = Reply({"access_token": "t", "valid_until": valid_until})
    server = ScriptedServer({"/auth": reply, METERS: Reply([])})

    ask(server, times=2)

    assert server.count("/auth") == 1


def refused(script: Script, count: int) -> Counter[str]:
    """Ask for meters so many times at once; all are refused. What the server was asked."""
    server = ScriptedServer({"/auth": script, METERS: Reply([])})

    async def ask_all(url: str) -> list[object]:
        async with AsyncClimkit(url, "u", "p", requests_per_second=FAST) as climkit:
            calls = (climkit.meters(SITE) for _ in range(count))
            return list(await asyncio.gather(*calls, return_exceptions=True))

    with server.running() as url:
        outcomes = asyncio.run(ask_all(url))

    assert {type(outcome) for outcome in outcomes} == {SignInRefused}
    return Counter(server.paths())


def test_a_refusal_is_told_to_all_who_wait() -> None:
    assert refused(Reply({"detail": "wrong password"}, 401), count=200) == {"/auth": 1}


def test_after_a_refusal_whoever_asks_again_is_signed_in_again() -> None:
    server = ScriptedServer({"/auth": [Reply({}, 401), token()], METERS: Reply([])})

    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        with pytest.raises(SignInRefused):
            climkit.meters(SITE)
        assert climkit.meters(SITE) == []


def test_a_sign_in_that_is_given_up_tells_nobody_of_an_older_refusal() -> None:
    first_asked, may_answer = threading.Event(), threading.Event()
    replies = [Reply({"detail": "an older one"}, 401), token(), token()]

    def signed_in(_: Asked) -> Reply:
        if len(replies) == 2:
            first_asked.set()
            may_answer.wait()
        return replies.pop(0)

    async def ask_all(url: str) -> object:
        async with AsyncClimkit(url, "u", "p", requests_per_second=FAST) as climkit:
            with pytest.raises(SignInRefused):
                await climkit.meters(SITE)
            signing_in = asyncio.create_task(climkit.meters(SITE))
            await asyncio.to_thread(first_asked.wait)
            waiting = asyncio.create_task(climkit.meters(SITE))
            await asyncio.sleep(0)
            signing_in.cancel()
            await asyncio.wait([signing_in])
            may_answer.set()
            return await waiting

    with ScriptedServer({"/auth": signed_in, METERS: Reply([])}).running() as url:
        assert asyncio.run(ask_all(url)) == []


def test_whoever_waits_for_a_refusal_gets_one_with_a_trace_of_its_own() -> None:
    async def ask_all(url: str) -> list[BaseException]:
        async with AsyncClimkit(url, "u", "p", requests_per_second=FAST) as climkit:
            calls = (climkit.meters(SITE) for _ in range(50))
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            return [outcome for outcome in outcomes if isinstance(outcome, BaseException)]

    with ScriptedServer({"/auth": Reply({"detail": "wrong"}, 401)}).running() as url:
        refusals = asyncio.run(ask_all(url))

    assert len(set(map(id, refusals))) == 50
    assert {str(refusal) for refusal in refusals} == {"POST /auth: wrong"}


def test_403_of_a_sign_in_is_a_refusal() -> None:
    server = ScriptedServer({"/auth": Reply({"detail": "disabled"}, 403)})

    with pytest.raises(SignInRefused, match="disabled"):
        ask(server, times=1)


def test_an_address_where_nobody_signs_in_is_named() -> None:
    server = ScriptedServer({"/auth": Reply({"detail": "Not Found"}, 404)})

    with pytest.raises(NotFound, match=r"is http://127\.0\.0\.1:\d+/api/v1 the address"):
        ask(server, times=1)


@pytest.mark.parametrize("access_token", ["", " ", "two words", "line\n", "Zürich", "€", None, 5])
def test_a_token_that_no_header_can_bear_is_a_surprise(access_token: object) -> None:
    server = ScriptedServer({"/auth": Reply({"access_token": access_token}), METERS: Reply([])})

    with pytest.raises(SurprisingAnswer, match="an access_token should have come"):
        ask(server, times=1)

    assert server.paths() == ["/auth"]


def echo(status: int = 200) -> Script:
    """Sends back what it was sent, in a place that may be shown."""
    return lambda asked: Reply({"detail": json.dumps(asked.fields)}, status)


@pytest.mark.parametrize(
    "script",
    [
        echo(),
        echo(400),
        echo(401),
        echo(404),
        echo(500),
        Reply({"token": "secret.secret.secret.secret.secret"}),
        Reply(body=b'{"access_token": "secret.secret.secret.secret.secr'),
        Reply(body=b'<p>You are anna, your password is top s"\xc3\xa9cret</p>'),
    ],
)
def test_no_answer_to_a_sign_in_is_shown_with_what_is_secret(script: Script) -> None:
    with (
        ScriptedServer({"/auth": script}).running() as url,
        Climkit(url, "anna", 'top s"écret', attempts=1) as climkit,
        pytest.raises(ClimkitError) as caught,
    ):
        climkit.meters(SITE)

    shown = f"{caught.value!s} {vars(caught.value)}"
    assert "cret" not in shown


@pytest.mark.parametrize("path", ["/auth", METERS])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_password_or_token_elsewhere(path: str, status: int) -> None:
    elsewhere = ScriptedServer({})
    with elsewhere.running() as other:
        moved = Reply(status=status, body=b"", headers={"location": f"{other}/api/v1{path}"})
        with pytest.raises(SurprisingAnswer, match=other):
            ask(ScriptedServer({path: moved}), times=1)

    assert elsewhere.asked == []


def test_no_id_of_a_list_takes_the_token_elsewhere() -> None:
    elsewhere = ScriptedServer({})
    with elsewhere.running() as other:
        host = other.removeprefix("http://")
        ids = [f"//{host}", other, f"@{host}", f"\\\\{host}", f"../../../{host}"]
        server = ScriptedServer({"/all_installations": Reply(ids)})
        with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
            for site in climkit.sites():
                for question in (climkit.meters, climkit.sensors, climkit.site):
                    with pytest.raises(NotFound):
                        question(site)

    assert elsewhere.asked == []
    assert len(server.asked) == 2 + 3 * len(ids)


def test_a_password_that_is_a_word_is_not_told_by_a_hole_in_a_sentence() -> None:
    refusal = Reply({"detail": "the password is wrong"}, 401)
    with (
        ScriptedServer({"/auth": refusal}).running() as url,
        Climkit(url, "anna", "wrong") as climkit,
        pytest.raises(SignInRefused, match="the password is wrong"),
    ):
        climkit.meters(SITE)


def test_no_text_shows_the_password_or_the_token() -> None:
    with Climkit("http://127.0.0.1:1", "anna", "secret", attempts=1) as climkit:
        assert "secret" not in repr(climkit)
        assert "anna" in repr(climkit)
        assert not [each for each in vars(climkit).values() if "secret" in repr(each)]
    assert "secret" not in repr(Request("POST", "/auth", None, body={"password": "secret"}))


def test_the_zone_of_a_site_and_the_types_of_its_meters_are_asked_for_once() -> None:
    server = ScriptedServer({METER_DATA: Reply([])})

    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        for _ in range(3):
            climkit.meter_data(SITE, METER, "2026-03-22T04:00", "2026-03-22T05:00")

    assert server.paths() == ["/auth", INFOS, METERS, METER_DATA, METER_DATA, METER_DATA]
