"""`commonwatt watch` prints what comes, and ends with Ctrl-C."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.api import building
from tests.api.conftest import token
from tests.api.serving import client_of
from tests.cli.climkit.conftest import Asking
from tests.cli.command import COMMAND, end, environment

_METERS = {building.GRID, building.PV, building.ANNA, building.BERT, building.CHARGER}
_METERS |= {building.BATTERY}
KWH = 0.09
"""What the consumers take together in a quarter-hour."""


def deliver(address: str, first_at: int, quarters: int) -> None:
    """Deliver readings of all electricity from an instant on, of so many quarter-hours."""
    rows = [
        {"meter": meter, "timestamp": building.utc(first_at + 900 * count)}
        | {
            register: (1_000_000 + rise * count) / 1000
            for (of, register), rise in building.RISES.items()
            if of == meter
        }
        for count in range(quarters + 1)
        for meter in sorted(_METERS)
    ]
    with client_of(address, token(address, "gateway")) as gateway:
        path = f"/commonwatt/v1/sites/{building.SITE}/readings"
        receipt = gateway.put(path, json=rows).json()
    assert receipt["rejected"] == [], receipt


@pytest.fixture
def watching(asking: Asking) -> Iterator["subprocess.Popen[str]"]:
    """Watch the building."""
    process = subprocess.Popen(
        [*COMMAND, "watch", "CH-0012", "--every", "1", "--json"],
        cwd=asking.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**asking.signed_in()),
    )
    yield process
    if process.poll() is None:
        end(process)


def wait_for(process: "subprocess.Popen[str]", first_at: int, quarters: int) -> list[str]:
    """Wait until so many quarter-hours from an instant on are printed with what was delivered.

    What is printed before that, such as what the server interpolates until then, does not matter.
    """
    assert process.stdout is not None
    wanted = [f"{building.utc(first_at + 900 * count)}Z" for count in range(quarters)]
    printed: dict[str, object] = {}
    while any(printed.get(start) != KWH for start in wanted):
        row = json.loads(process.stdout.readline())
        printed[row["start"]] = row["conso_total"]
    return wanted


def test_what_comes_is_printed_until_ctrl_c(
    watching: "subprocess.Popen[str]", asking: Asking
) -> None:
    first_at = int(time.time()) // 900 * 900 - 8 * 900
    deliver(asking.address, first_at, 2)
    wait_for(watching, first_at, 2)
    deliver(asking.address, first_at, 4)

    wait_for(watching, first_at + 2 * 900, 2)

    ended = end(watching, signal.SIGINT)
    told = [line for line in ended.err.splitlines() if line]
    assert told == ["watching Les Tilleuls 12; Ctrl-C ends it", "commonwatt: interrupted"]
    assert ended.code == 130


def test_a_wrong_name_is_told(asking: Asking) -> None:
    ended = asking("watch", "nowhere")
    assert (ended.code, ended.out) == (1, "")
    assert "no site nowhere" in ended.err
