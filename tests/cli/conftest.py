"""A command line on an embedded store, and one on each kind of store."""

from pathlib import Path
from shutil import copytree

import pytest

from tests.cli.command import CommandLine

HOUSE = """
site: {id: 61dfc9a0eba4e3564021f36a, site_ref: CH-12, name: Tilleuls, timezone: Europe/Zurich}
meters:
  - {id: 61dfcb4beba4e3563fdf3d9f, name: Flat, type: electricity, mode: consumption, prim_ad: 11}
  - {id: 61dfcb4beba4e3563fdf3da0, name: Grid, type: electricity, mode: introduction, prim_ad: 10}
  - {name: Rest, type: electricity, mode: consumption, balance: false, rule: "prim_ad:10"}
  - {id: 61dfcb4beba4e3563fdf3da1, name: Water, type: cold_water, mode: consumption}
sensors:
  - {id: 61dfcb4beba4e3563fdf3db0, name: Stairs, type: temperature, unit: "°C"}
"""


@pytest.fixture
def cw(tmp_path: Path) -> CommandLine:
    """Give the command on an embedded store that does not exist yet."""
    return CommandLine(tmp_path, ("--data", str(tmp_path / "data")))


@pytest.fixture
def any_cw(tmp_path: Path, store_url: str) -> CommandLine:
    """Give the command on an empty database of each kind."""
    return CommandLine(tmp_path, ("--database-url", store_url))


@pytest.fixture(scope="session")
def applied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a store with a house, to be copied."""
    folder = tmp_path_factory.mktemp("house")
    cw = CommandLine(folder, ("--data", str(folder / "data")))
    assert cw("apply", cw.write("house.yaml", HOUSE)).code == 0
    return folder


@pytest.fixture
def house(cw: CommandLine, applied_house: Path) -> CommandLine:
    """Give the command on a store with a house, and the file that declares it."""
    copytree(applied_house, cw.folder, dirs_exist_ok=True)
    return cw
