"""Tokens: kept, renewed before they end, once for all who wait; refusals are shared too."""

import asyncio
import time
from collections import Counter

import pytest

from commonwatt.client import AsyncClimkit, Climkit, SignInRefused
from tests.client.conftest import FAST
from tests.client.scripted import METERS, SITE, Asked, Reply, Script, ScriptedServer, token


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
    """A life of 1 s less a fifth, at one request in 0.5 s."""
    server = ScriptedServer({"/auth": lambda _: token(life_s=1), METERS: Reply([])})

    with server.running() as url, Climkit(url, "u", "p", requests_per_second=2) as climkit:
        for _ in range(5):
            climkit.meters(SITE)

    signed_in_at = 0.0
    for asked in server.asked:
        if asked.path == "/auth":
            signed_in_at = asked.at
        else:
            assert asked.at - signed_in_at < 1
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


@pytest.mark.parametrize("hours", [-3, 3], ids=["behind", "ahead"])
def test_a_clock_that_is_wrong_costs_nothing(hours: int) -> None:
    """The server's clock tells how long a token lives; ours only how much of it has passed."""
    then = time.time() + 3600 * hours
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(then))
    valid_until = {"$date": int((then + 900) * 1000)}
    reply = Reply({"access_token": "t", "valid_until": valid_until}, headers={"date": date})
    server = ScriptedServer({"/auth": reply, METERS: Reply([])})

    ask(server, times=3)

    assert server.paths() == ["/auth", METERS, METERS, METERS]


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


def test_no_text_shows_the_password_or_the_token() -> None:
    with Climkit("http://127.0.0.1:1", "anna", "secret", attempts=1) as climkit:
        assert "secret" not in repr(climkit)
        assert "anna" in repr(climkit)
        assert not [each for each in vars(climkit).values() if "secret" in repr(each)]
