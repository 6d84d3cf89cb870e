"""Imports that end before their files do: what is kept is said, and the file is named."""

import gzip
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.command import CommandLine
from tests.cli.test_import import FLAT
from tests.scenarios.stage import run_command


def month(number: int, days: int = 1, a_day: int = 24) -> str:
    """Return a CSV of so many rows a day."""
    first = datetime(2026, number, 1, tzinfo=UTC)
    rows = (
        f"{(first + timedelta(days=row / a_day)).isoformat()},{100 * number + row / 1000}"
        for row in range(a_day * days)
    )
    return "\n".join(("timestamp,en_im", *rows, ""))


@contextmanager
def small_files(most_bytes: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_file_that_breaks_off_keeps_what_came_before(
    house: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So many rows are a delivery; that of real files takes half a million.
    monkeypatch.setattr("commonwatt.cli.readings.import_file._ROWS_A_DELIVERY", 10)
    january = house.folder / "jan.csv.gz"
    # Two pieces of a megabyte, unpacked, and then a line without end.
    january.write_bytes(gzip.compress((month(1) + "\n" * 1_200_000 + "x" * 1_200_000).encode()))
    february = house.write("feb.csv", month(2))
    ended = run_command(["import", str(january), february, "--meter", FLAT, *house.store])
    assert ended.code == 1
    kept, counted, later, fault = ended.text.splitlines()
    assert kept == "what was stored of it stays, the rest is not stored:"
    assert "delivery 2, 3: 20 accepted" in counted
    assert later == f"{february}: not begun"
    assert fault.startswith(f"commonwatt: {january}: line ")
    assert fault.endswith("longer than 65536 bytes; is it CSV?")


def test_a_file_of_another_kind_is_named_and_nothing_is_stored(house: CommandLine) -> None:
    file = house.folder / "jan.csv"
    file.write_bytes(month(1).encode("utf-16"))
    ended = house("import", str(file), "--meter", FLAT)
    assert ended.code == 1
    assert f"commonwatt: {file}: the text is UTF-16" in ended.err
    assert ended.out == f"{file}: nothing of it is stored\n"


def test_a_full_disk_is_told_with_the_file_and_what_is_kept(house: CommandLine) -> None:
    january, february = house.write("jan.csv", month(1)), house.write("feb.csv", month(2, 28, 288))
    words = ["import", january, february, "--meter", FLAT, *house.store]
    assert house("import", january, "--meter", FLAT).code == 0
    with small_files(60_000):
        ended = run_command(words)
    assert ended.code == 1
    assert f"{january}: no delivery: 0 accepted, 24 unchanged" in ended.text
    assert f"{february}: nothing of it is stored" in ended.text
    assert f"commonwatt: {february}: " in ended.text
    assert "8064 accepted" in run_command(words).text
