"""`commonwatt login`: tried, kept, and never shown."""

import os
import pty
import subprocess

import pytest

from tests.api.conftest import PASSWORD
from tests.cli.climkit.conftest import Asking
from tests.cli.command import COMMAND, environment, run


def test_what_the_server_accepts_is_kept_for_the_other_commands(asking: Asking) -> None:
    asking.keyring.write_text("{}")
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin")

    ended = asking.as_nobody(*words, stdin=f"{PASSWORD}\n")

    assert (ended.code, ended.err) == (0, "")
    base = f"{asking.address}/api/v1"
    assert ended.lines == [f"reader signs in at {base}; sites: 1", "kept in the keyring"]
    assert PASSWORD in asking.keyring.read_text()
    listed = asking.as_nobody("sites", "--url", asking.address)
    assert (listed.code, listed.err) == (0, "")
    assert "CH-0012" in listed.out


def test_quietly(asking: Asking) -> None:
    asking.keyring.write_text("{}")
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin", "-q")
    ended = asking.as_nobody(*words, stdin=PASSWORD)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_what_the_server_refuses_is_not_kept(asking: Asking) -> None:
    asking.keyring.write_text("{}")
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin")

    ended = asking.as_nobody(*words, stdin="wrong horse\n")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"commonwatt: {asking.address}/api/v1 does not accept reader")
    assert ended.err.count("\n") == 1
    assert "wrong horse" not in ended.err
    assert asking.keyring.read_text() == "{}"


def test_a_keyring_that_refuses_is_told_with_another_way(asking: Asking) -> None:
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin")

    ended = asking.as_nobody(*words, stdin=PASSWORD)

    assert ended.code == 1
    assert ended.lines == [f"reader signs in at {asking.address}/api/v1; sites: 1"]
    assert "the keyring refuses (it is locked): set CLIMKIT_USERNAME" in ended.err
    assert PASSWORD not in ended.err


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("keyring.backends.null.Keyring", "it keeps nothing"),
        ("no.such.Keyring", "No module named 'no'"),
        ("keyring.backends.null.NoSuch", "has no attribute 'NoSuch'"),
        ("tests.cli.climkit.file_keyring.Unsuited", "it lacks a library"),
    ],
)
def test_a_keyring_that_keeps_nothing_is_told(asking: Asking, backend: str, reason: str) -> None:
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin")
    chosen = {**asking.nobody, "PYTHON_KEYRING_BACKEND": backend}

    ended = run(*words, folder=asking.folder, stdin=PASSWORD, more=chosen)

    assert ended.code == 1
    assert ended.lines == [f"reader signs in at {asking.address}/api/v1; sites: 1"]
    assert "the keyring refuses (" in ended.err
    assert f"{reason}): set CLIMKIT_USERNAME" in ended.err


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("no.such.Keyring", "No module named 'no'"),
        ("keyring.backends.null.NoSuch", "has no attribute 'NoSuch'"),
        ("tests.cli.climkit.file_keyring.Unsuited", "it lacks a library"),
    ],
)
def test_a_chosen_keyring_that_cannot_be_used_is_told(
    asking: Asking, backend: str, reason: str
) -> None:
    chosen = {**asking.nobody, "PYTHON_KEYRING_BACKEND": backend}

    ended = run("sites", "--url", asking.address, folder=asking.folder, more=chosen)

    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "the keyring cannot be used: " in ended.err
    assert reason in ended.err


@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape"])
def test_a_password_in_another_encoding_is_told(asking: Asking, encoding: str) -> None:
    words = (*COMMAND, "login", "--url", asking.address, "--username", "reader", "--password-stdin")

    ended = subprocess.run(
        words,
        input=b"secr\xe9t",
        capture_output=True,
        env=environment(**asking.nobody, PYTHONIOENCODING=encoding),
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr.count(b"\n")) == (1, b"", 1)
    assert b"UTF-8" in ended.stderr
    assert b"secr" not in ended.stderr


def test_the_password_is_typed_without_echo(asking: Asking) -> None:
    asking.keyring.write_text("{}")
    terminal, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "login", "--url", asking.address, "--username", "reader"],
        cwd=asking.folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**asking.nobody),
        start_new_session=True,  # no terminal of the tests' own
        text=True,
    ) as process:
        assert process.stderr is not None
        prompt = "Password of reader: "
        assert process.stderr.read(len(prompt)) == prompt
        os.write(terminal, f"{PASSWORD}\n".encode())
        out, err = process.communicate(timeout=60)
    os.write(theirs, b"end")
    echoed = os.read(terminal, 1000).decode()
    os.close(terminal)
    os.close(theirs)
    assert (process.returncode, PASSWORD in out + err + echoed) == (0, False), err
    assert PASSWORD in asking.keyring.read_text()


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("login",), "--username NAME"),
        (("login", "--username", "reader"), "--password-stdin"),
        (("sites",), "commonwatt login"),
    ],
)
def test_without_a_terminal_it_says_what_is_missing(
    asking: Asking, words: tuple[str, ...], missing: str
) -> None:
    ended = asking.as_nobody(*words, "--url", asking.address)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert missing in ended.err


def test_the_log_tells_requests_and_no_password(asking: Asking) -> None:
    asking.keyring.write_text("{}")
    words = ("login", "--url", asking.address, "--username", "reader", "--password-stdin", "-v")

    ended = asking.as_nobody(*words, stdin=PASSWORD)

    assert [line.split()[2] for line in ended.err.splitlines()] == ["POST", "GET"]
    assert PASSWORD not in ended.out + ended.err


def test_a_password_is_no_option(asking: Asking) -> None:
    ended = asking.as_nobody("login", "--password", PASSWORD)
    assert ended.code == 2
    assert "No such option" in ended.err
