"""`commonwatt export`: what it says, and where."""

import csv
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.api import building
from tests.cli.climkit.conftest import Asking
from tests.cli.climkit.test_light import run_light
from tests.cli.command import COMMAND, environment
from tests.client.scripted import METERS, SITE, SITE_DATA, Asked, Reply
from tests.export.endless import ANNA, BERT, endless, of_site

WINDOW = ("--start", "2026-03-20", "--end", "2026-04-02", "--fast")
HALF_YEAR = ("--start", "2025-01-01", "--end", "2025-07-01", "--fast")


@pytest.fixture
def endlessly(tmp_path: Path) -> Iterator[Asking]:
    """Give commands that ask a server which has measured for ever."""
    with endless().running() as url:
        yield Asking(url, tmp_path)


def on_a_terminal(asking: Asking, *words: str) -> tuple[int, str]:
    """Run a command whose standard error is a terminal; its exit status and what that shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *words],
        cwd=asking.folder,
        env=environment(**asking.signed_in(), TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_site_in_a_pipe(asking: Asking) -> None:
    ended = asking("export", "CH-0012", "made.csv", *WINDOW)

    assert (ended.code, ended.err) == (0, "")
    size = (asking.folder / "made.csv").stat().st_size
    assert ended.out == f"made.csv: {building.QUARTERS} rows, {size / 1000:.1f} KB\n"
    rows = list(csv.DictReader((asking.folder / "made.csv").read_text().splitlines()))
    assert {row["conso_total"] for row in rows} == {"0.09"}
    quietly = asking("export", "CH-0012", "made.csv", *WINDOW, "--quiet")
    assert (quietly.code, quietly.out, quietly.err) == (0, "", "")


def test_water_meters_by_days_as_parquet(asking: Asking) -> None:
    words = ("--of", "meters", "--type", "cold_water", "--sampling", "D")
    ended = asking("export", "CH-0012", "made.parquet", *words, *WINDOW)

    assert (ended.code, ended.err) == (0, "")
    frame = pl.read_parquet(asking.folder / "made.parquet")
    assert frame.columns[3:] == ["meter", "name", "total", "self", "ext"]
    assert {*frame["name"]} == {"Cold water", "Difference"}


def test_who_is_left_out_is_said_even_quietly(asking: Asking) -> None:
    words = ("--of", "readings", "--type", "cold_water", "--quiet")
    ended = asking("export", "CH-0012", "made.csv", *words, *WINDOW)

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "left out: Difference: a rule meter has no readings\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("made.txt",), 2, "'made.txt' must end in .parquet or .csv"),
        (("nowhere/made.csv",), 2, "nowhere/made.csv is no file in a folder that is there"),
        (("made.csv", "--sampling", "W"), 2, "must be one of 15T, H, D, M, Y"),
        (("made.csv", "--type", "gas"), 2, "must be one of electricity"),
        (("made.csv", "--of", "readings", "--sampling", "D"), 2, "without a sampling"),
        (("made.csv", "--of", "sensors", "--type", "heating"), 2, "without a type"),
        (("made.csv", "--of", "meters", "--type", "cooling"), 1, "no meters of type cooling"),
        (("made.csv", "--start", "yesterday"), 2, "yesterday"),
        (("made.csv", "--start", "2026-04-02"), 2, "must be after start"),
        (("made.csv", "--start", "1969-12-31"), 2, "must not be before 1970"),
        (("made.csv", "--start", "0001-01-01"), 2, "must not be before 1970"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    asking: Asking, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = asking("export", "CH-0012", *WINDOW, *words)

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1), ended.err
    assert ended.err.startswith("commonwatt: ")
    assert said in ended.err
    assert [*asking.folder.iterdir()] == []


def test_a_link_to_itself_is_replaced(asking: Asking) -> None:
    file = asking.folder / "made.csv"
    file.symlink_to(file.name)

    ended = asking("export", "CH-0012", file.name, *WINDOW)

    assert (ended.code, ended.err) == (0, "")
    assert not file.is_symlink()


def test_no_name_that_is_left_out_moves_the_cursor(tmp_path: Path) -> None:
    meters = [
        {"id": meter, "type": "electricity", "mode": "consumption", "name": f"{meter}\x1b[2J\r"}
        for meter in (ANNA, BERT)
    ]
    closed = Reply({"detail": "no right"}, 403)
    without = Reply([])
    scripts = {METERS: Reply(meters), SITE_DATA: without, f"/meter_data/{SITE}/{ANNA}": closed}
    with endless(scripts).running() as url:
        words = ("--of", "meters", "--start", "2025-01-01", "--end", "2025-01-03")
        ended = Asking(url, tmp_path)("export", SITE, "made.csv", *words)

    assert ended.code == 0
    assert ended.err.startswith(f"left out: {ANNA}�[2J�: POST")


@pytest.mark.parametrize("name", ["made.csv", "made.parquet"])
@pytest.mark.parametrize("full_at", ["part", "file"])
def test_a_full_disk(endlessly: Asking, name: str, full_at: str) -> None:
    file = endlessly.folder / name
    words = ("export", SITE, name, *HALF_YEAR)
    assert endlessly(*words).code == 0
    whole = file.read_bytes()
    kilobytes = len(whole) // (12 if full_at == "part" else 2) // 1024
    file.write_bytes(b"older")

    limited = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", *COMMAND, *words]
    done = subprocess.run(
        limited,
        cwd=endlessly.folder,
        env=environment(**endlessly.signed_in()),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    first, second = done.stderr.splitlines()
    assert "File too large" in first
    if full_at == "part":
        assert second == "commonwatt: nothing is kept yet"
    else:
        kept = f"6 of 6 parts are kept in {file}.parts; the same command goes on"
        assert second == f"commonwatt: {kept}"
    assert file.read_bytes() == b"older"
    again = endlessly(*words)
    assert again.code == 0
    assert again.err == ("" if full_at == "part" else "going on: 6 of 6 parts are there already\n")
    assert file.read_bytes() == whole


def test_ctrl_c(tmp_path: Path) -> None:
    def slow(asked: Asked) -> Reply:
        if server.count(SITE_DATA) > 2:
            time.sleep(1.0)
        return Reply(of_site(asked))

    server = endless({SITE_DATA: slow})
    with server.running() as url:
        asking = Asking(url, tmp_path)
        with subprocess.Popen(
            [*COMMAND, "export", SITE, "made.csv", *HALF_YEAR],
            cwd=tmp_path,
            env=environment(**asking.signed_in()),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while server.count(SITE_DATA) < 3:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()

    kept = f"2 of 6 parts are kept in {tmp_path}/made.csv.parts; the same command goes on"
    assert err.splitlines() == [f"commonwatt: {kept}", "commonwatt: interrupted"]
    assert process.returncode == 130


def test_a_bar_on_a_terminal(endlessly: Asking) -> None:
    words = ("export", SITE, "made.csv", *HALF_YEAR)

    code, shown = on_a_terminal(endlessly, *words)
    assert code == 0
    assert "exporting" in shown
    assert "%" in shown
    assert on_a_terminal(endlessly, *words, "--quiet") == (0, "")


def test_a_bar_of_the_meters_of_a_single_month(endlessly: Asking) -> None:
    words = ("export", SITE, "made.csv", "--start", "2025-01-01", "--end", "2025-01-03", "--fast")

    assert on_a_terminal(endlessly, *words) == (0, "")
    code, shown = on_a_terminal(endlessly, *words, "--of", "meters")
    assert code == 0
    assert "exporting" in shown


def test_a_bar_of_a_series_of_several_months(endlessly: Asking) -> None:
    words = ("get", "site", SITE, "--csv", "--start", "2025-01-30")

    code, shown = on_a_terminal(endlessly, *words, "--end", "2025-02-02")
    assert code == 0
    assert "asking" in shown
    assert on_a_terminal(endlessly, *words, "--end", "2025-02-02", "--quiet") == (0, "")
    assert on_a_terminal(endlessly, *words, "--end", "2025-02-01") == (0, "")


def test_csv_needs_no_library_and_parquet_one_of_two(asking: Asking) -> None:
    made = run_light(asking, "export", "CH-0012", "made.csv", "--of", "meters", *WINDOW)
    assert (made.returncode, made.stderr) == (0, "")
    without = run_light(asking, "export", "CH-0012", "made.parquet", *WINDOW, "--url", "http://[")
    assert (without.returncode, without.stdout) == (1, "")
    assert without.stderr == (
        "commonwatt: Parquet needs polars or pyarrow, and neither is installed: "
        "pip install polars\n"
    )
