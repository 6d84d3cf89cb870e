"""The fixture `climkit_server` in suites of others, each run by a pytest of its own."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx2
import pytest

from tests.docs.markdown import DOCS, blocks

ROOT = Path(__file__).resolve().parents[2]
ENTRY_POINTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "entry-points"
]["pytest11"]
BY_NAME = ("-p", "commonwatt.pytest_plugin")
PATIENCE_S = 30.0

[ASKS_FOR_IT] = [
    block.text for block in blocks(DOCS / "testing-clients.md") if block.language == "python"
]
IS_ANNOTATED = """
from datetime import timedelta
from commonwatt.pytest_plugin import ClimkitServer

def test_what_is_told(climkit_server: ClimkitServer) -> None:
    assert climkit_server.timezone == "Europe/Zurich"
    assert climkit_server.end - climkit_server.start == timedelta(days=14, hours=1)
    assert climkit_server.sensors["Stairwell temperature"] == "65920080c0a1e7d4b8f30401"
    assert climkit_server.password not in repr(climkit_server)
"""
DOES_NOT = """
import sys

def test_nothing_is_imported():
    ours = {name for name in sys.modules if name.split(".")[0] == "commonwatt"}
    assert ours == {"commonwatt", "commonwatt.pytest_plugin"}
    assert not {"fastapi", "numpy", "httpx2", "sqlalchemy"} & set(sys.modules)
"""
DIES = """
import os
import pathlib
import signal

def test_is_killed(climkit_server):
    pathlib.Path("address").write_text(climkit_server.url)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run(
    folder: Path, suite: str, *options: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a suite in a folder, with warnings as errors; ``path`` is found before all else."""
    (folder / "test_theirs.py").write_text(suite)
    environment = {**os.environ, "TMPDIR": str(folder)}
    environment.pop("PYTEST_ADDOPTS", None)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder that says, as an installation does, which plugins commonwatt has."""
    about = tmp_path / "installed" / "commonwatt_plugin-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: commonwatt-plugin\nVersion: 1\n")
    lines = [f"{name} = {module}" for name, module in ENTRY_POINTS.items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    return about.parent


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="installed"),
        pytest.param(BY_NAME, id="installed and by name", marks=pytest.mark.slow),
    ],
)
def test_a_suite_gets_a_server(tmp_path: Path, installed: Path, options: tuple[str, ...]) -> None:
    outcome = run(tmp_path, ASKS_FOR_IT + IS_ANNOTATED, *options, path=installed)

    assert "2 passed" in outcome.stdout, outcome.stdout + outcome.stderr
    assert not list(tmp_path.glob("commonwatt-frozen-*"))


def test_a_suite_without_it_is_left_alone(tmp_path: Path, installed: Path) -> None:
    outcome = run(tmp_path, DOES_NOT, path=installed)

    assert "1 passed" in outcome.stdout, outcome.stdout + outcome.stderr
    assert re.search(r"plugins: .*commonwatt", outcome.stdout), "it was not even loaded"


def test_without_the_server_it_says_what_to_install(tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys\nsys.modules['fastapi'] = None\n")

    outcome = run(tmp_path, ASKS_FOR_IT, *BY_NAME, path=without)

    assert outcome.returncode == 1
    assert "1 error" in outcome.stdout, outcome.stdout
    assert "pip install '.[server]' in the checkout" in outcome.stdout
    assert "fastapi is missing" in outcome.stdout
    assert "Traceback" not in outcome.stdout


def test_a_server_does_not_outlive_a_killed_run(tmp_path: Path) -> None:
    run(tmp_path, DIES, *BY_NAME)
    address = (tmp_path / "address").read_text()

    deadline = time.monotonic() + PATIENCE_S
    while answers(address) or list(tmp_path.glob("commonwatt-frozen-*")):
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.1)


def answers(address: str) -> bool:
    try:
        httpx2.get(f"{address}/health", trust_env=False)
    except httpx2.TransportError:
        return False
    return True
