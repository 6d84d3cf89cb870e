"""The worklist has the line that declares an exchange, with what is known of it."""

import json
import shlex

import pytest

from tests.cli.command import CommandLine
from tests.cli.test_site import FLAT

WINDOW = ("--group", "electricity", "--start", "2026-03-02", "--end", "2026-03-03", "--json")


def read_on(cw: CommandLine, *, serials: bool, first: float) -> None:
    """A day of the flat, its device exchanged at noon for one that begins at an index."""
    lines = ["timestamp,en_im,serial" if serials else "timestamp,en_im"]
    for n in range(96):
        index = 81_234.5 + n / 4 if n < 48 else first + (n - 48) / 4
        row = f"2026-03-02T{n // 4:02}:{15 * (n % 4):02}Z,{index}"
        lines.append(row + (",A1" if n < 48 else ",B7") if serials else row)
    file = cw.write("flat.csv", "\n".join([*lines, ""]))
    assert cw("import", file, "--meter", FLAT).code == 0


def tasks(cw: CommandLine, kind: str) -> list[dict[str, str]]:
    rows = json.loads(cw("worklist", *WINDOW).out)
    return [row for row in rows if row["kind"] == kind]


@pytest.mark.parametrize("first", [0.25, 99_000.0])
def test_another_serial_proposes_the_exchange_that_settles_it(
    house: CommandLine, first: float
) -> None:
    read_on(house, serials=True, first=first)
    (task,) = tasks(house, "serial-changed")
    assert task["command"] == (
        f"commonwatt exchange {FLAT} --at 2026-03-02T12:00:00Z --end-index en_im=81246.25 "
        f"--start-index en_im={first:g}"
    )

    done = house(*shlex.split(task["command"])[1:])

    assert done.code == 0, done.err
    assert tasks(house, "serial-changed") == []
    assert tasks(house, "index-break") == []
    shown = json.loads(house("explain", FLAT, "--at", "2026-03-02T12:10Z", "--json").out)
    assert shown["total"] == 0.25


def test_a_fall_tells_the_exchange_beside_what_else_it_can_be(house: CommandLine) -> None:
    read_on(house, serials=False, first=0.5)
    (task,) = tasks(house, "index-break")
    exchange = task["text"].partition("exchanged: ")[2]
    assert exchange.startswith(f"commonwatt exchange {FLAT} --at 2026-03-02T12:00:00Z --end-index")
    assert house(*shlex.split(exchange)[1:]).code == 0
    assert tasks(house, "index-break") == []


def test_differences_have_names_local_times_and_sums(house: CommandLine) -> None:
    read_on(house, serials=False, first=81_246.5)
    lock = ("lock", "CH-12", "electricity", "--until", "2026-03-02T10:00", "--despite", "a test")
    assert house(*lock).code == 0
    house(
        "edit",
        "Flat",
        "--start",
        "2026-03-02T09:00",
        "--end",
        "2026-03-02T09:30",
        "--energy",
        "0.7",
        "--reason",
        "a test",
    )

    lines = house("differences", "CH-12", "electricity").lines

    assert [line.split("  ")[0] for line in lines[1:3]] == ["Flat", "Flat"]
    assert "2026-03-02 09:00:00+01:00" in lines[1]
    sums = [line.split() for line in lines[lines.index("") + 2 :]]
    assert ["Flat", "11", "total", "+0.200", "kWh", "correction"] in sums


def test_meters_stand_in_the_order_of_their_addresses(house: CommandLine) -> None:
    table = house("status").out.split("\n\n")[1].splitlines()[1:]
    electricity = [line.split()[0] for line in table if " electricity " in line]
    assert electricity == ["Grid", "Flat"]
