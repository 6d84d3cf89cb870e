"""What terminals and pipes of all kinds get of a server's texts."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, Ended, environment
from tests.client.scripted import METER, METER_DATA, RAW, SITE, Reply, ScriptedServer


def ask(server: ScriptedServer, folder: Path, *words: str, encoding: str = "utf-8") -> Ended:
    """Ask a server, by a process of its own whose standard output has an encoding."""
    with server.running() as url:
        who = {"CLIMKIT_URL": url, "CLIMKIT_USERNAME": "anna", "CLIMKIT_PASSWORD": "secret"}
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=folder,
            capture_output=True,
            env=environment(**who, PYTHONIOENCODING=encoding),
            check=False,
        )
    return Ended(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))


def test_no_text_of_a_server_moves_the_cursor(tmp_path: Path) -> None:
    name = "Tilleuls\x1b[2J\nsecond\r\x07"
    server = ScriptedServer({"/all_installations": Reply([{"id": SITE, "name": name}])})

    ended = ask(server, tmp_path, "sites")

    assert (ended.code, ended.err) == (0, "")
    assert len(ended.lines) == 2
    assert "Tilleuls�[2J�second��" in ended.lines[1]


def test_no_column_of_a_server_moves_the_cursor(tmp_path: Path) -> None:
    rows = Reply([{"timestamp": "2026-03-22T04:30:00Z", "total": 1, "x\x1b[2J": 2}])
    server = ScriptedServer({METER_DATA: rows})
    words = (
        "get",
        "meter",
        SITE,
        METER,
        "--start",
        "2026-03-22T04:00Z",
        "--end",
        "2026-03-22T05:00Z",
    )

    for form in ((), ("--plot",)):
        ended = ask(server, tmp_path, *words, *form)
        assert ended.code == 0, ended.err
        assert "x�[2J [kWh]" in ended.out
        assert "\x1b" not in ended.out


def test_no_fault_that_is_tried_again_moves_the_cursor(tmp_path: Path) -> None:
    failing = Reply({"detail": "down\x1b[2J"}, 502)
    server = ScriptedServer({"/all_installations": [failing, Reply([])]})

    ended = ask(server, tmp_path, "sites")

    assert (ended.code, "\x1b" in ended.err) == (0, False)
    assert ended.err.startswith("GET /all_installations: down�[2J (502); again in ")


@pytest.mark.parametrize("kind", ["meter", "raw"])
@pytest.mark.parametrize(
    "values",
    [{}, {"total": None}, {"total": None, "self": 0.5}],
    ids=["no keys", "no values", "some values"],
)
def test_rows_without_values_are_drawn_as_missing(
    tmp_path: Path, kind: str, values: dict[str, float | None]
) -> None:
    rows = Reply([{"timestamp": "2026-03-22T04:30:00Z", **values}])
    server = ScriptedServer({METER_DATA: rows, RAW: rows})
    words = ("get", kind, SITE, METER, "--start", "2026-03-22T04:00Z", "--end", "2026-03-22T05:00Z")

    ended = ask(server, tmp_path, *words, "--plot")

    assert ended.code == 0, ended.err
    if values or kind == "meter":  # of a validated series there is always a total
        assert ended.lines[0].split() == ["total", "[kWh]", "missing"]


def test_no_refusal_of_a_server_moves_the_cursor(tmp_path: Path) -> None:
    refusal = Reply({"detail": "because\x1b[2J\nof this"}, 422)

    ended = ask(ScriptedServer({"/all_installations": refusal}), tmp_path, "sites")

    assert ended.code == 1
    assert ended.err == "commonwatt: GET /all_installations: because�[2J of this\n"


@pytest.mark.parametrize("words", [("sites",), ("sites", "--csv"), ("sites", "--json")])
def test_an_output_that_lacks_letters_is_told_and_gets_no_others(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    server = ScriptedServer({"/all_installations": Reply([{"id": SITE, "name": "Łódź"}])})

    ended = ask(server, tmp_path, *words, encoding="latin-1")

    assert ended.code == 1
    assert ended.err.endswith("cannot write all of the answer: set PYTHONIOENCODING=utf-8\n")
    assert ended.err.count("\n") == 1
    assert "?" not in ended.out
