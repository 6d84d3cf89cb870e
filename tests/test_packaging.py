"""What is declared, what is pinned, and what a small installation gets."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PINNED = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned_versions(path: Path) -> dict[str, list[Requirement]]:
    """Return the pins of a compiled file by name; markers may give a name several."""
    pins: dict[str, list[Requirement]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\"))
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_pins_name_no_place_to_fetch_from(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_every_pin_is_exact_and_hashed(path: Path) -> None:
    joined = path.read_text().replace("\\\n", " ")
    pins = [line for line in joined.splitlines() if line and not line.startswith((" ", "#"))]
    assert pins
    assert not [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]


def test_what_the_project_asks_for_is_pinned() -> None:
    pins = pinned_versions(ROOT / "requirements" / "server.txt")
    for declared in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["server"]]:
        requirement = Requirement(declared)
        found = pins.get(canonicalize_name(requirement.name), [])
        assert found, declared
        for pin in found:
            version = str(pin.specifier).removeprefix("==")
            assert requirement.specifier.contains(version), (declared, version)


def test_the_files_of_one_environment_agree() -> None:
    """Build, server and test requirements are installed together: a name has one version."""
    together = [
        pinned_versions(ROOT / "requirements" / f"{job}.txt") for job in ("build", "server", "test")
    ]
    for name in set().union(*together):
        versions = {str(pin) for pins in together for pin in pins.get(name, [])}
        markers = {str(pin.marker) for pins in together for pin in pins.get(name, [])}
        assert len(versions) == len(markers), versions


def test_the_command_line_starts_without_the_server() -> None:
    """`pip install commonwatt` alone: none of the extra's packages can be imported."""
    absent = [
        Requirement(line).name.replace("-", "_")
        for line in PROJECT["optional-dependencies"]["server"]
    ]
    modules = [
        {"pyjwt": "jwt", "pyyaml": "yaml", "argon2_cffi": "argon2"}.get(name, name)
        for name in absent
    ]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
        "sys.argv = ['commonwatt', '--help']\n"
        "from commonwatt.cli.main import main; main()"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "Usage" in outcome.stdout
