"""An export killed at any of its steps on the disk ends, when repeated, as an undisturbed one."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commonwatt.client import Climkit
from tests.client.conftest import FAST
from tests.client.scripted import SITE, SITE_DATA, Asked, Reply
from tests.export.endless import endless, of_site
from tests.export.exporting import exported

ROOT = Path(__file__).resolve().parents[2]
EXPORT = """
import os, signal, sys
from pathlib import Path
from tests.export.exporting import exported
from commonwatt.client import Climkit

url, file, kill_at, *window = sys.argv[1:]
steps = 0

def count(event, arguments):
    global steps
    if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}:
        if ".parts" in str(arguments[0]):
            steps += 1
            if steps == int(kill_at):
                os.kill(os.getpid(), signal.SIGKILL)

with Climkit(url, "u", "p", requests_per_second=10_000.0) as climkit:
    sys.addaudithook(count)
    exported(climkit, Path(file), *window)
print(steps)
"""
WINDOW = ("2025-09-10", "2025-11-05")
KILLED = -signal.SIGKILL


def run(url: str, file: Path, kill_at: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", EXPORT, url, str(file), str(kill_at), *WINDOW]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_killed_at_each_step(tmp_path: Path) -> None:
    file = tmp_path / "made.csv"
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        steps = int(run(url, file, 0).stdout)
        undisturbed = file.read_bytes()
        assert steps > 20
        for kill_at in range(1, steps + 1):
            file.unlink()
            killed = run(url, file, kill_at)
            assert killed.returncode == KILLED, killed.stderr
            assert not file.exists() or file.read_bytes() == undisturbed
            exported(climkit, file, *WINDOW)
            assert file.read_bytes() == undisturbed
            assert [*file.parent.iterdir()] == [file]


@pytest.mark.slow
def test_killed_at_random_moments(file: Path) -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.1)
        return Reply(of_site(asked))

    words = ["export", SITE, str(file), "--start", "2025-06-01", "--end", "2025-12-01", "--fast"]
    command = [sys.executable, "-m", "commonwatt", *words]
    moments = random.Random(5)
    with endless({SITE_DATA: slow}).running() as url:
        who = {"CLIMKIT_URL": url, "CLIMKIT_USERNAME": "u", "CLIMKIT_PASSWORD": "p"}
        subprocess.run(command, env=who, check=True)
        undisturbed = file.read_bytes()
        file.write_bytes(b"older")
        for _ in range(5):
            with subprocess.Popen(command, env=who, stdout=subprocess.DEVNULL) as process:
                time.sleep(moments.uniform(0.3, 1.2))
                process.kill()
            if file.read_bytes() not in {b"older", undisturbed}:
                pytest.fail("the file is neither the older one nor whole")
        subprocess.run(command, env=who, check=True)

    assert file.read_bytes() == undisturbed
    assert [*file.parent.iterdir()] == [file]
