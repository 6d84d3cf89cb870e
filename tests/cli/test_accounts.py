"""Accounts on the command line: passwords shown once, never in arguments; grants and keys."""

import os
import pty
import select
import subprocess

import httpx2

from tests.cli.command import COMMAND, CommandLine, environment
from tests.cli.conftest import HOUSE

SITE = "61dfc9a0eba4e3564021f36a"
FLAT = "61dfcb4beba4e3563fdf3d9f"


def status_of(client: httpx2.Client, name: str, password: str) -> int:
    credentials = {"username": name, "password": password}
    return client.post("/api/v1/auth", json=credentials).status_code


def test_accounts_and_their_passwords(any_cw: CommandLine) -> None:
    cw = any_cw
    assert cw("apply", cw.write("house.yaml", HOUSE)).code == 0
    made = cw("account", "add", "heidi", "--site", "CH-12", "--history-from", "2026-01-01")
    assert made.lines[0] == "account heidi added (developer)"
    password = made.lines[1].removeprefix("password: ")
    given = cw("account", "add", "peter", "--password-stdin", stdin="secret words\n")
    assert given.lines == ["account peter added (developer)"]
    assert "secret" not in given.out + given.err
    assert cw("account", "add", "heidi").err == ("commonwatt: there is an account heidi already\n")
    listed = cw("account", "list").lines
    assert listed[1].split("  ")[-1].strip() == "CH-12 from 2026-01-01"
    assert password not in "\n".join(listed)
    with cw.serving() as (_, client):
        assert status_of(client, "heidi", password) == 200
        assert status_of(client, "peter", "secret words") == 200
        assert (
            cw("account", "password", "peter", "--password-stdin", stdin="other secret words").code
            == 0
        )
        assert status_of(client, "peter", "secret words") == 401
        assert status_of(client, "peter", "other secret words") == 200
        assert cw("account", "disable", "heidi").out == "account heidi is disabled\n"
        assert status_of(client, "heidi", password) == 401
        assert cw("account", "enable", "heidi").code == 0
        assert status_of(client, "heidi", password) == 200


def test_grants_and_closed_meters(house: CommandLine) -> None:
    house("account", "add", "heidi")
    to_heidi = ("account", "grant", "heidi", "--site", SITE)
    granted = house(*to_heidi, "--closed-meter", "Flat", "--history-from", "2026-01-01")
    told = "CH-12 from 2026-01-01 without Flat (electricity:11)"
    assert granted.out == f"account heidi may see {told}\n"
    assert house(*to_heidi).out == granted.out, "said again it stays as it is"
    assert told in house("account", "list").out
    assert house(*to_heidi, "--all-meters", "--all-history").out == "account heidi may see CH-12\n"
    refused = house(*to_heidi, "--meter", "Flat")
    assert "may read all meters of site CH-12 already" in refused.err
    assert house(*to_heidi, "--all-meters", "--meter", "Flat").code == 2
    assert house(*to_heidi, "--all-history", "--history-from", "2026-01-01").code == 2
    assert house("account", "revoke", "heidi", "--site", "CH-12").code == 0
    assert house("account", "revoke", "heidi", "--site", "CH-12").err == (
        f"commonwatt: account heidi has no grant on site {SITE}\n"
    )
    assert house("account", "grant", "heidi", "--site", "CH-13").code == 1
    assert house("account", "grant", "nobody", "--site", "CH-12").code == 1


def test_an_account_is_changed(house: CommandLine) -> None:
    house("account", "add", "heidi", "--site", "CH-12")
    words = ("--role", "operator", "--habits", "2022", "--rate-limit", "off")
    changed = house("account", "set", "heidi", *words, "--history-from", "2026-01-01")
    assert changed.lines == [
        "account heidi is operator, rate limit off, site list ids, habits 2022",
        "it may see CH-12 from 2026-01-01",
    ]
    listed = house("account", "list").lines[1].split()
    assert listed == [
        "heidi",
        "operator",
        "active",
        "off",
        "ids",
        "2022",
        "0",
        "CH-12",
        "from",
        "2026-01-01",
    ]
    assert house("account", "set", "heidi").code == 1
    assert house("account", "set", "nobody", "--role", "gateway").code == 1


def test_a_password_that_is_given_is_long_enough(house: CommandLine) -> None:
    short = house("account", "add", "heidi", "--password-stdin", stdin="x" * 11)
    assert short.err == (
        "commonwatt: a password has at least 12 characters, and at most 1024 bytes of UTF-8\n"
    )
    assert house("account", "add", "heidi", "--password-stdin", stdin="x" * 12).code == 0
    assert house("account", "password", "heidi", "--password-stdin", stdin="x" * 11).code == 1


def test_keys_are_shown_once_and_revoked_by_id(house: CommandLine) -> None:
    house("account", "add", "box", "--role", "gateway", "--site", "CH-12", "--rate-limit", "off")
    key = house("account", "key", "new", "box", "--label", "cellar").out.split()[1]
    key_id = house("account", "key", "list", "box").lines[1].split()[0]
    body = [{"meter": FLAT, "timestamp": "2026-01-01T00:00:00Z", "en_im": 1.5}]
    with house.serving() as (_, client):
        client.headers["Authorization"] = f"Bearer {key}"
        path = f"/commonwatt/v1/sites/{SITE}/readings"
        assert client.put(path, json=body).raise_for_status().json()["accepted"] == 1
        assert house("account", "key", "revoke", "box", key_id).code == 0
        assert client.put(path, json=body).status_code == 401
    assert key not in house("account", "key", "list", "box").out
    assert house("account", "key", "list", "nobody").code == 1


def test_on_a_terminal_the_password_is_asked_for_unseen(house: CommandLine) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "account", "add", "heidi", *house.store],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(),
        start_new_session=True,
    )
    os.close(follower)
    seen = _until(leader, b"one up): ")
    os.write(leader, b"s3cret phrase\n")
    seen += _until(leader, b"confirmation: ")
    os.write(leader, b"s3cret phrase\n")
    seen += _until(leader, b"added")
    assert process.wait(timeout=30) == 0
    os.close(leader)
    assert b"s3cret phrase" not in seen
    with house.serving() as (_, client):
        assert status_of(client, "heidi", "s3cret phrase") == 200


def _until(terminal: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 1024)
    return seen
