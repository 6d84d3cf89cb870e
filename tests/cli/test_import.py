"""Importing files: receipts, rejected rows, zones, read-back over HTTP, beside a server."""

import gzip
import signal
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.cli.command import CommandLine, Ended, end, eventually, start
from tests.cli.conftest import HOUSE

FLAT = "61dfcb4beba4e3563fdf3d9f"
GRID = "61dfcb4beba4e3563fdf3da0"
WATER = "61dfcb4beba4e3563fdf3da1"
STAIRS = "61dfcb4beba4e3563fdf3db0"
SITE = "61dfc9a0eba4e3564021f36a"


def signed_in(cw: CommandLine, client: httpx2.Client) -> None:
    made = cw("account", "add", "heidi", "--site", "CH-12", "--rate-limit", "off")
    password = made.lines[-1].removeprefix("password: ")
    answer = client.post("/api/v1/auth", json={"username": "heidi", "password": password})
    client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"


def ask(
    client: httpx2.Client, path: str, method: str = "POST", **question: object
) -> list[dict[str, object]]:
    answer = client.request(method, f"/api/v1/{path}", json=question)
    rows: list[dict[str, object]] = answer.raise_for_status().json()
    return rows


def test_a_file_is_one_delivery_and_ends_with_its_receipt(house: CommandLine) -> None:
    file = house.write(
        "jan.csv", "timestamp,en_im\n2026-01-01T00:00:00,1.5\n2026-01-01 00:15:00Z,1.75\n"
    )
    ended = house("import", file, "--meter", FLAT)
    receipt = "2 accepted, 0 unchanged, 0 superseding, 0 rejected"
    assert (ended.code, ended.out, ended.err) == (0, f"{file}: delivery 2: {receipt}\n", "")
    again = house("import", file, "--meter", FLAT)
    unchanged = "0 accepted, 2 unchanged, 0 superseding, 0 rejected"
    assert (again.code, again.out) == (0, f"{file}: no delivery: {unchanged}\n")


def test_bad_rows_are_told_and_good_ones_kept(house: CommandLine, tmp_path: Path) -> None:
    good = "\n".join(f"2026-01-01T{hour:02}:00:00,{hour}" for hour in range(24))
    bad = "\n".join(f"2026-01-02T00:00:{second:02},-1" for second in range(25))
    file = tmp_path / "jan.csv.gz"
    file.write_bytes(gzip.compress(f"timestamp,en_im\n{good}\n{bad}\n".encode()))
    ended = house("import", str(file), "--meter", FLAT)
    assert ended.code == 1
    assert "24 accepted, 0 unchanged, 0 superseding, 25 rejected" in ended.lines[-1]
    errors = ended.err.splitlines()
    assert errors[0].startswith(f"{file}: row 25: ")
    assert errors[-1] == f"{file}: and 5 more rows rejected"
    assert len(errors) == 21


def test_wall_times_of_a_zone(house: CommandLine) -> None:
    file = house.write(
        "night.csv",
        "timestamp,en_im\n2026-03-29T01:59:00,1\n2026-03-29T02:30:00,2\n2026-03-29T03:00:00,3\n",
    )
    ended = house("import", file, "--meter", FLAT, "--timezone", "Europe/Zurich")
    assert ended.code == 1
    # Where a row names what does not happen, the end of that hour is not trusted either.
    assert "1 accepted" in ended.out
    assert ended.err.startswith(f"{file}: row 2: ")
    assert "row 3: timestamp: 2026-03-29 03:00:00 ends an hour of which rows" in ended.err


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        ("timestamp,volts\n2026-01-01,1\n", ("--meter", FLAT), "volts"),
        ("", ("--meter", FLAT), "empty"),
        ("timestamp,en_im\n", ("--meter", "0" * 24), "no meter 0000"),
        ("timestamp,en_im\n", ("--meter", STAIRS), "no meter"),
        ("timestamp,en_im\n", ("--meter", "prim_ad:11", "--site", "nowhere"), "no site nowhere"),
        ("timestamp,value\n", ("--sensor", FLAT), "there is no sensor"),
    ],
)
def test_what_cannot_be_imported(
    house: CommandLine, text: str, words: tuple[str, ...], told: str
) -> None:
    ended = house("import", house.write("file.csv", text), *words)
    assert ended.code == 1
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_meter_by_its_address(house: CommandLine) -> None:
    file = house.write("reading.csv", "timestamp,en_im\n2026-03-29T02:00:00,1\n")
    assert "1 accepted" in house("import", file, "--meter", FLAT).out
    assert "1 unchanged" in house("import", file, "--meter", "electricity 11").out


def test_a_rule_meter_takes_no_readings(house: CommandLine) -> None:
    applied = house("apply", house.write("again.yaml", HOUSE.replace("Tilleuls", "Chênes")))
    assert applied.out == "site CH-12: name 'Tilleuls' -> 'Chênes'\n"
    with house.serving() as (_, client):
        signed_in(house, client)
        listed = ask(client, f"meter_info/{SITE}", "GET")
    rest = next(str(meter["id"]) for meter in listed if meter["is_rule_meter"])
    ended = house("import", house.write("x.csv", "timestamp,en_im\n"), "--meter", rest)
    assert (ended.code, "rule meter" in ended.err) == (1, True)


def test_imported_beside_a_server_and_read_back_over_http(any_cw: CommandLine) -> None:
    cw = any_cw
    assert cw("apply", cw.write("house.yaml", HOUSE)).code == 0
    indexes = [1_000 * step + step % 7 for step in range(4 * 24 + 1)]
    for meter in (FLAT, GRID):
        lines = [
            f"2026-01-{1 + step // 96:02}T{step // 4 % 24:02}:{step % 4 * 15:02}:00,{wh / 1000}"
            for step, wh in enumerate(indexes)
        ]
        cw.write(f"{meter}.csv", "timestamp,en_im\n" + "\n".join(lines) + "\n")
    values = cw.write("stairs.csv", "timestamp,value\n2026-01-01T10:00:00,-3.25\n")
    with cw.serving() as (_, client):
        signed_in(cw, client)
        for meter in (FLAT, GRID):
            assert cw("import", str(cw.folder / f"{meter}.csv"), "--meter", meter).code == 0
        assert cw("import", values, "--sensor", STAIRS).code == 0
        window = {"t_s": "2026-01-01T00:00:00", "t_e": "2026-01-02T00:00:00"}
        rows = ask(client, f"meter_data/{SITE}/{FLAT}", **window)
        assert [row["total"] for row in rows] == [
            (later - earlier) / 1000 for earlier, later in pairwise(indexes)
        ]
        site = ask(client, f"site_data/{SITE}/electricity", **window)
        assert [row["from_ext"] for row in site] == [row["total"] for row in rows]
        temperature = ask(client, f"{SITE}/sensor_data/{STAIRS}", "GET", **window)
        assert temperature == [{"value": -3.25, "timestamp": 1_767_261_600}]
        # Withdrawn, it counts no more, at once and in the running server.
        assert cw("delivery", "withdraw", "2", "--reason", "wrong meter").code == 0
        assert ask(client, f"meter_data/{SITE}/{FLAT}", **window) == []
        assert cw("delivery", "reinstate", "2").code == 0
        assert ask(client, f"meter_data/{SITE}/{FLAT}", **window) == rows


@pytest.mark.slow
def test_ctrl_c_says_what_is_stored(house: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "years.csv"
    with file.open("w", encoding="utf-8") as lines:
        lines.write("timestamp,en_im\n")
        for row in range(1_600_000):
            day, second = divmod(row * 60, 86_400)
            at = f"{2000 + day // 336}-{1 + day % 336 // 28:02}-{1 + day % 28:02}"
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            lines.write(f"{at}T{clock}Z,{row}\n")
    process = start("import", str(file), "--meter", FLAT, *house.store, folder=house.folder)
    for _ in eventually():
        if "import years.csv" in house("delivery", "list").out:
            break
    ended = end(process, signal.SIGINT)
    assert ended.code == 130
    assert ended.err == "commonwatt: interrupted\n"
    assert "500000 accepted" in ended.out or "1000000 accepted" in ended.out
    assert _stored(house("delivery", "list")) in (500_000, 1_000_000)


def _stored(listed: Ended) -> int:
    return sum(int(line.split()[-3]) for line in listed.lines[1:])
