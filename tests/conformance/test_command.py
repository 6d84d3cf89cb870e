"""The command: reports, exit codes, and what it never shows."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from commonwatt.conformance.run import CHECKS
from tests.api.conftest import PASSWORD
from tests.cli.command import COMMAND, Ended, environment, run
from tests.conformance.conftest import Server, serving
from tests.conformance.faults import on_rows, without

SECRETS = {"CLIMKIT_PASSWORD": PASSWORD}
UNIT = on_rows("sensors_list", without("unit"))


@pytest.fixture(scope="module")
def whole_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the building without data at the time of the command, which nobody can give another."""
    with serving(tmp_path_factory.mktemp("command"), time.time) as server:
        yield server


def conformance(server: Server, folder: Path, *words: str) -> Ended:
    """Run the command as the account that reads."""
    who = ("--url", server.address, "--username", "reader", "--fast")
    return run("conformance", *who, *words, folder=folder, more=SECRETS)


def test_a_server_that_holds_is_0(server: Server, tmp_path: Path) -> None:
    ended = conformance(server, tmp_path, "--only", "sensors_list", "--only", "auth.")

    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].split()[:2] == ["held", "auth.answer"]
    assert lines[-1].startswith("8 held, 0 failed, 0 known habits, 1 not checked: http://127.0.0.1")
    assert "auth.expiry" in lines[-2]
    assert "--wait-for-expiry" in lines[-2]


def test_a_check_that_fails_is_1_and_shows_what_came(server: Server, tmp_path: Path) -> None:
    server.breakable.fault = UNIT

    ended = conformance(server, tmp_path, "--only", "sensors_list")

    assert ended.code == 1
    assert "FAILED       sensors_list.keys" in ended.out
    for word in ("clause", "expected", "sent      GET /", 'came      200 [{"id": "61dfcb4b'):
        assert f"\n    {word}" in ended.out
    assert "2 held, 1 failed" in ended.out


def test_neither_password_nor_token_is_shown(server: Server, tmp_path: Path) -> None:
    ended = conformance(server, tmp_path, "--only", "auth", "--only", "token", "--json", "-")

    assert ended.code == 0
    assert json.loads(ended.out)["counts"]["held"] == 13
    assert PASSWORD not in ended.out + ended.err
    # The head of every token that the server makes.
    assert "eyJ" not in ended.out + ended.err


def test_json_tells_what_was_sent_and_what_came(server: Server, tmp_path: Path) -> None:
    server.breakable.fault = UNIT

    ended = conformance(server, tmp_path, "--only", "sensors_list", "--json", "report.json")

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert ended.code == 1
    assert report["url"] == f"{server.address}/api/v1"
    assert report["counts"] == {"held": 2, "failed": 1, "habit": 0, "not checked": 0}
    (failed,) = (each for each in report["checks"] if each["outcome"] == "failed")
    assert failed["id"] == "sensors_list.keys"
    assert failed["seen"] == "a sensor: no unit"
    assert failed["sent"] == [f"GET /{report['site']}/sensors_list"]
    assert failed["came"][0].startswith("200 [")
    assert set(failed) == {"id", "clause", "expected", "outcome", "habit", "seen", "sent", "came"}


def test_junit_is_what_build_servers_read(server: Server, tmp_path: Path) -> None:
    server.breakable.fault = UNIT

    ended = conformance(
        server, tmp_path, "--only", "sensors_list", "--only", "limit", "--junit", "report.xml"
    )

    suite = ET.parse(tmp_path / "report.xml").getroot()
    assert ended.code == 1
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 10, "failures": 1, "errors": 0, "skipped": 7}
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"] == "a sensor: no unit"
    assert "sent: GET /" in (failure.text or "")
    cases = [f"{case.attrib['classname']}.{case.attrib['name']}" for case in suite.iter("testcase")]
    assert cases == [check.id for check in CHECKS if check.id.startswith(("sensors_list", "limit"))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "nonsense"), "no check's id begins with 'nonsense'"),
        (("--junit", "nowhere/report.xml"), "no file in a folder that is there"),
        (("--junit", "-"), "only --json can go to stdout"),
        (("--url", "climkit"), "no address"),
        (("--url", "http://☃.example"), "no address"),
        (("--url", "http://127.0.0.1:1"), "no answer"),
        (("--password", PASSWORD), "--password"),
    ],
)
def test_wrong_usage_and_no_server_are_2_and_one_line(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    where = ("--url", "http://127.0.0.1:1", "--username", "reader")

    ended = run("conformance", *where, *words, folder=tmp_path, more=SECRETS)

    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1, ended.err
    assert said in ended.err
    assert PASSWORD not in ended.err or "--password" in words


def test_a_wrong_password_is_2(server: Server, tmp_path: Path) -> None:
    wrong = {"CLIMKIT_PASSWORD": "wrong"}
    who = ("--url", server.address, "--username", "reader")

    ended = run("conformance", *who, folder=tmp_path, more=wrong)

    assert ended.code == 2
    assert "the sign-in of reader was refused: 401" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_without_a_password_and_a_terminal_it_says_where_to_put_one(tmp_path: Path) -> None:
    who = ("--url", "http://127.0.0.1:1", "--username", "reader")

    ended = run("conformance", *who, folder=tmp_path, more={"CLIMKIT_PASSWORD": ""})

    assert ended.code == 2
    assert "CLIMKIT_PASSWORD" in ended.err


def test_on_a_terminal_it_asks_for_the_password(server: Server, tmp_path: Path) -> None:
    mine, theirs = pty.openpty()
    who = ("--url", server.address, "--username", "reader", "--only", "auth.answer")
    process = subprocess.Popen(
        [*COMMAND, "conformance", *who],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(CLIMKIT_PASSWORD=""),
        start_new_session=True,
    )
    os.close(theirs)
    assert process.stderr is not None
    asked = b""
    while not asked.endswith(b": ") and process.poll() is None:
        asked += os.read(process.stderr.fileno(), 1000)
    os.write(mine, PASSWORD.encode() + b"\n")
    out, _ = process.communicate(timeout=60)
    os.close(mine)

    assert b"Password of reader" in asked
    assert process.returncode == 0
    assert out.startswith(b"held         auth.answer")


def test_the_kit_knows_nothing_of_the_server() -> None:
    imports = "import sys, commonwatt.conformance.run, commonwatt.conformance.reports"
    ours = "{n.split('.')[1] for n in sys.modules if n.startswith('commonwatt.')}"
    heavy = "{'numpy', 'fastapi', 'sqlalchemy', 'pydantic'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}; print(sorted({ours}), sorted({heavy}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['conformance'] []\n"
