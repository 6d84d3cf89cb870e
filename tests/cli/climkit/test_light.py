"""The commands that ask a server work with what `pip install commonwatt` alone brings."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
from packaging.requirements import Requirement

from commonwatt.cli.faults import _OTHERS
from tests.cli.climkit.conftest import ROOT, Asking
from tests.cli.command import environment, run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORT_NAMES = {"pyjwt": "jwt", "pyyaml": "yaml", "argon2-cffi": "argon2"}
HOUR = ("--start", "2026-03-21T13:00", "--end", "2026-03-21T14:00")


def absent() -> list[str]:
    """What is not there without the extras; anyio is the HTTP library's too, pydantic typer's."""
    extra = [Requirement(line).name for line in PROJECT["optional-dependencies"]["server"]]
    base = {Requirement(line).name for line in PROJECT["dependencies"]}
    names = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in extra}
    return sorted({*names, "keyring", "pandas", "pyarrow"} - base - {"anyio", "pydantic"})


def run_light(asking: Asking, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process that can import nothing of the extras."""
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({absent()!r}))\n"
        f"sys.argv = {['commonwatt', *words]!r}\n"
        "from commonwatt.cli.main import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=asking.folder,
        env=environment(**asking.signed_in()),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("sites",),
        ("meters", "CH-0012"),
        ("sensors", "CH-0012", "--csv"),
        ("get", "site", "CH-0012", *HOUR),
        ("get", "meter", "CH-0012", "Anna", *HOUR, "--plot"),
        ("get", "raw", "CH-0012", "Anna", *HOUR, "--json"),
        ("get", "sensor", "CH-0012", "Stairwell", "--csv"),
    ],
)
def test_commands_need_nothing_of_the_extras(asking: Asking, words: tuple[str, ...]) -> None:
    done = run_light(asking, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_faults_are_told_there_too(asking: Asking) -> None:
    done = run_light(asking, "meters", "nowhere")
    assert done.returncode == 1
    assert done.stderr == "commonwatt: no site nowhere; there are CH-0012\n"


def test_the_errors_that_are_told_exist() -> None:
    for module, name in _OTHERS.items():
        assert issubclass(getattr(import_module(module), name), Exception)


def test_the_command_line_starts_without_the_http_library() -> None:
    script = "import sys, commonwatt.cli.main; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {script}"], capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) & {"httpx2", "stamina", "asyncio", "narwhals"} == set()


def test_shells_complete_commands(asking: Asking) -> None:
    words = {
        "_COMMONWATT_COMPLETE": "complete_bash",
        "COMP_WORDS": "commonwatt se",
        "COMP_CWORD": "1",
    }
    done = run(folder=asking.folder, more={**asking.nobody, **words})
    assert done.out.split() == ["serve", "settle", "sensors"]
