"""What `pip install commonwatt` alone brings is enough, and little of it is imported at once."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What is imported where it is used; asyncio alone takes as long as the HTTP library.
LATER = ["asyncio", "keyring", "narwhals", "orjson", "rich", "stamina", "typer"]
FRAMES = ["numpy", "pandas", "polars", "pyarrow"]
IMPORT_NAMES = {"pyjwt": "jwt", "pyyaml": "yaml", "argon2-cffi": "argon2"}


def run(script: str) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_client_imports_no_more_than_it_needs() -> None:
    script = "import sys, commonwatt.client; print(*sys.modules)"

    modules = set(run(script).split())

    assert "httpx2" in modules
    assert modules & {*LATER, *FRAMES} == set()


@pytest.mark.parametrize("client", ["Climkit", "AsyncClimkit"])
def test_the_client_works_without_the_servers_libraries(address: str, client: str) -> None:
    extra = [Requirement(line).name for line in PROJECT["optional-dependencies"]["server"]]
    base = {Requirement(line).name for line in PROJECT["dependencies"]}
    # anyio is the HTTP library's too.
    absent = [IMPORT_NAMES.get(name, name.replace("-", "_")) for name in extra]
    absent = sorted({*absent, *FRAMES, "keyring"} - base - {"anyio"})
    script = f"""
import asyncio, inspect, sys
sys.modules.update(dict.fromkeys({absent!r}))
from commonwatt.client import {client}
climkit = {client}({address!r}, "reader", "correct horse battery staple")
async def ask():
    sites = climkit.sites()
    if inspect.isawaitable(sites):
        sites = await sites
    print(sites[0].name)
asyncio.run(ask())
"""
    assert run(script) == "Les Tilleuls 12\n"
