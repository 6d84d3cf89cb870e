"""A store whose disk is full or read-only is looked at, and nothing is written."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import CommandLine
from tests.cli.test_site import FLAT, imported

ROWS = ("2026-01-01T00:00:00,1", "2026-01-01T12:00:00,2", "2026-01-02T00:00:00,3")


def mounted(*words: str) -> bool:
    program = shutil.which("mount")
    return program is not None and (
        subprocess.run([program, *words], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 4 MB of its own, which the test may fill or protect."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or not mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)):
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def protect(disk: Path) -> None:
    assert mounted("-o", "remount,ro", str(disk))


@pytest.mark.parametrize("spoil", [fill, protect])
def test_it_is_looked_at_and_not_written(
    house: CommandLine, small_disk: Path, spoil: Callable[[Path], None]
) -> None:
    imported(house, FLAT, *ROWS)
    shutil.copytree(house.folder / "data", small_disk / "data")
    spoil(small_disk)
    cw = CommandLine(house.folder, ("--data", str(small_disk / "data")))

    for words in (("status",), ("show", "CH-12"), ("delivery", "list"), ("audit",), ("worklist",)):
        looked = cw(*words)
        assert looked.code == 0, (words, looked.err)
        assert looked.out == house(*words).out

    more = house.write("more.csv", "timestamp,en_im\n2026-01-03T00:00:00,4\n")
    refused = cw("import", more, "--meter", FLAT)
    assert refused.code == 1
    assert "the store can only be read: its disk is full or cannot be written" in refused.err


def test_a_server_says_that_a_protected_store_can_only_be_read(
    house: CommandLine, small_disk: Path
) -> None:
    shutil.copytree(house.folder / "data", small_disk / "data")
    protect(small_disk)

    ended = CommandLine(house.folder, ("--data", str(small_disk / "data")))("serve", "--port", "0")

    assert ended.code == 1
    assert ended.err == (
        "commonwatt: the store can only be read: its disk is full or cannot be written\n"
    )


def test_a_log_that_cannot_be_read_is_not_passed_over(house: CommandLine, small_disk: Path) -> None:
    """Commits lie in the log beside the file: without them an answer would be an older one."""
    shutil.copytree(house.folder / "data", small_disk / "data")
    (small_disk / "data" / "commonwatt.sqlite-wal").write_bytes(b"a commit")
    protect(small_disk)

    ended = CommandLine(house.folder, ("--data", str(small_disk / "data")))("status")

    assert ended.code == 1
    assert "cannot be reached" in ended.err
